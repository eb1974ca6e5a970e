"""Nodes break the rules of HTTP/2 and gRPC: the run goes on, or ends with words, and every message is accounted for."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from support.orchestrator_process import events, peak_mib, process, write
from support.pipelines import Pipeline, completed
from support.raw_node import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES,
    GRPC,
    HEADERS,
    RESETS,
    WINDOW_UPDATE,
    Behaviour,
    Call,
    RawNode,
    enveloped,
    fields,
    frame,
    integer,
)

from orchestrator.run import Run

IDS = list(range(1, 41))
SURVIVED = [name for name in RESETS if name != "INADEQUATE_SECURITY"]
"""The other one says that the caller is at fault."""


def run_through(
    pipeline: Pipeline, folder: Path, kind: str, behaviour: Behaviour, **policy: object
) -> tuple[Run, RawNode]:
    """Send 40 messages through a node of such a behaviour."""
    with RawNode(behaviour) as node:
        pipeline.op("src", "us", "source", count=40).op("map", kind, "echo").op("snk", "uu", "sink")
        pipeline.edge("src", "map", "snk").ports["map"] = node.port
        pipeline.orchestration = {"operations": {"map.run": policy}}
        run = completed(pipeline, folder)
    account = run.account
    assert account.entered == account.delivered + account.dead_lettered + account.dropped + account.undelivered
    return run, node


# --- streams that are reset


def before(call: Call, _: bytes) -> None:
    """Answer nothing at all."""


def within(call: Call, message: bytes) -> None:
    call.headers()
    call.data(enveloped(message)[:6])


def after(call: Call, message: bytes) -> None:
    call.headers()
    call.message(message)


@pytest.mark.parametrize("answer", [before, within, after])
def test_a_unary_call_that_is_reset_is_made_again(pipeline, tmp_path, answer):
    async def behaviour(call: Call) -> None:
        message = await call.request()
        if call.number % 2 and call.number < 2 * len(SURVIVED):
            answer(call, message)
            call.reset(RESETS[SURVIVED[call.number // 2]])
        else:
            call.answer(message)

    run, node = run_through(pipeline, tmp_path, "uu", behaviour)

    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert pipeline.received("snk") == IDS
    assert run.workers[1].figures.retries == len(SURVIVED) == node.calls - 40


def test_a_reset_after_the_answer_changes_nothing(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        call.answer(await call.request())
        call.reset(call.number % len(RESETS))

    run, node = run_through(pipeline, tmp_path, "uu", behaviour)

    assert (run.state, node.calls, run.workers[1].figures.failures) == ("completed", 40, 0)
    assert pipeline.received("snk") == IDS


def test_a_reset_that_blames_the_caller_ends_the_run_with_words(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        await call.request()
        call.reset(RESETS["INADEQUATE_SECURITY"])

    run, _ = run_through(pipeline, tmp_path, "uu", behaviour)

    assert run.state == "failed"
    assert run.reason.startswith("map.run: PERMISSION_DENIED: ")


def test_a_server_stream_that_is_reset_is_asked_for_again(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        after(call, await call.request())
        if call.number % 2 and call.number < 2 * len(SURVIVED):
            call.reset(RESETS[SURVIVED[call.number // 2]])
        else:
            call.trailers()

    run, _ = run_through(pipeline, tmp_path, "us", behaviour)

    received = pipeline.received("snk")
    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert sorted(set(received)) == IDS
    assert len(received) - len(IDS) <= len(SURVIVED)


@pytest.mark.parametrize("code", ["NO_ERROR", "INTERNAL_ERROR", "REFUSED_STREAM", "CANCEL", "ENHANCE_YOUR_CALM"])
def test_a_bidirectional_stream_that_is_reset_is_opened_again(pipeline, tmp_path, code):
    async def behaviour(call: Call) -> None:
        await call.echo(7 if call.number <= 2 else -1)
        call.reset(RESETS[code]) if call.number <= 2 else call.trailers()

    run, node = run_through(pipeline, tmp_path, "ss", behaviour)

    received = pipeline.received("snk")
    assert (run.state, run.account.undelivered, node.calls) == ("completed", 0, 3)
    assert sorted(set(received)) == IDS
    assert len(received) - len(IDS) <= run.account.redelivered


@pytest.mark.parametrize("code", ["NO_ERROR", "REFUSED_STREAM", "CANCEL"])
def test_a_client_stream_that_is_reset_is_opened_again(pipeline, tmp_path, code):
    async def behaviour(call: Call) -> None:
        for _ in range(7):
            await call.request()
        if call.number <= 2:
            call.reset(RESETS[code])
            return
        while await call.request() is not None:
            continue
        call.answer(b"\x08\x01")

    run, node = run_through(pipeline, tmp_path, "su", behaviour)

    assert (run.state, run.account.undelivered, node.calls) == ("completed", 0, 3)
    assert sorted(set(node.received)) == IDS


# --- connections that end


def retire(call: Call) -> None:
    call.connection.goaway(last=call.stream)


def refuse(call: Call) -> None:
    call.connection.goaway(last=max(0, call.stream - 2))
    call.connection.close()


def refuse_and_stay(call: Call) -> None:
    call.connection.goaway(last=0)


def abort(call: Call) -> None:
    call.connection.abort()


def close_within_a_message(call: Call) -> None:
    within(call, b"\x08\x07")
    call.connection.close()


def close_within_a_frame(call: Call) -> None:
    call.headers()
    call.connection.send(frame(DATA, 0, call.stream, enveloped(b"\x08\x07"))[:12])
    call.connection.close()


@pytest.mark.parametrize("end", [refuse, refuse_and_stay, abort, close_within_a_message, close_within_a_frame])
@pytest.mark.parametrize("kind", ["uu", "us"])
def test_a_connection_that_ends_is_opened_again(pipeline, tmp_path, kind, end):
    async def behaviour(call: Call) -> None:
        message = await call.request()
        end(call) if call.number in {3, 9} else call.answer(message)

    run, _ = run_through(pipeline, tmp_path, kind, behaviour)

    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert pipeline.received("snk") == IDS


def test_a_node_that_retires_its_connections_loses_nothing(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        call.answer(await call.request())
        if call.number % 5 == 0:
            retire(call)

    run, node = run_through(pipeline, tmp_path, "uu", behaviour)

    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert pipeline.received("snk") == IDS
    assert node.connections > 4


def test_a_stream_goes_on_while_its_connection_retires(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        await call.echo(7)
        retire(call)
        while (message := await call.request()) is not None:
            call.message(message)
        call.trailers()

    run, node = run_through(pipeline, tmp_path, "ss", behaviour)

    assert (run.state, run.account.redelivered, node.calls) == ("completed", 0, 1)
    assert pipeline.received("snk") == IDS


@pytest.mark.parametrize("end", [refuse, abort, close_within_a_message])
def test_a_stream_whose_connection_ends_is_opened_again(pipeline, tmp_path, end):
    async def behaviour(call: Call) -> None:
        await call.echo(7 if call.number <= 2 else -1)
        end(call) if call.number <= 2 else call.trailers()

    run, _ = run_through(pipeline, tmp_path, "ss", behaviour)

    received = pipeline.received("snk")
    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert set(IDS) <= set(received)
    assert len(received) - len(IDS) <= run.account.redelivered


# --- garbage


def unknown_encoding(call: Call, message: bytes) -> None:
    call.headers(GRPC, ("grpc-encoding", "snappy"))
    call.data(enveloped(message, flag=1))
    call.trailers()


def compressed_without_encoding(call: Call, message: bytes) -> None:
    call.headers()
    call.data(enveloped(message, flag=1))
    call.trailers()


def no_gzip(call: Call, message: bytes) -> None:
    call.headers(GRPC, ("grpc-encoding", "gzip"))
    call.data(enveloped(message, flag=1))
    call.trailers()


def a_flag_of_7(call: Call, message: bytes) -> None:
    call.headers()
    call.data(enveloped(message, flag=7))
    call.trailers()


def longer_than_its_body(call: Call, message: bytes) -> None:
    call.headers()
    call.data(struct.pack(">BI", 0, 100) + message)
    call.trailers()


def of_4_gib(call: Call, message: bytes) -> None:
    call.headers()
    call.data(b"\0\xff\xff\xff\xff" + message)
    call.trailers()


def no_trailers(call: Call, message: bytes) -> None:
    call.headers()
    call.data(enveloped(message), ends=True)


def no_status(call: Call, _: bytes) -> None:
    call.headers(ends=True)


def no_message(call: Call, _: bytes) -> None:
    call.headers()
    call.trailers()


def a_proxy_without_the_node(call: Call, _: bytes) -> None:
    call.headers(("content-type", "text/html"), status="502")
    call.data(b"<html>Bad Gateway</html>", ends=True)


def a_page(call: Call, _: bytes) -> None:
    call.headers(("content-type", "text/html"), status="404")
    call.data(b"<html>Not Found</html>", ends=True)


def a_status_of_99(call: Call, message: bytes) -> None:
    call.headers()
    call.message(message)
    call.trailers(99)


def a_status_in_words(call: Call, message: bytes) -> None:
    call.headers()
    call.message(message)
    call.trailers("fine")


def a_header_of_1_mib(call: Call, message: bytes) -> None:
    call.headers(GRPC, ("x-note", "n" * (1 << 20)))
    call.message(message)
    call.trailers()


def a_frame_of_16_mib(call: Call, _: bytes) -> None:
    call.connection.send(b"\xff\xff\xff\0\0" + struct.pack(">I", call.stream) + bytes(1000))


def headers_that_are_none(call: Call, _: bytes) -> None:
    call.block(b"\xff" * 9)


def a_window_of_0(call: Call, _: bytes) -> None:
    call.connection.send(frame(WINDOW_UPDATE, 0, call.stream, bytes(4)))


def http_1(call: Call, _: bytes) -> None:
    call.connection.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    call.connection.close()


Garbage = Callable[[Call, bytes], None]
MENDED: dict[Garbage, str] = {
    unknown_encoding: "INTERNAL: .*'grpc-encoding'",
    no_trailers: "UNKNOWN: .*END_STREAM",
    no_status: "UNKNOWN: No status received",
    a_proxy_without_the_node: "UNAVAILABLE: .*status: 502",
    a_status_in_words: "INTERNAL: .*'grpc-status'",
    a_header_of_1_mib: "RESOURCE_EXHAUSTED: .*1048576 vs. 65536",
    a_frame_of_16_mib: "UNKNOWN: .*Frame size 16777215",
    headers_that_are_none: "INTERNAL: .*hpack",
    a_window_of_0: "UNKNOWN: .*window update",
    http_1: ".*Frame size 4740180",
}
"""What a try later may mend, and what is told when it does not."""
FINAL: dict[Garbage, str] = {
    compressed_without_encoding: "INTERNAL: Compression bit set but no encoding configured",
    no_gzip: "INTERNAL: Decompression failed",
    a_flag_of_7: "INTERNAL: ended with OK, but without a message",
    longer_than_its_body: "INTERNAL: ended with OK, but without a message",
    no_message: "INTERNAL: ended with OK, but without a message",
    of_4_gib: "RESOURCE_EXHAUSTED: .*larger than max",
    a_page: "UNIMPLEMENTED: .*status: 404",
    a_status_of_99: "UNKNOWN",
}


@pytest.mark.parametrize("garbage", MENDED, ids=lambda function: function.__name__)
def test_garbage_once_is_overcome(pipeline, tmp_path, garbage):
    async def behaviour(call: Call) -> None:
        message = await call.request()
        garbage(call, message) if call.number == 3 else call.answer(message)

    run, node = run_through(pipeline, tmp_path, "uu", behaviour)

    assert (run.state, run.workers[1].figures.failures, node.calls) == ("completed", 1, 41)
    assert pipeline.received("snk") == IDS


@pytest.mark.parametrize("garbage", MENDED | FINAL, ids=lambda function: function.__name__)
def test_garbage_for_ever_ends_the_run_with_words(pipeline, tmp_path, garbage):
    async def behaviour(call: Call) -> None:
        garbage(call, await call.request())

    run, _ = run_through(pipeline, tmp_path, "uu", behaviour, patience_seconds=0.2, retries=1)

    assert (run.state, run.account.delivered, pipeline.received("snk")) == ("failed", 0, [])
    assert run.account.entered == run.account.undelivered > 0
    assert re.match(rf"map\.run: (unreachable for 0\.2 s: )?{(MENDED | FINAL)[garbage]}", run.reason)


def test_garbage_may_be_skipped_and_is_counted(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        message = await call.request()
        no_message(call, message) if call.number in {3, 4} else call.answer(message)

    run, _ = run_through(pipeline, tmp_path, "uu", behaviour, when_exhausted="skip")

    assert (run.state, run.account.dead_lettered) == ("completed", 2)
    assert pipeline.received("snk") == [number for number in IDS if number not in {3, 4}]


def test_a_source_that_gives_nothing_ends_the_run_with_words(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        no_message(call, b"") if call.number == 3 else call.answer(b"\x08\x01")

    with RawNode(behaviour) as node:
        pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk").ports["src"] = node.port
        run = completed(pipeline, tmp_path)

    assert (run.state, run.reason) == ("failed", "src.run: INTERNAL: ended with OK, but without a message")
    assert run.account.entered == 2


def test_the_reason_of_a_failure_may_be_long(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        await call.request()
        call.headers()
        call.trailers(3, ("grpc-message", "no such colour " + "traceback " * 4000))

    run, _ = run_through(pipeline, tmp_path, "uu", behaviour)

    assert run.reason.startswith("map.run: INVALID_ARGUMENT: no such colour traceback")
    assert len(run.reason) < 400


def test_a_reason_of_500_mb_is_not_kept(pipeline, tmp_path):
    size = 500_000_000

    async def behaviour(call: Call) -> None:
        await call.request()
        call.headers()
        head = fields(("grpc-message", ""))[:-1] + integer(size)
        call.connection.send(frame(HEADERS, END_STREAM, call.stream, head))
        for _ in range(size // FRAME_BYTES):
            call.connection.send(frame(CONTINUATION, 0, call.stream, bytes(FRAME_BYTES)))
            await call.connection.sent()
        call.connection.send(frame(CONTINUATION, END_HEADERS, call.stream, bytes(size % FRAME_BYTES)))

    with RawNode(behaviour) as node:
        pipeline.op("src", "us", "source", count=5).op("map", "uu", "echo").edge("src", "map").prepare()
        pipeline.ports["map"] = node.port
        pipeline.orchestration = {"operations": {"map.run": {"retries": 1}}}
        write(pipeline, tmp_path / "pipeline", flat=True)
        with process(tmp_path, SLIPWAY_PIPELINE_DIRECTORY=str(tmp_path / "pipeline")) as (running, _):
            end = events(running, "run_finished")[-1]
            most = peak_mib(running)

    assert end["state"] == "failed"
    assert "metadata size exceeds hard limit" in str(end["reason"])
    assert most < 400


@pytest.mark.parametrize("garbage", [of_4_gib, a_frame_of_16_mib, headers_that_are_none])
def test_garbage_within_a_stream_is_overcome(pipeline, tmp_path, garbage):
    async def behaviour(call: Call) -> None:
        await call.echo(7 if call.number <= 2 else -1)
        garbage(call, b"") if call.number <= 2 else call.trailers()

    run, _ = run_through(pipeline, tmp_path, "ss", behaviour)

    received = pipeline.received("snk")
    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert set(IDS) <= set(received)
    assert len(received) - len(IDS) <= run.account.redelivered


def test_an_answer_byte_by_byte_is_an_answer(pipeline, tmp_path):
    async def behaviour(call: Call) -> None:
        message = await call.request()
        call.headers()
        for byte in enveloped(message):
            call.data(bytes([byte]))
            await asyncio.sleep(0.001)
        call.trailers()

    run, _ = run_through(pipeline, tmp_path, "uu", behaviour)

    assert (run.state, run.workers[1].figures.failures) == ("completed", 0)
    assert pipeline.received("snk") == IDS
