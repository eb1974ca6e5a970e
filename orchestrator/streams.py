"""Operations that read a stream: client-streaming and bidirectional ones.

gRPC does not tell how much of a stream a node has read. While a stream lasts, the last messages written count as
unconfirmed (`window`); they are confirmed when the node ends the call after the stream's end, and redelivered or
dead-lettered, as the policy says, when the stream breaks. A node that answers after k messages without waiting for the
end is found out by starting slowly: the first messages go one at a time, so what it has read is known, and from
then on each call gets k.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from orchestrator.connections import EOF
from orchestrator.inbox import Context
from orchestrator.queues import EdgeQueue
from orchestrator.retrying import GaveUpError, Tries
from orchestrator.worker import Worker

if TYPE_CHECKING:
    from orchestrator.tracing_spans import StreamSpan

SLOW_START_MESSAGES = 20
PACE_SECONDS = 0.01
"""Between messages at the start: a node that answers early mostly does so within this time."""
BATCH_SECONDS = 1.0
"""How long a full batch waits for its answer before the stream goes on."""
WINDOW_BYTES = 2 << 20
WINDOW_MESSAGES = 10_000
WINDOW_SECONDS = 10.0
"""A node that reads has read what was written so long ago; what is younger may lie in the transport's buffers."""
_Written = tuple[EdgeQueue, bytes, Context]


@dataclass(slots=True)
class _Call:
    """One call while it lasts."""

    call: Any
    reader: asyncio.Task[None]
    span: StreamSpan | None = None
    written: int = 0
    unconfirmed: deque[_Written] = field(default_factory=deque)
    times: deque[float] = field(default_factory=deque)
    """When each of the unconfirmed was written."""
    unconfirmed_bytes: int = 0
    passed: Counter[EdgeQueue] = field(default_factory=Counter)
    """How many have left the replay window, by edge."""
    is_ended: bool = False
    """The stream was ended from our side."""
    is_known: bool = False
    """The node had time to answer since the last message: what it has read is known."""


@dataclass(slots=True)
class StreamWorker(Worker):
    """Writes messages into a stream that stays open, and passes on what comes back."""

    batch: int = 0
    """Messages after which the node was seen to answer; 0: none."""
    is_careful: bool = False
    """The node has answered early at an unknown place: never write fast again."""

    async def work(self) -> None:
        """Serve calls one after the other until nothing more can arrive."""
        tries = Tries(self.operation.policy)
        while await self._has_next():
            current = self._open()
            self._opened(+1)
            try:
                failure = await self._serve(current)
            finally:
                self._opened(-1)
                current.reader.cancel()
                current.call.cancel()
                if current.span is not None:
                    current.span.end()
            if failure is None:
                self._end_well(current)
                tries = Tries(self.operation.policy)
                continue
            if current.written > len(current.unconfirmed):
                tries = Tries(self.operation.policy)
            self._doubt(current)
            if not await self._recover(current, tries, failure):
                return

    async def _has_next(self) -> bool:
        while self.inbox.is_empty or self.inbox.is_paused:
            if self.inbox.is_over:
                return False
            await self.inbox.wait()
        return True

    def _open(self) -> _Call:
        self.inbox.is_flushing = False
        self.figures.calls += 1
        tracer = self.reporter.tracer
        span = None if tracer is None else tracer.stream(self.operation)
        metadata = None if span is None else span.metadata
        call = self.rpc(timeout=self.operation.policy.deadline_seconds or None, metadata=metadata)
        reader = asyncio.create_task(self._read(call, span))
        reader.add_done_callback(self._reader_ended)
        return _Call(call, reader, span)

    def _reader_ended(self, reader: asyncio.Task[None]) -> None:
        if not reader.cancelled():
            reader.exception()  # looked at here, for the case that the writer sees the failure first
        self.inbox.wake()

    def _opened(self, change: int) -> None:
        for group in {edge.group for edge in self.inbox.edges if edge.group is not None}:
            group.stream_opened() if change > 0 else group.stream_closed()

    async def _read(self, call: Any, span: StreamSpan | None) -> None:
        if not self.operation.output_stream:
            response = await call
            await self.distribute(response, None if span is None else span.receive(len(response)))
            return
        while (response := await call.read()) is not EOF:
            await self.distribute(response, None if span is None else span.receive(len(response)))

    async def _serve(self, current: _Call) -> grpc.aio.AioRpcError | None:
        """Write until the stream ends from either side; return how the call failed, or None."""
        try:
            while not current.reader.done():
                item = self.inbox.take()
                if item is not None:
                    await self._write(current, item)
                elif self.inbox.is_over or (self.inbox.is_flushing and self.inbox.is_empty):
                    await self._end(current)
                    break
                else:
                    await self.inbox.wait()
            await current.reader
        except grpc.aio.AioRpcError as failure:
            # What the node said before it failed is passed on first.
            await asyncio.wait([current.reader])
            if current.span is not None:
                current.span.failed(failure)
            return failure
        if current.span is not None:
            current.span.succeeded()
        if self.reporter.watches_calls:
            self.reporter.finished(self.operation)
        return None

    async def _write(self, current: _Call, item: _Written) -> None:
        edge, message, context = item
        payload = b"" if self.operation.is_trigger else message
        if self.reporter.watches_calls:
            self.reporter.called(self.operation, payload)
        current.unconfirmed.append(item)
        current.times.append(time.monotonic())
        current.unconfirmed_bytes += len(message)
        current.written += 1
        current.is_known = False
        edge.written()
        sending = None if current.span is None else current.span.send(context, len(payload))
        try:
            await current.call.write(payload)
        except asyncio.InvalidStateError:
            return  # the call has ended meanwhile; the reader knows how
        finally:
            if sending is not None:
                sending.end()
        self._confirm_old(current)
        await self._pace(current)

    def _confirm_old(self, current: _Call) -> None:
        young = time.monotonic() - WINDOW_SECONDS
        while len(current.unconfirmed) > 1 and (
            current.unconfirmed_bytes > WINDOW_BYTES
            or len(current.unconfirmed) > WINDOW_MESSAGES
            or (len(current.unconfirmed) > self.operation.policy.window and current.times[0] < young)
        ):
            edge, message, _ = current.unconfirmed.popleft()
            current.times.popleft()
            current.unconfirmed_bytes -= len(message)
            edge.confirm()
            current.passed[edge] += 1

    async def _pace(self, current: _Call) -> None:
        """Give the node time to answer where it may do so early."""
        limit = self.operation.policy.messages_per_call
        if limit and current.written >= limit:
            await self._end(current)
            await asyncio.wait([current.reader])
        elif current.written == self.batch:
            await asyncio.wait([current.reader], timeout=BATCH_SECONDS)
            current.is_known = current.reader.done()
        elif not self.batch and (self.is_careful or self._starts_slowly(current)):
            await asyncio.wait([current.reader], timeout=PACE_SECONDS)
            current.is_known = current.reader.done()

    def _starts_slowly(self, current: _Call) -> bool:
        return not self.operation.output_stream and self.figures.calls == 1 and current.written <= SLOW_START_MESSAGES

    async def _end(self, current: _Call) -> None:
        current.is_ended = True
        try:
            await current.call.done_writing()
        except asyncio.InvalidStateError:
            return  # the call has ended meanwhile

    def _end_well(self, current: _Call) -> None:
        """Settle a call that the node ended with success."""
        if current.is_ended or current.is_known or not current.unconfirmed:
            if not current.is_ended:
                self.batch = current.written
            for edge, _, _ in current.unconfirmed:
                edge.confirm()
            return
        self.batch = 0
        self.is_careful = True
        self._doubt(current)
        self.note_failure(f"answered early, {len(current.unconfirmed)} messages unconfirmed", is_final=False)
        self._settle_unconfirmed(current, "the node ended the stream early")

    def _doubt(self, current: _Call) -> None:
        """Count what had left the replay window of a stream that did not end as it should."""
        for edge, messages in current.passed.items():
            edge.doubt(messages)
        if current.passed:
            reason = (
                f"{current.passed.total()} messages had left the replay window: the node may not have used them all"
            )
            self.note_failure(reason, is_final=False)

    async def _recover(self, current: _Call, tries: Tries, failure: grpc.aio.AioRpcError) -> bool:
        """Settle a call that broke; return False when the run is over for this operation."""
        try:
            await self.retry(tries, failure)
        except GaveUpError as reason:
            if self.operation.policy.when_exhausted == "stop":
                self.reporter.stop(f"{self.operation.key}: {reason}")
                return False
            for edge, message, _ in current.unconfirmed:
                self.exhausted(edge, message, str(reason), was_written=True)
            return True
        self._settle_unconfirmed(current, str(failure.code().name))
        return True

    def _settle_unconfirmed(self, current: _Call, reason: str) -> None:
        if self.operation.policy.unconfirmed == "redeliver":
            for edge, message, context in reversed(current.unconfirmed):
                edge.put_back(message, context)
            return
        for edge, message, _ in current.unconfirmed:
            self.reporter.park(self.operation, edge, message, reason)
            edge.give_up(was_written=True)
