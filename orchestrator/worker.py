"""What every operation at work has: its inbox, its outputs, its figures, and a way to report."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import grpc.aio

from orchestrator import retrying
from orchestrator.inbox import Context, Inbox
from orchestrator.plan import Operation
from orchestrator.queues import EdgeQueue
from orchestrator.retrying import GaveUpError, Tries
from orchestrator.wire import WireError

if TYPE_CHECKING:
    from orchestrator.tracing_spans import Tracer

_SMOOTHING = 0.05
"""Weight of the newest call in the mean latency: about the last 20 calls count."""


@dataclass(slots=True)
class OperationFigures:
    """What an operation has done; plain numbers that metrics and statistics read when asked."""

    calls: int = 0
    failures: int = 0
    retries: int = 0
    latency_seconds: float = 0.0
    last_error: str = ""
    parked: int = 0
    is_active: bool = False

    def answered(self, seconds: float) -> None:
        """Count an answered unary call."""
        if self.latency_seconds == 0:
            self.latency_seconds = seconds
        else:
            self.latency_seconds += _SMOOTHING * (seconds - self.latency_seconds)


class Reporter(Protocol):
    """Where a worker reports what a person or a program may want to know."""

    watches_calls: bool
    """Somebody wants to see single messages."""
    tracer: Tracer | None
    """Makes spans; None unless traces are switched on."""

    def called(self, operation: Operation, message: bytes) -> None:
        """Report a message that goes to the node."""

    def answered(self, operation: Operation, message: bytes) -> None:
        """Report a message that came from the node."""

    def finished(self, operation: Operation) -> None:
        """Report a call that ended well."""

    def failed(self, operation: Operation, reason: str, *, is_final: bool) -> None:
        """Report a call that failed."""

    def stop(self, reason: str) -> None:
        """End the run as failed."""

    def park(self, operation: Operation, edge: EdgeQueue, message: bytes, reason: str) -> None:
        """Keep on disk a message that cannot be delivered."""


@dataclass(slots=True)
class Worker:
    """One operation at work in one run."""

    operation: Operation
    rpc: Any
    """grpcio's callable; None for what runs here."""
    inbox: Inbox
    reporter: Reporter
    deadline: float | None
    """Seconds of one call."""
    outputs: list[EdgeQueue] = field(default_factory=list)
    figures: OperationFigures = field(default_factory=OperationFigures)

    async def work(self) -> None:
        """Serve until nothing more can arrive."""
        raise NotImplementedError

    async def distribute(self, message: bytes, context: Context) -> None:
        """Put the message on every edge that leaves; returns when the last has room for it."""
        if self.reporter.watches_calls:
            self.reporter.answered(self.operation, message)
        for edge in self.outputs:
            part = message if edge.mapping is None else self._mapped(edge, message)
            if part is not None and not edge.offer(part, context):
                await edge.put(part, context)

    def _mapped(self, edge: EdgeQueue, message: bytes) -> bytes | None:
        assert edge.mapping is not None  # noqa: S101 the caller has looked
        try:
            return edge.mapping.apply(message)
        except WireError as problem:
            edge.refuse(len(message))
            self.note_failure(f"{edge.name}: {problem}", is_final=True)
            return None

    async def next(self) -> tuple[EdgeQueue, bytes, Context] | None:
        """Return the next message, or None when there will be none."""
        while True:
            item = self.inbox.take()
            if item is not None:
                return item
            if self.inbox.is_over:
                return None
            await self.inbox.wait()

    async def retry(self, tries: Tries, failure: grpc.aio.AioRpcError) -> None:
        """Wait until the next try.

        Raises:
            GaveUpError: there is none.
        """
        try:
            delay = tries.delay(failure)
        except GaveUpError as reason:
            self.note_failure(str(reason), is_final=True)
            raise
        self.note_failure(retrying.describe(failure), is_final=False)
        self.figures.retries += 1
        await asyncio.sleep(delay)

    def note_failure(self, reason: str, *, is_final: bool) -> None:
        """Count and report a failure."""
        self.figures.failures += 1
        self.figures.last_error = reason
        self.reporter.failed(self.operation, reason, is_final=is_final)

    def exhausted(self, edge: EdgeQueue, message: bytes, reason: str, *, was_written: bool = False) -> None:
        """Do with a message that cannot be delivered what the policy says."""
        choice = self.operation.policy.when_exhausted
        if choice == "stop":
            self.reporter.stop(f"{self.operation.key}: {reason}")
            return
        if choice == "park":
            self.reporter.park(self.operation, edge, message, reason)
            self.figures.parked += 1
        edge.give_up(was_written=was_written)

    def clock(self) -> float:
        """Return seconds for measuring durations."""
        return time.perf_counter()
