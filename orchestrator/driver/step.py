"""One operation at work between files: the orchestrator's own workers and queues, with files where others would be.

What a splitter or collator does to a message stands in the edge out of its source, as in a run: so an artifact holds
what its target reads.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from orchestrator import dead_letters, tally
from orchestrator.assembly import Assembly, RunOptions, assemble
from orchestrator.connections import Connections
from orchestrator.dead_letters import DeadLetters
from orchestrator.driver import artifacts
from orchestrator.driver.artifacts import Writer
from orchestrator.driver.edge_files import INPUT, OUTPUT, EdgeFiles
from orchestrator.driver.errors import RunFailedError
from orchestrator.plan import Edge, Operation, Part, Plan
from orchestrator.policies import EdgePolicy, OperationPolicy
from orchestrator.queues import EdgeQueue
from orchestrator.tracing_spans import Tracer
from orchestrator.worker import Worker
from shared.errors import SlipwayError
from shared.workflows.driver_calls import DIGEST_DIGITS

_LOG = structlog.get_logger()
_OWN = 0
"""The operation's place in the small plan."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a step has done."""

    calls: int
    retries: int
    read: int
    """Messages."""
    unread: int
    """Messages that found no partner at a collator, or were given up as the policy allows."""
    written: Mapping[str, int]
    """Messages by edge."""
    digest: str
    """Over all that was written, edge by edge, and what else was asked for: hexadecimal digits."""


class Step:
    """The step; `work` does it once. It is what its worker reports to."""

    watches_calls = False
    tracer: Tracer | None = None

    def __init__(self, plan: Plan, index: int, files: EdgeFiles, options: RunOptions, *, message_bytes: int) -> None:
        self._files = files
        self._message_bytes = message_bytes
        self._options = options
        self._small, self._feeders, self._takers = _cut_out(plan, index, files)
        self._dead_letters = DeadLetters(options.folder / dead_letters.FOLDER, options.disk)
        self._reason = ""
        self._stopped = asyncio.Event()

    async def work(self, connections: Connections, *, iterations: int, digested: Sequence[str] = ()) -> Done:
        """Read the files, make the calls, and write the files; they appear when all is well.

        `digested` is what the digest depends on beside the messages.

        Raises:
            RunFailedError: a message could not be delivered, in the words of the policy's last try, or not be written.
            InvalidRequestError: a file cannot be read, or not be made.
        """
        counts = tally.in_memory(len(self._small.edges))
        assembly = assemble(self._small, connections, self._options, self, counts, iterations=iterations)
        with ExitStack() as stack:
            writers = {
                place: stack.enter_context(Writer(self._files.outputs[edge])) for place, edge in self._takers.items()
            }
            await self._until_done(assembly, writers)
            for writer in writers.values():
                writer.commit()
            return self._done(assembly, writers, digested)

    async def _until_done(self, assembly: Assembly, writers: Mapping[int, Writer]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for place, writer in writers.items():
                    group.create_task(_collect(assembly.workers[place], writer))
                feeding = group.create_task(self._feed(assembly.workers[_OWN]))
                await self._serve(assembly, list(writers))
                feeding.cancel()
        except* SlipwayError as problems:
            raise problems.exceptions[0] from problems

    async def _serve(self, assembly: Assembly, takers: list[int]) -> None:
        """Let the worker work until it is done or says that it cannot go on."""
        work = asyncio.create_task(assembly.workers[_OWN].work())
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if self._reason:
                raise RunFailedError(self._reason)
            await work
        finally:
            work.cancel()
            stopped.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)
        for place in takers:
            assembly.workers[place].inbox.close()

    async def _feed(self, worker: Worker) -> None:
        """Put in what the files hold: one after the other, at a collator one of every edge side by side."""
        edges = dict(zip(self._feeders.values(), worker.inbox.edges, strict=True))
        parts = [(edges[index], path) for index, path in self._files.inputs]
        if worker.operation.part is Part.COLLATOR:
            await asyncio.gather(*(self._feed_edge(edge, parts) for edge in worker.inbox.edges))
        else:
            for queue, path in parts:
                await self._put(queue, path)
        worker.inbox.close()

    async def _feed_edge(self, edge: EdgeQueue, parts: Sequence[tuple[EdgeQueue, Path]]) -> None:
        for queue, path in parts:
            if queue is edge:
                await self._put(edge, path)
        edge.end()

    async def _put(self, queue: EdgeQueue, path: Path) -> None:
        for message in self._read(path):
            await queue.put(message, None)

    def _read(self, path: Path) -> Iterator[bytes]:
        return artifacts.read(path, most_bytes=self._message_bytes)

    def _done(self, assembly: Assembly, writers: Mapping[int, Writer], digested: Sequence[str]) -> Done:
        worker = assembly.workers[_OWN]
        account = tally.account([queue.counts for queue in worker.inbox.edges])
        names = {place: self._small.operations[place].key for place in writers}
        return Done(
            calls=worker.figures.calls,
            retries=worker.figures.retries,
            read=account.entered,
            unread=account.entered - account.delivered,
            written={names[place]: writer.messages for place, writer in writers.items()},
            digest=_digest({names[place]: writer.digest for place, writer in writers.items()}, digested),
        )

    # What the worker reports: see `worker.Reporter`.

    def called(self, operation: Operation, message: bytes) -> None:
        """Nobody watches single calls."""

    def answered(self, operation: Operation, message: bytes) -> None:
        """Nobody watches single answers."""

    def finished(self, operation: Operation) -> None:
        """Nobody watches single ends."""

    def failed(self, operation: Operation, reason: str, *, is_final: bool) -> None:
        """Log that a call failed."""
        _LOG.warning("call_failed", operation=operation.key, reason=reason, is_final=is_final)

    def stop(self, reason: str) -> None:
        """End as failed; the first reason counts."""
        self._reason = self._reason or reason
        self._stopped.set()

    def park(self, operation: Operation, edge: EdgeQueue, message: bytes, reason: str) -> None:
        """Keep a message that cannot be delivered."""
        file = self._dead_letters.park(edge.name, message)
        where = str(file) if file else ""
        _LOG.warning("message_parked", operation=operation.key, edge=edge.name, file=where, reason=reason)


def _digest(by_edge: Mapping[str, str], others: Sequence[str]) -> str:
    """Return one digest; the order on the command line does not matter."""
    text = json.dumps([sorted(by_edge.items()), sorted(others)])
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]


async def _collect(worker: Worker, writer: Writer) -> None:
    while (item := await worker.next()) is not None:
        edge, message, _ = item
        writer.write(message)
        edge.finish()


def _cut_out(plan: Plan, index: int, files: EdgeFiles) -> tuple[Plan, dict[int, int | None], dict[int, int | None]]:
    """Return the operation with its neighbours alone, and which edge each neighbour stands for: before it, behind it.

    Neighbours are made splitters: those run here and have no address. Files have room, so nothing overflows.
    """
    own = plan.operations[index]
    if own.part is Part.IDLE and files.inputs:
        own = replace(own, part=Part.CALL)
    operations, edges = [own], []
    feeders: dict[int, int | None] = {}
    takers: dict[int, int | None] = {}
    incoming = list(dict.fromkeys(edge for edge, _ in files.inputs))
    for edge in incoming:
        feeders[len(operations)] = edge
        edges.append(_edge(plan, edge, len(operations), _OWN))
        operations.append(_neighbour(plan, None if edge is None else plan.edges[edge].source, INPUT))
    for edge in files.outputs:
        takers[len(operations)] = edge
        edges.append(_edge(plan, edge, _OWN, len(operations)))
        operations.append(_neighbour(plan, None if edge is None else plan.edges[edge].target, OUTPUT))
    groups = tuple((place,) for place in range(len(operations)))
    return Plan(plan.name, tuple(operations), tuple(edges), groups), feeders, takers


def _edge(plan: Plan, edge: int | None, source: int, target: int) -> Edge:
    mapping = None if edge is None else plan.edges[edge].mapping
    return Edge(source, target, EdgePolicy(), mapping=mapping)


def _neighbour(plan: Plan, operation: int | None, word: str) -> Operation:
    if operation is None:
        return Operation(word, word, Part.SPLITTER, OperationPolicy())
    return replace(plan.operations[operation], part=Part.SPLITTER)
