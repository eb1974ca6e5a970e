"""Operations that take one message per call: unary and server-streaming ones, and the sources among them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio

from orchestrator.connections import EOF, answered
from orchestrator.inbox import Context
from orchestrator.queues import EdgeQueue
from orchestrator.retrying import END_OF_DATA, GaveUpError, Tries
from orchestrator.tracing import UNTRACED
from orchestrator.worker import Worker

if TYPE_CHECKING:
    from orchestrator.tracing_spans import CallSpan, StreamSpan

_IDLE_SOURCE_SECONDS = 1.0
"""Between two calls of a source that no edge leaves: nobody holds it back."""
_Rested = TypeVar("_Rested")
_Item = tuple[EdgeQueue, bytes, Context]
_Pending = tuple[EdgeQueue, asyncio.Task[tuple[bytes, Context] | None]]


class _Stopped(Exception):  # noqa: N818 not an error: the run has been ended by a policy
    """The run is ending; the message stays undelivered."""


class CallWorker(Worker):
    """Calls the node once per message and keeps each message until it is answered."""

    async def work(self) -> None:
        """Serve messages in order, as many at once as the policy says."""
        try:
            if self.operation.policy.concurrency > 1 and not self.operation.output_stream:
                await self._work_at_once()
            else:
                await self._work_in_turn()
        except _Stopped:
            return

    async def _work_in_turn(self) -> None:
        while (item := await self.next()) is not None:
            edge, message, context = item
            if self.operation.output_stream:
                is_done = await self._stream(edge, message, context)
            else:
                is_done = await self._pass_on(await self._answer(edge, message, context))
            if is_done:
                edge.finish()

    async def _work_at_once(self) -> None:
        """Keep several calls open; answers are passed on in the order of their messages."""
        waiting: deque[_Pending | None] = deque()
        changed = asyncio.Event()
        passer = asyncio.create_task(self._pass_in_order(waiting, changed))
        limit = asyncio.Semaphore(self.operation.policy.concurrency)
        try:
            while not passer.done():
                await limit.acquire()
                item = await self.next()
                if item is None:
                    break
                task = asyncio.create_task(self._answer(*item))
                task.add_done_callback(lambda _: limit.release())
                waiting.append((item[0], task))
                changed.set()
            waiting.append(None)
            changed.set()
            await passer
        finally:
            passer.cancel()
            for pending in waiting:
                if pending is not None:
                    pending[1].cancel()

    async def _pass_in_order(self, waiting: deque[_Pending | None], changed: asyncio.Event) -> None:
        while True:
            while not waiting:
                changed.clear()
                await changed.wait()
            pending = waiting[0]
            if pending is None:
                return
            edge, task = pending
            if await self._pass_on(await task):
                edge.finish()
            waiting.popleft()

    async def _pass_on(self, answer: tuple[bytes, Context] | None) -> bool:
        if answer is None:
            return False
        await self.distribute(*answer)
        return True

    async def _answer(self, edge: EdgeQueue, message: bytes, context: Context) -> tuple[bytes, Context] | None:
        """Return the node's answer, or None when the message was given up."""
        payload = b"" if self.operation.is_trigger else message
        tracer = self.reporter.tracer
        if tracer is None:
            response = await self._try(edge, message, payload, None)
        else:
            with tracer.call(self.operation, context, len(payload)) as span:
                context = span.context
                response = await self._try(edge, message, payload, span)
        return None if response is None else (response, context)

    async def _try(self, edge: EdgeQueue, message: bytes, payload: bytes, span: CallSpan | None) -> bytes | None:
        tries: Tries | None = None
        reporter, figures = self.reporter, self.figures
        metadata = None if span is None else span.metadata
        while True:
            if reporter.watches_calls:
                reporter.called(self.operation, payload)
            figures.calls += 1
            started = time.perf_counter()
            try:
                response = answered(await self.rpc(payload, timeout=self.deadline, metadata=metadata))
            except grpc.aio.AioRpcError as failure:
                if span is not None:
                    span.failed(failure)
                tries = tries or Tries(self.operation.policy)
                if not await self._may_retry(tries, failure, edge, message):
                    return None
                continue
            figures.answered(time.perf_counter() - started)
            if reporter.watches_calls:
                reporter.finished(self.operation)
            if span is not None:
                span.answered(len(response))
                span.succeeded()
            return response

    async def _stream(self, edge: EdgeQueue, message: bytes, context: Context) -> bool:
        """Pass on everything that the node answers to one message."""
        payload = b"" if self.operation.is_trigger else message
        tracer = self.reporter.tracer
        with UNTRACED if tracer is None else tracer.call(self.operation, context, len(payload)) as span:
            return await self._try_stream(edge, message, payload, span)

    async def _try_stream(self, edge: EdgeQueue, message: bytes, payload: bytes, span: CallSpan | None) -> bool:
        tries = Tries(self.operation.policy)
        context, metadata = (None, None) if span is None else (span.context, span.metadata)
        while True:
            if self.reporter.watches_calls:
                self.reporter.called(self.operation, payload)
            self.figures.calls += 1
            call = self.rpc(payload, timeout=self.operation.policy.deadline_seconds or None, metadata=metadata)
            try:
                while (response := await call.read()) is not EOF:
                    if span is not None:
                        span.answered(len(response))
                    await self.distribute(response, context)
            except grpc.aio.AioRpcError as failure:
                if span is not None:
                    span.failed(failure)
                if not await self._may_retry(tries, failure, edge, message):
                    return False
                continue
            finally:
                call.cancel()
            if span is not None:
                span.succeeded()
            if self.reporter.watches_calls:
                self.reporter.finished(self.operation)
            return True

    async def _may_retry(self, tries: Tries, failure: grpc.aio.AioRpcError, edge: EdgeQueue, message: bytes) -> bool:
        try:
            await self.retry(tries, failure)
        except GaveUpError as reason:
            self.exhausted(edge, message, str(reason))
            if self.operation.policy.when_exhausted == "stop":
                raise _Stopped from reason
            return False
        return True


@dataclass(slots=True)
class SourceWorker(Worker):
    """Calls an operation whose input is empty, again and again, until its data end."""

    iterations: int = 0
    """Calls at most; 0: no limit."""
    is_stopping: bool = False
    """No further call."""
    is_calling: bool = False
    """It waits for the node, and holds no message: it may be cancelled without losing one."""
    is_resting: bool = False
    """It waits for the time of its next call, or for the next message of a stream: nothing is being made for it."""

    async def work(self) -> None:
        """Call until the data end, the limit is reached or the run is stopping."""
        made = 0
        tries = Tries(self.operation.policy)
        pause = self.operation.policy.pause_seconds or (0 if self.outputs else _IDLE_SOURCE_SECONDS)
        while not self.is_stopping and (self.iterations == 0 or made < self.iterations):
            while self.inbox.is_paused:
                await self.inbox.wait()
            self.figures.calls += 1
            try:
                is_over = await self._call()
            except grpc.aio.AioRpcError as failure:
                if failure.code() not in END_OF_DATA:
                    if not await self._may_retry(tries, failure):
                        return
                    continue
                is_over = True
            made += 1
            tries = Tries(self.operation.policy)
            if is_over and not self.operation.policy.repeat:
                return
            if (pause or is_over) and not self.is_stopping:
                await self._resting(asyncio.sleep(pause))

    async def _may_retry(self, tries: Tries, failure: grpc.aio.AioRpcError) -> bool:
        try:
            await self._resting(self.retry(tries, failure))
        except GaveUpError as reason:
            if self.operation.policy.when_exhausted == "stop":
                self.reporter.stop(f"{self.operation.key}: {reason}")
            return False
        return not self.is_stopping

    async def _call(self) -> bool:
        """Make one call; return True when the data have ended with it."""
        tracer = self.reporter.tracer
        if self.reporter.watches_calls:
            self.reporter.called(self.operation, b"")
        if self.operation.output_stream:
            with UNTRACED if tracer is None else tracer.stream(self.operation) as stream:
                await self._read(stream)
            return True
        with UNTRACED if tracer is None else tracer.call(self.operation, None, 0) as span:
            response = await self._call_once(span)
        await self.distribute(response, None if span is None else span.context)
        return False

    async def _read(self, stream: StreamSpan | None) -> None:
        call = self._start(stream)
        try:
            while (response := await self._resting(call.read())) is not EOF:
                await self.distribute(response, None if stream is None else stream.receive(len(response)))
                if self.is_stopping:
                    return
                while self.inbox.is_paused:
                    await self.inbox.wait()
        finally:
            call.cancel()
        if stream is not None:
            stream.succeeded()

    async def _waiting(self, answer: Awaitable[bytes]) -> bytes:
        self.is_calling = True
        try:
            return await answer
        finally:
            self.is_calling = False

    async def _resting(self, end: Awaitable[_Rested]) -> _Rested:
        self.is_resting = True
        try:
            return await end
        finally:
            self.is_resting = False

    async def distribute(self, message: bytes, context: Context) -> None:
        """Put the message on every edge; what a stop keeps from entering is counted all the same."""
        before = [edge.entered for edge in self.outputs]
        try:
            # Explicit, because slots and super() without arguments do not go together.
            await Worker.distribute(self, message, context)
        except asyncio.CancelledError:
            for edge, entered in zip(self.outputs, before, strict=True):
                if edge.entered == entered:
                    edge.count(len(message))
            raise

    async def _call_once(self, span: CallSpan | None) -> bytes:
        started = time.perf_counter()
        response = answered(await self._waiting(self._start(span)))
        self.figures.answered(time.perf_counter() - started)
        if span is not None:
            span.answered(len(response))
            span.succeeded()
        if self.reporter.watches_calls:
            self.reporter.finished(self.operation)
        return response

    def _start(self, span: CallSpan | None) -> Any:
        """Begin a call with the one empty message, as a stream where the node wants one."""
        request = iter((b"",)) if self.operation.input_stream else b""
        seconds = self.operation.policy.deadline_seconds or None
        return self.rpc(request, timeout=seconds, metadata=None if span is None else span.metadata)
