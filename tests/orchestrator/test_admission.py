"""Callers meet limits before a server reads what they send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2

from orchestrator.admission import Admission, Limits

Code = grpc.StatusCode
Request = health_pb2.HealthCheckRequest
Response = health_pb2.HealthCheckResponse
STRICT = Limits(at_once=2, most_bytes=10, seconds=0.2)


async def answer(_: Request, __: grpc.aio.ServicerContext) -> Response:
    return Response(status=Response.SERVING)


async def twice(request: Request, _: grpc.aio.ServicerContext) -> AsyncIterator[Response]:
    for _ in range(2):
        yield await answer(request, _)


async def write_twice(request: Request, context: grpc.aio.ServicerContext) -> None:
    for _ in range(2):
        await context.write(await answer(request, context))


async def wait(_: Request, __: grpc.aio.ServicerContext) -> Response:
    await asyncio.sleep(0.3)
    return Response(status=Response.SERVING)


def driven(scenario: Callable[[grpc.aio.Channel], Awaitable[Any]]) -> Any:
    """Run the scenario against a server with strict limits; requests and answers are bytes to it."""

    async def main() -> Any:
        server = grpc.aio.server(interceptors=[Admission(STRICT)])
        coders = Request.FromString, Response.SerializeToString
        handlers = {
            "answer": grpc.unary_unary_rpc_method_handler(answer, *coders),
            "wait": grpc.unary_unary_rpc_method_handler(wait, *coders),
            "twice": grpc.unary_stream_rpc_method_handler(twice, *coders),
            "writeTwice": grpc.unary_stream_rpc_method_handler(write_twice, *coders),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("S", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                return await asyncio.wait_for(scenario(channel), 20)
        finally:
            await server.stop(0)

    return asyncio.run(main())


async def end_of(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str | None]:
    try:
        await call
    except grpc.aio.AioRpcError as failure:
        return failure.code(), failure.details()
    return Code.OK, None


async def all_of(call: Any) -> list[bytes]:
    return [response async for response in call]


def test_calls_within_the_limits_are_served_whatever_their_kind():
    async def scenario(channel: grpc.aio.Channel) -> Any:
        one = await channel.unary_unary("/S/answer")(b"")
        return one, [await all_of(channel.unary_stream(f"/S/{name}")(b"")) for name in ("twice", "writeTwice")]

    assert driven(scenario) == (b"\x08\x01", [[b"\x08\x01"] * 2] * 2)


def test_a_method_that_does_not_exist_stays_so():
    code, _ = driven(lambda channel: end_of(channel.unary_unary("/S/other")(b"")))

    assert code is Code.UNIMPLEMENTED


def test_more_calls_at_once_are_refused_and_later_ones_are_served():
    async def scenario(channel: grpc.aio.Channel) -> Any:
        ends = await asyncio.gather(*(end_of(channel.unary_unary("/S/wait")(b"")) for _ in range(5)))
        other = await end_of(channel.unary_unary("/S/answer")(b""))
        return ends, other, await end_of(channel.unary_unary("/S/wait")(b""))

    ends, other, later = driven(scenario)

    refusal = (Code.RESOURCE_EXHAUSTED, "expected at most 2 calls of /S/wait at once")
    assert sorted(ends, key=str) == sorted([(Code.OK, None)] * 2 + [refusal] * 3, key=str)
    assert (other, later) == ((Code.OK, None), (Code.OK, None))


def test_callers_who_leave_make_room():
    async def scenario(channel: grpc.aio.Channel) -> Any:
        calls = [channel.stream_unary("/S/answer")() for _ in range(2)]
        await asyncio.sleep(0.1)
        for call in calls:
            call.cancel()
        await asyncio.sleep(0.1)
        return await end_of(channel.unary_unary("/S/answer")(b""))

    assert driven(scenario) == (Code.OK, None)


def test_a_request_that_does_not_arrive_is_not_waited_for():
    code, details = driven(lambda channel: end_of(channel.stream_unary("/S/answer")()))

    assert (code, details) == (Code.DEADLINE_EXCEEDED, "expected the request within 0.2 s")


def test_slow_callers_keep_others_waiting_no_longer_than_that():
    async def scenario(channel: grpc.aio.Channel) -> Any:
        slow = [
            asyncio.create_task(end_of(channel.stream_unary(f"/S/{name}")()))
            for name in ("answer", "wait", "answer", "wait")
        ]
        await asyncio.sleep(0.05)
        served = await end_of(channel.unary_stream("/S/twice")(b"").read())
        return served, await asyncio.gather(*slow)

    served, slow = driven(scenario)

    assert served == (Code.OK, None)
    assert {code for code, _ in slow} == {Code.DEADLINE_EXCEEDED}


def test_no_request_at_all_is_refused():
    async def scenario(channel: grpc.aio.Channel) -> Any:
        call = channel.stream_unary("/S/answer")()
        await call.done_writing()
        return await end_of(call)

    assert driven(scenario) == (Code.INVALID_ARGUMENT, "expected one request, found none")


def test_a_large_request_is_refused():
    request = Request(service="s" * 9).SerializeToString()

    refused = driven(lambda channel: end_of(channel.unary_unary("/S/answer")(request)))

    assert refused == (Code.INVALID_ARGUMENT, "expected a request of at most 10 bytes, found 11")


def test_a_broken_request_is_refused_without_a_traceback():
    refused = driven(lambda channel: end_of(channel.unary_unary("/S/answer")(b"\x0a\x05")))

    assert refused == (Code.INVALID_ARGUMENT, "expected a request as the method's proto has it")
