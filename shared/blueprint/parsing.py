"""From the bytes of a solution to the model, with everything there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.blueprint import model, pipeline
from shared.blueprint.collector import Collector
from shared.findings import Findings
from shared.solution import Solution, SolutionFiles


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read, and all findings."""

    solution: Solution | None
    """None only when nothing could be read. With an error among the findings it may lack nodes and edges."""
    findings: Findings


def parse(files: SolutionFiles) -> Parsed:
    """Read a pipeline or a model; never raises, whatever the bytes are."""
    findings = Collector()
    if files.blueprint is not None:
        solution = pipeline.read(files, files.blueprint, findings)
    elif files.model_image is not None:
        solution = model.read(files, files.model_image, findings)
    else:
        solution = None
        findings.error("solution-empty", "$", expected="a blueprint, or the image of a model", found="neither")
    return Parsed(solution, findings.gathered() + files.findings)
