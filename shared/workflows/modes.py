"""How a solution becomes a workflow, and why: each mode's obstacles, the mode chosen, and what it changes, as findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from shared.errors import InvalidOptionsError
from shared.findings import Finding, Findings, note, quoted, warning
from shared.solution import Node, Role, Solution
from shared.workflows.operations import OperationGraph

_REST = "rest"


class Mode(StrEnum):
    """How nodes and edges appear in a workflow."""

    STEPS = "steps"
    """A task for each operation, its node beside it; an artifact for each edge."""
    SERVICES = "services"
    """The nodes run as long as the run takes; the orchestrator moves the messages."""
    PERSISTENT = "persistent"
    """The workflow deploys the solution, waits until it is stopped, and removes it."""
    JOBS = "jobs"
    """A task for each node, which runs to completion; data travels through shared folders."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A mode and what there is to say about it."""

    mode: Mode
    findings: Findings


_NOTHING: Mapping[Mode, str] = MappingProxyType({})


def choose(
    solution: Solution,
    graph: OperationGraph,
    jobs: frozenset[str],
    wanted: str = "auto",
    lacking: Mapping[Mode, str] = _NOTHING,
) -> Chosen:
    """Choose the mode, or take the one that is `wanted`.

    Args:
        solution: the solution.
        graph: its operations.
        jobs: names of the nodes that run to completion.
        wanted: `auto`, or the name of a mode.
        lacking: why the engine does not have a mode, for each that it has not.

    Raises:
        InvalidOptionsError: the wanted mode cannot work, and why.
    """
    found = {**lacking, **obstacles(solution, graph, jobs)}
    if wanted == "auto":
        mode = _best(solution, graph, found)
        if called := _called_jobs(graph, jobs):
            raise InvalidOptionsError(f"options: nodes: expected jobs that nobody calls, found one: {called}")
        if mode in found:
            raise InvalidOptionsError(f"options: mode: expected a solution that can run, found {found[mode]}")
        return Chosen(mode, Findings((_reason(solution, graph, mode, found),)) + _changes(graph, mode))
    mode = Mode(wanted)
    if mode in found:
        raise InvalidOptionsError(f"options: mode: expected one that fits the solution, found {mode}: {found[mode]}")
    return Chosen(mode, Findings() + _changes(graph, mode))


def obstacles(solution: Solution, graph: OperationGraph, jobs: frozenset[str]) -> dict[Mode, str]:
    """Return why a mode cannot work, for each that cannot."""
    if not solution.workloads:
        return dict.fromkeys(Mode, "no node has a program of its own")
    found = {
        Mode.STEPS: _against_steps(solution, graph, jobs),
        Mode.SERVICES: _against_services(solution, graph, jobs),
        Mode.PERSISTENT: "",
        Mode.JOBS: _against_jobs(solution, graph),
    }
    return {mode: reason for mode, reason in found.items() if reason}


def _against_steps(solution: Solution, graph: OperationGraph, jobs: frozenset[str]) -> str:
    if not solution.is_pipeline:
        return "a model has no edges, and nothing that starts a run"
    if graph.streams:
        return f"{graph.streams[0].key} streams, and an artifact is there only when its task has ended"
    if graph.cycle:
        return f"the operations {' -> '.join(graph.cycle)} form a loop"
    if not graph.sources:
        return "nothing starts a run: no operation has an Empty input and no edge into it"
    return _odd_names(graph) or _called_jobs(graph, jobs)


def _against_services(solution: Solution, graph: OperationGraph, jobs: frozenset[str]) -> str:
    if all(node.name in jobs for node in solution.workloads):
        return "every node runs to completion, none is called"
    return _called_jobs(graph, jobs)


def _odd_names(graph: OperationGraph) -> str:
    odd = next((task for task in graph.tasks if not task.is_callable), None)
    return f"no rpc can be called {quoted(odd.operation)} ({odd.node})" if odd else ""


def _called_jobs(graph: OperationGraph, jobs: frozenset[str]) -> str:
    called = next((task.node for task in graph.tasks if task.node in jobs), None)
    return f"{called} is a job, and has operations that would be called" if called else ""


def _against_jobs(solution: Solution, graph: OperationGraph) -> str:
    if not solution.is_pipeline:
        return "a model serves, it does not run to completion"
    inner = next((node for node in solution.nodes if node.role in {Role.SPLITTER, Role.COLLATOR}), None)
    if inner is not None:
        return f"{inner.name} is a {inner.role}, which only handles messages, and between jobs there are none"
    if graph.node_cycle:
        return f"the nodes {' -> '.join(graph.node_cycle)} form a loop"
    return ""


def _best(solution: Solution, graph: OperationGraph, found: Mapping[Mode, str]) -> Mode:
    if Mode.JOBS not in found and (is_of_jobs(solution, graph) or Mode.SERVICES in found):
        return Mode.JOBS
    if Mode.SERVICES in found:
        return Mode.PERSISTENT
    return Mode.SERVICES if Mode.STEPS in found or graph.node_cycle else Mode.STEPS


def is_of_jobs(solution: Solution, graph: OperationGraph) -> bool:
    """Tell whether the blueprint only says which node follows which, so that nothing could be called."""
    has_proto = any(node.name in solution.protos for node in solution.workloads)
    says_messages = any(task.input.name or task.output.name for task in graph.tasks)
    return solution.is_pipeline and not has_proto and not says_messages


def kinds(solution: Solution) -> dict[str, Literal["service", "job"]]:
    """Return what each workload is taken for when its author has not said it, by name.

    A node that nobody calls may be a page to look at, which never ends; only where no node is called at all they must be
    jobs, for nothing else could happen.
    """
    workloads = solution.workloads
    has_calls = not solution.is_pipeline or any(each.operations for each in workloads)
    return {each.name: "service" if has_calls or _is_rest(each) else "job" for each in workloads}


def _is_rest(node: Node) -> bool:
    return node.node_type.strip().casefold() == _REST


def _reason(solution: Solution, graph: OperationGraph, mode: Mode, found: Mapping[Mode, str]) -> Finding:
    reasons = {
        Mode.STEPS: "no operation streams and no operations form a loop",
        Mode.SERVICES: found.get(Mode.STEPS) or f"the nodes {' -> '.join(graph.node_cycle)} call each other in turn",
        Mode.PERSISTENT: found.get(Mode.SERVICES, ""),
        Mode.JOBS: "no message is known that could travel between the nodes"
        if is_of_jobs(solution, graph)
        else found.get(Mode.SERVICES, ""),
    }
    hint = "option mode chooses another"
    return note("workflow-mode", "$", expected="a mode for this graph", found=f"{mode}: {reasons[mode]}", hint=hint)


def _changes(graph: OperationGraph, mode: Mode) -> Iterator[Finding]:
    """Yield what is different from a deployment that keeps every node running."""
    if mode is Mode.STEPS:
        for node, tasks in graph.running.sharing.items():
            yield warning(
                "operations-share-state",
                f"$.nodes[{node}]",
                expected="one operation for each node, or operations that do not know of each other",
                found=f"{len(tasks)} operations, each of which gets a node of its own",
                hint="if they share what only a process knows, choose mode services",
            )
        running = {task.key for task in graph.running.tasks}
        for task in graph.tasks:
            if task.key not in running:
                yield warning(
                    "operation-idle",
                    f"$.nodes[{task.node}]",
                    expected="an edge into the operation",
                    found=f"none that a run comes along into {quoted(task.key)}: it is no task",
                )
    if mode is Mode.SERVICES and graph.tasks and not graph.sources:
        yield warning(
            "nothing-starts",
            "$.nodes",
            expected="an operation with an Empty input, and no edge into it",
            found="none that starts a run: it would end at once, without a call",
            hint="choose mode persistent, and call the nodes from outside",
        )
    if mode is Mode.JOBS and graph.tasks:
        yield warning(
            "operations-not-called",
            "$.nodes",
            expected="messages along the edges",
            found="jobs: edges say which node runs after which, nothing more",
            hint="data travels through shared folders; modes steps and services call the operations",
        )
