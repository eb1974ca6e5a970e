"""A bundle and the table of images in, what to run out: pure, and with a finding for everything that is not run as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from playground.runtime.process import manifests
from playground.runtime.process.images import Program, Table
from playground.runtime.process.manifests import Workload
from shared import blueprint, findings, solution_folder
from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, quoted
from shared.solution import ORCHESTRATOR, Node, Role, SharedFolder, Solution

_SHOWN_IMAGES = 8
_OWN = frozenset({"HOST", "PORT", "WEB_UI_PORT"})
_TOLD_BY_US = frozenset({"SLIPWAY_PIPELINE_DIRECTORY", "SLIPWAY_AUTOSTART"})
"""What a bundle tells its orchestrator and we tell it ourselves."""


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """One process of a deployment."""

    name: str
    container_name: str
    """As the bundle's blueprint calls it."""
    image: str
    program: Program
    is_job: bool
    """It works once and ends."""
    is_called: bool
    """It has operations: it is ready when it takes calls."""
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """All processes of a deployment."""

    nodes: tuple[PlannedNode, ...]
    folders: tuple[SharedFolder, ...]
    orchestrator_image: str | None
    """None: a model, which needs no orchestrator. The image is only shown."""
    runs_at_start: bool
    findings: Findings


def made(files: Mapping[str, bytes], table: Table) -> Plan:
    """Return the plan for a bundle's files.

    Raises:
        InvalidSolutionError: it is no solution, or needs an image that is not in the table.
    """
    parsed = blueprint.parse(solution_folder.from_files(files))
    solution = parsed.solution
    if solution is None or parsed.findings.errors:
        raise InvalidSolutionError(parsed.findings)
    workloads = manifests.workloads(files)
    refused = Findings(tuple(_refusals(solution, workloads, table)))
    if refused.errors:
        raise InvalidSolutionError(refused)
    own = workloads.get(ORCHESTRATOR)
    return Plan(
        nodes=tuple(_planned(solution, node, _of(workloads, solution, node), table) for node in solution.workloads),
        folders=solution.shared_folders,
        orchestrator_image=(own.image if own else ORCHESTRATOR) if solution.is_pipeline else None,
        runs_at_start=own is None or own.environment.get("SLIPWAY_AUTOSTART") != "false",
        findings=Findings(tuple(_left_out(solution, workloads, table))),
    )


def _refusals(solution: Solution, workloads: Mapping[str, Workload], table: Table) -> Iterator[Finding]:
    known = sorted(table.images)
    shown = ", ".join(known[:_SHOWN_IMAGES]) + (", …" if len(known) > _SHOWN_IMAGES else "")
    hint = "this playground has no cluster: it runs only the programs that its operator lists"
    for index, node in enumerate(solution.nodes):
        workload = _of(workloads, solution, node)
        image, path = _image(node, workload), workload.path if workload else f"$.nodes[{index}].image"
        if node.role is Role.PROBE or (node.is_workload and image not in table.images):
            found = f"{quoted(image)} of node {node.name}"
            expected = f"an image that this playground knows ({shown or 'it knows none'})"
            yield findings.error("image-unknown", path, expected=expected, found=found, hint=hint)


def _planned(solution: Solution, node: Node, workload: Workload | None, table: Table) -> PlannedNode:
    image = _image(node, workload)
    program = table.images[image]
    told = workload.environment if workload else {}
    is_job = workload is not None and workload.is_job
    return PlannedNode(
        name=node.name,
        container_name=node.container_name,
        image=image,
        program=program,
        is_job=is_job,
        is_called=not is_job and (bool(node.operations) or not solution.is_pipeline),
        environment={name: value for name, value in told.items() if value is not None and name in program.environment},
    )


def _left_out(solution: Solution, workloads: Mapping[str, Workload], table: Table) -> Iterator[Finding]:
    """Say what of the manifests has no effect here."""
    nodes = {id(workload): node for node in solution.workloads if (workload := _of(workloads, solution, node))}
    folders = {folder.variable for folder in solution.shared_folders}
    for workload in workloads.values():
        node = nodes.get(id(workload))
        if node is None and workload.name != ORCHESTRATOR:
            expected = "workloads of the blueprint's nodes only"
            yield findings.warning("workload-left-out", workload.path, expected=expected, found=quoted(workload.name))
            continue
        known = set(table.images[_image(node, workload)].environment) if node else _TOLD_BY_US
        for name, value in workload.environment.items():
            if value is None or name not in known | folders | _OWN:
                yield _variable_left_out(workload.path, name, known)


def _variable_left_out(path: str, name: str, known: set[str] | frozenset[str]) -> Finding:
    expected = f"plain values of the variables that the program takes ({', '.join(sorted(known)) or 'none'})"
    return findings.warning("variable-left-out", path, expected=expected, found=quoted(name))


def _image(node: Node, workload: Workload | None) -> str:
    """Return what a cluster would run: the manifests decide, and the blueprint for a node that has none."""
    return workload.image if workload and workload.image else str(node.image)


def _of(workloads: Mapping[str, Workload], solution: Solution, node: Node) -> Workload | None:
    if not solution.is_pipeline and len(workloads) == 1:
        return next(iter(workloads.values()))
    return workloads.get(node.name)
