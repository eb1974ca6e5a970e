"""Binds handlers to a service's descriptor: one place for (de)serialising, one for errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from orchestrator.pipeline import report
from shared.errors import InvalidSolutionError, SlipwayError
from shared.protobuf import message_class

_LOG = structlog.get_logger()
Unary = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]
Streaming = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], AsyncIterator[Any]]
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.FAILED_PRECONDITION,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    503: grpc.StatusCode.UNAVAILABLE,
}


def code_of(problem: SlipwayError) -> grpc.StatusCode:
    """Return the gRPC status of an error of ours."""
    return _CODES.get(problem.status, grpc.StatusCode.INTERNAL)


def text_of(problem: SlipwayError) -> str:
    """Return what a caller is told: all findings where there are some."""
    return report(problem.findings) if isinstance(problem, InvalidSolutionError) else str(problem)


def handler(service: ServiceDescriptor, methods: Mapping[str, Any]) -> grpc.GenericRpcHandler[Any, Any]:
    """Return the handler of a service; `methods` has one coroutine or asynchronous generator per method."""
    handlers = {method.name: _method(method, methods[method.name]) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _method(method: MethodDescriptor, behaviour: Any) -> grpc.RpcMethodHandler[Any, Any]:
    reads = message_class(method.input_type).FromString
    writes = message_class(method.output_type).SerializeToString
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_guarded_stream(behaviour), reads, writes)
    return grpc.unary_unary_rpc_method_handler(_guarded(behaviour), reads, writes)


def _guarded(behaviour: Unary) -> Any:
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        async with _translating(context):
            return await behaviour(request, context)

    return call


def _guarded_stream(behaviour: Streaming) -> Any:
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        async with _translating(context):
            async for answer in behaviour(request, context):
                yield answer

    return call


@asynccontextmanager
async def _translating(context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
    try:
        yield
    except SlipwayError as problem:
        await context.abort(code_of(problem), text_of(problem))
    except grpc.aio.AbortError:
        raise
    except Exception:  # noqa: BLE001 the one place: no traceback in an answer
        _LOG.exception("request_failed")
        await context.abort(grpc.StatusCode.INTERNAL, "internal error, see the orchestrator's log")
