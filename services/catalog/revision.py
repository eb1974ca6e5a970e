"""A stored revision as the catalog shows and serves it: the model, the findings, and the artifacts that CDS lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.catalog import proto_places
from services.catalog.claims import Kind
from shared import blueprint
from shared.blueprint.uris import proto_uris
from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, error, warning
from shared.solution import Ids, Solution, SolutionFiles
from shared.solution_folder import from_files

GROUP = "org/acumos"  # where a marketplace keeps artifacts; deployers compare the solution id behind it


@dataclass(frozen=True, slots=True)
class Artifact:
    """One entry of CDS's list."""

    type_code: str
    name: str
    description: str
    uri: str
    size: int
    """Bytes; -1 for an image, which lies elsewhere."""


@dataclass(frozen=True)
class Revision:
    """Everything that follows from the files of a revision."""

    ids: Ids
    files: SolutionFiles
    solution: Solution
    findings: Findings
    published: Mapping[str, bytes]
    """What Nexus answers: uri → content."""
    artifacts: tuple[Artifact, ...]

    @property
    def kind(self) -> Kind:
        """What it is to CDS."""
        return "pipeline" if self.solution.is_pipeline else "model"

    @property
    def name(self) -> str:
        """The solution's name, for people."""
        return self.files.name or self.solution.name

    @property
    def weight(self) -> int:
        """Bytes that it holds, roughly."""
        icon = self.files.attachments.icon or b""
        protos = sum(map(len, self.files.protos.values()))
        # The values made from a blueprint take about ten times its bytes.
        return 12 * len(self.files.blueprint or b"") + 2 * protos + len(icon) + sum(map(len, self.published.values()))


def read(ids: Ids, files: Mapping[str, bytes]) -> Revision:
    """Return the revision that these files are. Error findings are no obstacle: they are shown.

    Raises:
        InvalidSolutionError: the files are no solution at all.
    """
    found = from_files(files, ids=ids)
    parsed = blueprint.parse(found)
    if parsed.solution is None:
        raise InvalidSolutionError(parsed.findings)
    findings = parsed.findings + _not_served(parsed.solution)
    if found.blueprint is not None:
        published, artifacts = _pipeline(ids, found.blueprint, parsed.solution)
    else:
        published, artifacts = _model(ids, found, parsed.solution)
    return Revision(ids, found, parsed.solution, findings, published, artifacts)


def _not_served(solution: Solution) -> list[Finding]:
    """Say which protos no deployer will get: a marketplace keeps one for each node, and none beside them."""
    own = {node.name for node in solution.nodes}
    return [
        warning(
            "proto-import-not-served",
            f"microservice/{stem}.proto",
            expected="protos without imports of each other",
            found="a proto that others import",
            hint="copy its messages into the protos that import it",
        )
        for stem in solution.protos
        if stem not in own
    ]


def _pipeline(ids: Ids, data: bytes, solution: Solution) -> tuple[dict[str, bytes], tuple[Artifact, ...]]:
    """Publish the blueprint, and the proto of each node at the place that the blueprint then names."""
    places = {
        node.container_name: _uri(ids, f"microservice/{node.name}.proto")
        for node in solution.nodes
        if node.name in solution.protos
    }
    # A node without a proto that names a place is led to one where nothing is, instead of to a stranger's proto.
    nowhere = _uri(ids, "none.proto")
    moved = proto_places.moved(data, lambda name, is_named: places.get(name, nowhere if is_named else None))
    if not set(proto_uris(moved).values()) <= {*places.values(), nowhere}:
        finding = error(
            "proto-uri-unclear", "$.nodes", expected="nodes whose proto_uri can be set", found="one that cannot"
        )
        raise InvalidSolutionError(Findings((finding,)))
    uri = _uri(ids, "blueprint.json")
    protos = {
        place: solution.protos[node.name] for node in solution.nodes if (place := places.get(node.container_name))
    }
    artifact = Artifact("BP", f"BluePrint-{ids.solution_id}", f"Blueprint of {solution.name}", uri, len(moved))
    return {uri: moved, **protos}, (artifact,)


def _model(ids: Ids, files: SolutionFiles, solution: Solution) -> tuple[dict[str, bytes], tuple[Artifact, ...]]:
    """Publish the model's proto; its image is named, not kept."""
    (node,) = solution.nodes
    image = Artifact("DI", node.name, files.model_image or "", files.model_image or "", -1)
    proto = solution.protos.get(node.name)
    if proto is None:
        return {}, (image,)
    uri = _uri(ids, f"microservice/{node.name}.proto")
    return {uri: proto}, (image, Artifact("MI", f"{node.name}.proto", f"{node.name}.proto", uri, len(proto)))


def _uri(ids: Ids, path: str) -> str:
    return f"{GROUP}/{ids.solution_id}/{ids.revision_id}/{path}"
