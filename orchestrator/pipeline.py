"""From what a client or a folder brings to a plan: parse, compile, resolve, connect; every finding at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestrator import addresses, graph
from orchestrator.addresses import HostRule
from orchestrator.plan import Plan
from shared import blueprint
from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, Severity
from shared.protobuf import Compiler
from shared.solution import Solution, SolutionFiles

MAX_TOLD = 200
"""Findings in an answer: a client of gRPC takes 4 MiB by default, and would see none of a longer one."""
# Of the blueprint's findings, these concern images, volumes and files that the orchestrator does not need.
_FOREIGN = ("image-", "mount-", "proto-", "protos-", "attachment-", "training-")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What initialises an orchestrator."""

    blueprint: bytes
    dockerinfo: str
    protos: Mapping[str, bytes]
    """By file name: `<container_name>.proto`."""
    queuesize: int = 0
    iterations: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and the warnings about it."""

    plan: Plan
    findings: Findings


def prepare(configuration: Configuration, rule: HostRule, compiler: Compiler) -> Prepared:
    """Plan the pipeline. Runs protoc: takes up to its time limit.

    Raises:
        InvalidSolutionError: with all findings, when one is an error.
    """
    protos = {stem(name): content for name, content in configuration.protos.items()}
    parsed = blueprint.parse(SolutionFiles(name="", blueprint=configuration.blueprint, protos=protos))
    found = [finding for finding in parsed.findings if not finding.code.startswith(_FOREIGN)]
    if parsed.solution is None:
        raise InvalidSolutionError(Findings(tuple(found)))
    hosts, wrong = addresses.read(configuration.dockerinfo, rule)
    planned = _plan(parsed.solution, protos, hosts, compiler)
    everything = Findings(tuple(dict.fromkeys((*found, *wrong, *planned.findings))))
    if planned.plan is None or everything.errors:
        raise InvalidSolutionError(everything)
    return Prepared(planned.plan, everything)


def _plan(
    solution: Solution, protos: Mapping[str, bytes], hosts: Mapping[str, str], compiler: Compiler
) -> graph.Planned:
    # The files as given beside the model's: an import may name one in a folder, which no bundle carries.
    everything = {**protos, **solution.protos}
    wanted = [node.name for node in solution.workloads if node.operations and node.name in everything]
    return graph.build(solution, compiler.compile(everything, wanted), hosts)


def stem(name: str) -> str:
    """Return the stem of a proto's file name; clients send `a.proto`, old ones `microservice/a.proto`."""
    return PurePosixPath(name).name.removesuffix(".proto")


def report(findings: Findings) -> str:
    """Return the findings as text, errors first; notes, and more than anybody reads, are left out."""
    order = list(Severity)
    ranked: list[Finding] = sorted(findings, key=lambda finding: order.index(finding.severity))
    lines = [str(finding) for finding in ranked if finding.severity is not Severity.NOTE]
    if len(lines) > MAX_TOLD:
        lines[MAX_TOLD:] = [f"… and {len(lines) - MAX_TOLD} more"]
    return "\n".join(lines)
