"""One run of a plan: watches its workers, and accounts for every message at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import structlog

from orchestrator import dead_letters, tally
from orchestrator.assembly import RunOptions, assemble
from orchestrator.connections import Connections
from orchestrator.dead_letters import DeadLetters
from orchestrator.ledger import Ledger
from orchestrator.narration import Narration
from orchestrator.plan import Operation, Part, Plan
from orchestrator.queues import EdgeQueue
from orchestrator.spill import DiskFullError
from orchestrator.tally import Account
from orchestrator.unary import SourceWorker
from orchestrator.worker import Worker

if TYPE_CHECKING:
    from orchestrator.tracing_spans import Tracer

_LOG = structlog.get_logger()
SOURCE_SECONDS = 1.0
"""What a draining run gives a source for the answer that it may be making."""


class State(StrEnum):
    """Where a run is; the last three are ends."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_end(self) -> bool:
        """Say whether nothing happens any more."""
        return self in {State.COMPLETED, State.STOPPED, State.FAILED}


class Run:
    """A run; `start` begins it, `ended` waits for its end. Everything happens on one event loop."""

    def __init__(
        self,
        label: str,
        plan: Plan,
        connections: Connections,
        options: RunOptions,
        *,
        narration: Narration,
        tracer: Tracer | None,
        ledger: Ledger,
        iterations: int,
        on_change: Callable[[Run], None],
    ) -> None:
        self.label = label
        self.plan = plan
        self.state = State.RUNNING
        self.reason = ""
        self.started_at = time.time()
        self.ended_at = 0.0
        self.watches_calls = False
        self.tracer = tracer
        self._narration = narration
        self._on_change = on_change
        self._ledger = ledger
        self._dead_letters = DeadLetters(options.folder / dead_letters.FOLDER, options.disk)
        self._stop = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._main: asyncio.Task[None] | None = None
        counts = ledger.begin(label, self.started_at, [plan.edge_name(edge) for edge in plan.edges])
        assembly = assemble(plan, connections, options, self, counts, iterations=iterations)
        self.workers, self.edges, self._groups = assembly.workers, assembly.edges, assembly.groups

    def start(self) -> None:
        """Begin."""
        for index, worker in enumerate(self.workers):
            if worker.operation.part is Part.IDLE:
                continue
            worker.figures.is_active = True
            if all(edge.is_ended for edge in worker.inbox.edges):
                worker.inbox.close()
            self._tasks[index] = asyncio.create_task(self._work(index, worker))
        watches = [asyncio.create_task(group.watch()) for group in set(self._groups.values())]
        self._main = asyncio.create_task(self._watch(watches))
        self.refresh()
        self._narration.run_started(self)
        self._on_change(self)

    async def _work(self, index: int, worker: Worker) -> None:
        self._narration.thread(self, worker.operation, "start")
        try:
            await worker.work()
        except asyncio.CancelledError:
            # A draining run cancels its sources: that is their end.
            if self.state is not State.DRAINING or worker.operation.part is not Part.SOURCE:
                raise
        except DiskFullError as problem:
            self.stop(f"{worker.operation.key}: {problem}")
        except Exception:  # noqa: BLE001 the one place: a defect of ours ends the run instead of hanging it
            _LOG.exception("worker_failed", operation=worker.operation.key, run=self.label)
            self.stop(f"{worker.operation.key}: internal error, see the orchestrator's log")
        finally:
            worker.figures.is_active = False
            self._narration.thread(self, worker.operation, "terminate")
            self._on_change(self)
        self._leave(index)

    def _leave(self, index: int) -> None:
        """Tell everybody downstream that this operation brings nothing more."""
        for edge in self.workers[index].outputs:
            edge.end()

    async def _watch(self, watches: list[asyncio.Task[None]]) -> None:
        tasks = list(self._tasks.values())
        stopped = asyncio.create_task(self._stop.wait())
        everything = asyncio.gather(*tasks, return_exceptions=True)
        ends: set[asyncio.Future[Any]] = {everything, stopped}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *watches, stopped):
                task.cancel()
            await asyncio.gather(everything, *watches, stopped, return_exceptions=True)
            self._end()

    def _end(self) -> None:
        if self.reason:
            self.state = State.FAILED
        elif self._stop.is_set() or self.state is State.DRAINING:
            self.state = State.STOPPED
        else:
            self.state = State.COMPLETED
        for edge in self.edges:
            edge.close()
        self.ended_at = time.time()
        self._narration.run_finished(self)
        self._ledger.end(self.label)
        self._on_change(self)

    async def ended(self) -> None:
        """Wait for the end; returns at once when it is there."""
        if self._main is not None:
            await asyncio.wait([self._main])

    async def cancel(self) -> None:
        """Stop at once; what is queued counts as undelivered."""
        self._stop.set()
        await self.ended()

    async def drain(self, grace_seconds: float) -> None:
        """Stop the sources, deliver what is in flight, and stop for good after the grace."""
        if not self.state.is_end:
            self.resume()
            self.state = State.DRAINING
            self._on_change(self)
            until = time.monotonic() + grace_seconds
            await self._stop_sources(min(grace_seconds, SOURCE_SECONDS))
            if self._main is not None:
                await asyncio.wait([self._main], timeout=max(0.0, until - time.monotonic()))
        await self.cancel()

    async def _stop_sources(self, seconds: float) -> None:
        sources: dict[asyncio.Task[None], SourceWorker] = {
            task: worker
            for index, task in self._tasks.items()
            if isinstance(worker := self.workers[index], SourceWorker) and not task.done()
        }
        for task, worker in sources.items():
            worker.is_stopping = True
            worker.inbox.wake()
            if worker.is_resting:
                task.cancel()
        if sources:
            await asyncio.wait(sources.keys(), timeout=seconds)
        for task, worker in sources.items():
            if worker.is_calling or not worker.outputs:
                task.cancel()

    def pause(self) -> None:
        """Hand out no further message; calls under way go on."""
        if self.state is State.RUNNING:
            self._set_paused(State.PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state is State.PAUSED:
            self._set_paused(State.RUNNING)

    def _set_paused(self, state: State) -> None:
        self.state = state
        for worker in self.workers:
            worker.inbox.is_paused = state is State.PAUSED
            worker.inbox.wake()
        self._on_change(self)

    @property
    def active_operations(self) -> int:
        """How many operations are alive: 0 after the end, and not before, because clients wait for the 0."""
        alive = sum(worker.figures.is_active for worker in self.workers)
        return 0 if self.state.is_end else max(1, alive)

    @property
    def account(self) -> Account:
        """What became of the messages so far; what is in an open stream is delivered, unless that breaks."""
        return tally.account([edge.counts for edge in self.edges], trusts_streams=True)

    def refresh(self) -> None:
        """Look again at what observers want to see."""
        self.watches_calls = self._narration.wants_calls()
        tap = self._narration.tap(self) if self._narration.wants_queues() else None
        for edge in self.edges:
            edge.tap = tap

    # What workers report: see `worker.Reporter`.

    def called(self, operation: Operation, message: bytes) -> None:
        """Tell who watches that a message goes to the node."""
        self._narration.called(self, operation, message)

    def answered(self, operation: Operation, message: bytes) -> None:
        """Tell who watches that a message came from the node."""
        self._narration.answered(self, operation, message)

    def finished(self, operation: Operation) -> None:
        """Tell who watches that a call ended well."""
        self._narration.finished(self, operation)

    def failed(self, operation: Operation, reason: str, *, is_final: bool) -> None:
        """Tell and log that a call failed."""
        self._narration.failed(self, operation, reason, is_final=is_final)

    def stop(self, reason: str) -> None:
        """End the run as failed; the first reason counts."""
        self.reason = self.reason or reason
        self._stop.set()

    def park(self, operation: Operation, edge: EdgeQueue, message: bytes, reason: str) -> None:
        """Keep on disk a message that cannot be delivered; it is counted either way."""
        file = self._dead_letters.park(edge.name, message)
        self._narration.parked(self, operation, edge.name, str(file.name) if file else "", reason)
