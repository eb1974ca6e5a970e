"""The graph of a solution per operation: what can be called, what its output feeds, what starts a run and what loops.

Nodes that call each other back and forth are often no loop of operations: then a workflow can still run in steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from shared import naming
from shared.solution import Message, Role, Solution

# What protoc takes for the name of an rpc; nothing else can be called, or stand in the arguments of a program.
_RPC = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Edge:
    """Operation output → operation input; the names are those of `Task.key`."""

    source: str
    target: str

    @property
    def artifact(self) -> str:
        """Readable name of what travels: file names and documents show it."""
        return f"{self.source}-to-{self.target}"


@dataclass(frozen=True, slots=True)
class Task:
    """One operation of one node. The path of its rpc is in the descriptors that travel along; nobody else needs it."""

    node: str
    operation: str
    role: Role
    input: Message
    output: Message

    @property
    def key(self) -> str:
        """`node.operation`: what identifies it everywhere, also on the driver's command line."""
        return f"{self.node}.{self.operation}"

    @property
    def streams(self) -> bool:
        """Whether one of its ends is a stream."""
        return self.input.stream or self.output.stream

    @property
    def is_callable(self) -> bool:
        """Whether its name can be that of an rpc."""
        return _RPC.fullmatch(self.operation) is not None


@dataclass(frozen=True)
class OperationGraph:
    """All operations of a solution, in the order of the blueprint, and the edges between them, each once."""

    tasks: tuple[Task, ...]
    edges: tuple[Edge, ...]

    def incoming(self, task: Task) -> tuple[Edge, ...]:
        """Return the edges into a task."""
        return tuple(edge for edge in self.edges if edge.target == task.key)

    def outgoing(self, task: Task) -> tuple[Edge, ...]:
        """Return the edges out of a task."""
        return tuple(edge for edge in self.edges if edge.source == task.key)

    @property
    def sources(self) -> tuple[Task, ...]:
        """The tasks that start a run: nothing feeds them, and they need nothing, as far as the blueprint says."""
        fed = {edge.target for edge in self.edges}
        return tuple(
            task
            for task in self.tasks
            if task.key not in fed and task.role is Role.WORKLOAD and (task.input.is_empty or not task.input.name)
        )

    @property
    def sinks(self) -> tuple[Task, ...]:
        """The tasks whose output goes nowhere."""
        feeding = {edge.source for edge in self.edges}
        return tuple(task for task in self.tasks if task.key not in feeding)

    @cached_property
    def running(self) -> OperationGraph:
        """What a run reaches from its sources. The rest is never called, by the orchestrator neither."""
        reached = _reached([task.key for task in self.sources], self.edges)
        return OperationGraph(
            tuple(task for task in self.tasks if task.key in reached),
            tuple(edge for edge in self.edges if edge.source in reached),
        )

    @property
    def cycle(self) -> tuple[str, ...]:
        """One loop of operations, by key, its first one again at the end; empty where there is none."""
        return cycle((edge.source, edge.target) for edge in self.edges)

    @property
    def node_cycle(self) -> tuple[str, ...]:
        """One loop of different nodes, by name; empty where there is none."""
        nodes = {task.key: task.node for task in self.tasks}
        pairs = ((nodes[edge.source], nodes[edge.target]) for edge in self.edges)
        return cycle((source, target) for source, target in pairs if source != target)

    @property
    def streams(self) -> tuple[Task, ...]:
        """The tasks with a stream."""
        return tuple(task for task in self.tasks if task.streams)

    @property
    def sharing(self) -> dict[str, tuple[Task, ...]]:
        """The nodes with several operations, which may share state that only one process has."""
        by_node: dict[str, tuple[Task, ...]] = {}
        for task in self.tasks:
            if task.role is Role.WORKLOAD:
                by_node[task.node] = (*by_node.get(task.node, ()), task)
        return {node: tasks for node, tasks in by_node.items() if len(tasks) > 1}


def graph(solution: Solution) -> OperationGraph:
    """Return the graph of a pipeline; of a model, whose operations only its proto knows, an empty one."""
    tasks = tuple(
        Task(node.name, operation.name, node.role, operation.input, operation.output)
        for node in solution.nodes
        if node.role is not Role.PROBE
        for operation in node.operations
    )
    known = {task.key for task in tasks}
    edges = (
        Edge(f"{edge.source}.{edge.source_operation}", f"{edge.target}.{edge.target_operation}")
        for edge in solution.edges
    )
    return OperationGraph(tasks, tuple(dict.fromkeys(edge for edge in edges if {edge.source, edge.target} <= known)))


def names(tasks: Iterable[Task], *, reserved: frozenset[str]) -> dict[str, str]:
    """Return key → name of every task: a label of at most 52 characters, unique, the same whatever the order."""
    keys = {task.key: f"{task.node}-{task.operation}" if task.is_callable else task.key for task in tasks}
    labels = dict(zip(keys, naming.node_names(list(keys.values())), strict=True))
    return distinct(labels, reserved=reserved)


def distinct(labels: Mapping[str, str], *, reserved: frozenset[str]) -> dict[str, str]:
    """Return the same names, with a hash at those that are `reserved`; `labels` are different from each other."""
    taken = {*labels.values(), *reserved}
    return {key: label if label not in reserved else _free(label, taken) for key, label in labels.items()}


def cycle(edges: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return one loop of a graph, its first vertex again at the end; empty where there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for source, target in edges:
        sorter.add(target, source)
    try:
        sorter.prepare()
    except CycleError as found:
        loop: list[str] = found.args[1]
        return tuple(loop)
    return ()


def _reached(starts: Sequence[str], edges: Sequence[Edge]) -> set[str]:
    following: dict[str, list[str]] = {}
    for edge in edges:
        following.setdefault(edge.source, []).append(edge.target)
    reached, waiting = set(starts), list(starts)
    while waiting:
        fresh = [key for key in following.get(waiting.pop(), ()) if key not in reached]
        reached.update(fresh)
        waiting.extend(fresh)
    return reached


def _free(label: str, taken: set[str]) -> str:
    number = 0
    while (name := naming.label(f"{label}\0{number}", limit=naming.NAME_LIMIT)) in taken:
        number += 1
    return name
