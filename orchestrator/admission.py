"""Lets only so many callers in at once, and only so many large requests into memory.

A server of gRPC reads every request that comes before it asks anybody. So each handler that takes one message is
served as one that takes a stream, and such a handler reads when its turn has come: until then the transport holds the
caller back. On the wire the two are the same.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from orchestrator.connections import EOF

Context = grpc.aio.ServicerContext[Any, Any]
Handler = Any
"""A `grpc.RpcMethodHandler`: what its type promises is true of one of its four kinds only."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the callers of one method may do."""

    at_once: int = 40
    """Calls; what comes beyond is refused. All methods together stay below what the server takes: the callers of one
    do not keep those of the others out."""
    most_bytes: int = 64 << 10
    """Of a request: a label, or two patterns."""
    seconds: float = 5.0
    """For a request to arrive once its turn has come: who sends slowly makes others wait."""
    is_large: bool = False
    """Requests are large and served one at a time: what they become takes more memory than they do."""


USUAL = Limits()
"""Of most methods."""
LIMITS = {
    # Graphene's pipelines come in one message: a blueprint of 2 MiB and protos of 16 MiB fit.
    "/Orchestrator/initialize": Limits(at_once=8, most_bytes=32 << 20, seconds=60.0, is_large=True),
    "/Orchestrator/observe": Limits(at_once=100),
}
REQUEST_BYTES = max(limits.most_bytes for limits in LIMITS.values())
READING = 4
"""Small requests that are read at the same time."""


class _RefusedError(Exception):
    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Admission(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # it is generic in the stubs alone
    """Stands before every handler of a server."""

    def __init__(self, usual: Limits = USUAL) -> None:
        self._usual = usual
        self._active: Counter[str] = Counter()
        self._small = asyncio.Semaphore(READING)
        self._large = asyncio.Semaphore(1)

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Handler]], handler_call_details: grpc.HandlerCallDetails
    ) -> Handler:
        """Return the handler behind its limits; one that reads a stream anyway (reflection) stays as it is."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler
        method = str(handler_call_details.method)
        if handler.response_streaming:
            streaming = self._streaming(method, handler)
            return grpc.stream_stream_rpc_method_handler(streaming, None, handler.response_serializer)
        return grpc.stream_unary_rpc_method_handler(self._unary(method, handler), None, handler.response_serializer)

    def _unary(self, method: str, handler: Handler) -> Any:
        async def call(_: Any, context: Context) -> Any:
            async with self._admitted(method, handler, context) as request:
                return await handler.unary_unary(request, context)

        return call

    def _streaming(self, method: str, handler: Handler) -> Any:
        async def generate(_: Any, context: Context) -> AsyncIterator[Any]:
            async with self._admitted(method, handler, context) as request:
                async for answer in handler.unary_stream(request, context):
                    yield answer

        async def write(_: Any, context: Context) -> None:
            async with self._admitted(method, handler, context) as request:
                await handler.unary_stream(request, context)

        return generate if inspect.isasyncgenfunction(handler.unary_stream) else write

    @asynccontextmanager
    async def _admitted(self, method: str, handler: Handler, context: Context) -> AsyncIterator[Any]:
        limits = LIMITS.get(method, self._usual)
        if self._active[method] >= limits.at_once:
            text = f"expected at most {limits.at_once} calls of {method} at once"
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        self._active[method] += 1
        try:
            if limits.is_large:
                async with self._large:
                    yield await _read(handler, context, limits)
            else:
                async with self._small:
                    request = await _read(handler, context, limits)
                yield request
        except _RefusedError as problem:
            await context.abort(problem.code, problem.text)
        finally:
            self._active[method] -= 1


async def _read(handler: Handler, context: Context, limits: Limits) -> Any:
    """Return the one request.

    Raises:
        _RefusedError: there is none that can be used.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            raw = await context.read()
    except TimeoutError:
        text = f"expected the request within {limits.seconds:g} s"
        raise _RefusedError(grpc.StatusCode.DEADLINE_EXCEEDED, text) from None
    if raw is EOF:
        raise _RefusedError(grpc.StatusCode.INVALID_ARGUMENT, "expected one request, found none")
    size = len(raw)
    try:
        if size <= limits.most_bytes:
            return handler.request_deserializer(raw)
    except DecodeError:
        text = "expected a request as the method's proto has it"
        raise _RefusedError(grpc.StatusCode.INVALID_ARGUMENT, text) from None
    finally:
        del raw  # an error's traceback would keep it
    text = f"expected a request of at most {limits.most_bytes} bytes, found {size}"
    raise _RefusedError(grpc.StatusCode.INVALID_ARGUMENT, text)
