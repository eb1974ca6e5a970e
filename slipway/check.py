"""`slipway check`: every finding about a solution, without building anything; its protos are compiled for that."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from shared import blueprint
from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, Severity, note, warning
from shared.solution import Solution
from slipway import source, terminal

# What the blueprint's reader has said already, in words of its own: a file that is not there, an edge to nowhere.
_SAID = ("proto-missing", "edge-dangling")
# A bundle is built all the same, so these are warnings here; the orchestrator takes them for errors.
_REFUSED = "the orchestrator refuses to start such a pipeline"


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; return 1 when one is an error (with `--strict`: or a warning)."""
    findings = everything(arguments.solution)
    if arguments.json:
        terminal.say(json.dumps(findings.to_json()))
    else:
        for finding in findings:
            terminal.say(str(finding))
        terminal.say(findings.header)
    return 1 if findings.errors or (arguments.strict and findings.warnings) else 0


def everything(solution: str) -> Findings:
    """Return what the blueprint's reader finds, then what its protos show."""
    try:
        files = source.read(solution)
    except InvalidSolutionError as refused:
        return refused.findings
    parsed = blueprint.parse(files)
    if parsed.solution is None or parsed.findings.errors or not parsed.solution.protos:
        return parsed.findings
    return parsed.findings + _about_protos(parsed.solution)


def _about_protos(solution: Solution) -> list[Finding]:
    """Plan the pipeline as its orchestrator would, at addresses that do not matter; compile a model's proto alone."""
    try:
        from orchestrator import graph
        from shared.protobuf import Compiler, Problem
    except ImportError:
        missing = "not installed: pip install 'slipway[orchestrator]'"
        return [note("protos-unread", "microservice", expected="the compiler of protos", found=missing)]
    readable = replace(
        solution, nodes=tuple(n for n in solution.nodes if n.name in solution.protos or not n.is_workload)
    )
    names = {node.name for node in readable.nodes}
    edges = tuple(edge for edge in solution.edges if edge.source in names and edge.target in names)
    wanted = [node.name for node in readable.workloads]
    addresses = {node.container_name.lower(): "127.0.0.1:1" for node in readable.nodes}
    compiled = Compiler().compile(solution.protos, wanted)
    if not solution.is_pipeline:
        return [
            warning("proto-invalid", f"microservice/{name}.proto", expected="the proto of the model", found=proto.text)
            for name, proto in compiled.items()
            if isinstance(proto, Problem)
        ]
    planned = graph.build(replace(readable, edges=edges), compiled, addresses)
    return [_as_warning(finding) for finding in planned.findings if finding.code not in _SAID]


def _as_warning(finding: Finding) -> Finding:
    if finding.severity is not Severity.ERROR:
        return finding
    return replace(finding, severity=Severity.WARNING, hint=finding.hint or _REFUSED)
