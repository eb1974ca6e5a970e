"""Chooses among the artifacts of a revision: which is the blueprint, the image, the proto, and whether it is a pipeline.

The types are those of Acumos as AI4EU uses them: BP blueprint, DI docker image, MI the proto of a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, error, quoted
from shared.persistence.cds import CdsArtifact, CdsSolution
from shared.solution import SolutionId

COMPOSITE = "CP"


def is_pipeline(solution: CdsSolution, artifacts: Sequence[CdsArtifact]) -> bool:
    """Follow the toolkit code; where there is none, a blueprint without an image makes a pipeline."""
    if solution.toolkit_type_code:
        return solution.toolkit_type_code.upper() == COMPOSITE
    return bool(_of_type("BP", artifacts)) and not _of_type("DI", artifacts)


def blueprint(artifacts: Sequence[CdsArtifact]) -> CdsArtifact:
    """Return the blueprint of a pipeline.

    Raises:
        InvalidSolutionError: it has none.
    """
    found = _of_type("BP", artifacts)
    if not found:
        hint = "validate the pipeline in the design studio, which makes its blueprint"
        raise InvalidSolutionError(Findings((_missing("blueprint-missing", "a blueprint (BP)", artifacts, hint),)))
    return found[0]


def image(artifacts: Sequence[CdsArtifact]) -> CdsArtifact:
    """Return the image of a model; its uri is the image reference.

    Raises:
        InvalidSolutionError: it has none.
    """
    found = _of_type("DI", artifacts)
    if not found:
        hint = "onboard the model with a docker image"
        raise InvalidSolutionError(Findings((_missing("image-missing", "a docker image (DI)", artifacts, hint),)))
    return found[0]


def proto(artifacts: Sequence[CdsArtifact]) -> CdsArtifact | None:
    """Return the proto of a model. Elsewhere than in AI4EU, type MI holds the model itself: an archive, not meant here."""
    return next((found for found in _of_type("MI", artifacts) if _is_proto(found)), None)


def stem(artifact: CdsArtifact) -> str:
    """Return the name of a proto without its ending."""
    return PurePosixPath(artifact.name or artifact.uri or "").stem


def mention(artifacts: Sequence[CdsArtifact], solution_id: SolutionId) -> bool:
    """Answer whether the path of any artifact leads through the solution: `org/acumos/<solutionId>/…`."""
    return any(solution_id in (found.uri or "").split("/") for found in artifacts)


def _of_type(code: str, artifacts: Sequence[CdsArtifact]) -> list[CdsArtifact]:
    return [found for found in artifacts if (found.artifact_type_code or "").upper() == code and found.uri]


def _is_proto(artifact: CdsArtifact) -> bool:
    return any((text or "").lower().endswith(".proto") for text in (artifact.uri, artifact.name))


def _missing(code: str, expected: str, artifacts: Sequence[CdsArtifact], hint: str) -> Finding:
    types = ", ".join(sorted({found.artifact_type_code or "?" for found in artifacts})[:20])
    return error(code, "artifacts", expected=expected, found=f"the types {quoted(types)}", hint=hint)
