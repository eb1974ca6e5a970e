"""Builds what a run consists of: a worker per operation, a queue per edge, and a group per cycle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator import tally
from orchestrator.budget import Budget
from orchestrator.connections import Connections
from orchestrator.groups import Group
from orchestrator.inbox import Inbox
from orchestrator.internal import CollatorWorker, SplitterWorker
from orchestrator.plan import Operation, Part, Plan
from orchestrator.queues import Bounds, EdgeQueue
from orchestrator.spill import Spill
from orchestrator.streams import StreamWorker
from orchestrator.tally import Counts
from orchestrator.unary import CallWorker, SourceWorker
from orchestrator.worker import Reporter, Worker


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What every run of an orchestrator is made with."""

    queue_messages: int
    queue_bytes: int
    deadline_seconds: float
    """Of a unary call whose policy says nothing; 0: none."""
    folder: Path
    """For messages on disk."""
    memory: Budget
    disk: Budget


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts of a run, by the indices of the plan."""

    workers: list[Worker]
    edges: list[EdgeQueue]
    groups: dict[int, Group]
    """By operation, for those that are in a cycle."""


def assemble(
    plan: Plan, connections: Connections, options: RunOptions, reporter: Reporter, counts: Counts, *, iterations: int
) -> Assembly:
    """Build the parts and connect them; `counts` has the numbers of every edge of the plan."""
    workers = [_worker(operation, connections, options, reporter, iterations) for operation in plan.operations]
    edges = _connect(plan, workers, options, counts)
    groups = _group(plan, workers)
    _mark(plan, edges, groups)
    return Assembly(workers, edges, groups)


def _worker(
    operation: Operation, connections: Connections, options: RunOptions, reporter: Reporter, iterations: int
) -> Worker:
    inbox = Inbox()
    if operation.part is Part.SPLITTER:
        return SplitterWorker(operation, None, inbox, reporter, None)
    if operation.part is Part.COLLATOR:
        inbox.joins = True
        return CollatorWorker(operation, None, inbox, reporter, None)
    rpc = connections.rpc(operation)
    deadline = operation.policy.deadline_seconds
    seconds = (options.deadline_seconds if deadline is None else deadline) or None
    if operation.part is Part.SOURCE:
        return SourceWorker(operation, rpc, inbox, reporter, seconds, iterations=iterations)
    kind = StreamWorker if operation.input_stream else CallWorker
    return kind(operation, rpc, inbox, reporter, seconds)


def _connect(plan: Plan, workers: Sequence[Worker], options: RunOptions, counts: Counts) -> list[EdgeQueue]:
    edges = []
    for edge, numbers in zip(plan.edges, tally.split(counts), strict=True):
        spill = Spill(options.folder, options.disk) if edge.spills and edge.policy.overflow == "wait" else None
        messages = edge.policy.queue or options.queue_messages
        bounds = Bounds(messages, options.queue_bytes, edge.policy.overflow)
        inbox = workers[edge.target].inbox
        queue = EdgeQueue(plan.edge_name(edge), inbox, bounds, options.memory, spill, counts=numbers)
        queue.mapping = edge.mapping
        queue.is_patient = not edge.closes_cycle
        inbox.edges.append(queue)
        workers[edge.source].outputs.append(queue)
        edges.append(queue)
    return edges


def _group(plan: Plan, workers: Sequence[Worker]) -> dict[int, Group]:
    """Join the operations of each cycle."""
    loops = {edge.source for edge in plan.edges if edge.source == edge.target}
    groups: dict[int, Group] = {}
    for members in plan.groups:
        if len(members) > 1 or members[0] in loops:
            group = Group()
            groups |= dict.fromkeys(members, group)
            for member in members:
                group.join(workers[member].inbox)
    return groups


def _mark(plan: Plan, edges: Sequence[EdgeQueue], groups: dict[int, Group]) -> None:
    """Tell each edge of its cycle, each cycle of the edges into it, and which edges never bring anything."""
    for edge, queue in zip(plan.edges, edges, strict=True):
        queue.is_ended = plan.operations[edge.source].part is Part.IDLE
        group = queue.group = groups.get(edge.target)
        if group is not None:
            queue.is_inner = groups.get(edge.source) is group
            (group.inner if queue.is_inner else group.outer).append(queue)
