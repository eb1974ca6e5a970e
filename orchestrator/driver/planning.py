"""The plan of a pipeline whose nodes are where the command line says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from orchestrator import graph
from orchestrator.driver.pipeline_folder import PipelineFolder
from orchestrator.pipeline import report
from orchestrator.plan import Plan
from shared.errors import InvalidSolutionError, UsageError
from shared.findings import Findings
from shared.solution import Solution

_LOG = structlog.get_logger()
ELSEWHERE = "127.0.0.1:1"
"""For nodes that this driver does not call."""


def plan(folder: PipelineFolder, addresses: Mapping[str, str]) -> Plan:
    """Plan the pipeline, with `host:port` by node.

    Raises:
        InvalidSolutionError: it cannot run; with every reason.
    """
    known = folder.solution
    by_container = {known.node(name).container_name.lower(): address for name, address in addresses.items()}
    planned = graph.build(known, folder.protos, by_container | dict(addresses))
    found = Findings(tuple(dict.fromkeys((*folder.findings, *planned.findings))))
    if planned.plan is None:
        raise InvalidSolutionError(found)
    if found.warnings:
        _LOG.warning("pipeline_warnings", findings=report(found))
    return replace(planned.plan, name=known.name)


def called_nodes(solution: Solution) -> list[str]:
    """Return the nodes that have an address: workloads with operations."""
    return [node.name for node in solution.workloads if node.operations]


def named(solution: Solution, name: str) -> str:
    """Return the node that goes by this name, of the bundle or of the source.

    Raises:
        UsageError: there is none.
    """
    for node in solution.nodes:
        if name in {node.name, node.container_name}:
            return node.name
    known = ", ".join(node.name for node in solution.nodes)
    raise UsageError(f"--node: expected one of {known}, found {name[:100]!r}")
