"""Nodes that take everything and never answer: deadlines apply, sources wait, and whoever stops the run is obeyed."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.pipelines import Pipeline, completed, served
from support.raw_node import Call, RawNode

from orchestrator.run import Run


async def never(call: Call) -> None:
    """Take what comes, and say nothing."""
    while True:
        await call.request()


@contextmanager
def unanswering() -> Iterator[int]:
    """Give the port of a node that speaks HTTP/2, and no more."""
    with RawNode(never) as node:
        yield node.port


@contextmanager
def mute() -> Iterator[int]:
    """Give the port of a listener that accepts connections, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


Silence = Callable[[], "contextmanager[int]"]
PLACES = [("src", "uu"), ("src", "us"), ("map", "uu"), ("map", "us"), ("map", "ss"), ("map", "su"), ("snk", "uu")]


def chain(pipeline: Pipeline, silent: str, kind: str, port: int) -> Pipeline:
    kinds = {"src": "us", "map": "uu", "snk": "uu"} | {silent: kind}
    pipeline.op("src", kinds["src"], "source", count=5000).op("map", kinds["map"], "echo")
    pipeline.op("snk", kinds["snk"], "sink").edge("src", "map", "snk").prepare()
    pipeline.ports[silent] = port
    return pipeline


@pytest.mark.parametrize("silence", [unanswering, mute])
@pytest.mark.parametrize(("silent", "kind"), PLACES)
def test_a_stop_is_obeyed_at_once(pipeline, tmp_path, silent, kind, silence):
    async def scenario(port: int) -> tuple[Run, float]:
        async with served(tmp_path) as server:
            await server.engine.initialize(chain(pipeline, silent, kind, port).configuration())
            run = await server.engine.run("")
            await asyncio.sleep(0.1)
            started = time.monotonic()
            await run.cancel()
            return run, time.monotonic() - started

    with silence() as port:
        run, seconds = asyncio.run(scenario(port))

    account = run.account
    assert (run.state, run.reason) == ("stopped", "")
    assert seconds < 5
    assert account.entered == account.delivered + account.undelivered


@pytest.mark.parametrize(("silent", "kind"), [("src", "us"), ("map", "uu"), ("map", "ss")])
def test_a_drain_waits_no_longer_than_its_grace(pipeline, tmp_path, silent, kind):
    async def scenario(port: int) -> tuple[Run, float]:
        async with served(tmp_path) as server:
            await server.engine.initialize(chain(pipeline, silent, kind, port).configuration())
            run = await server.engine.run("")
            await asyncio.sleep(0.1)
            started = time.monotonic()
            await run.drain(0.3)
            return run, time.monotonic() - started

    with unanswering() as port:
        run, seconds = asyncio.run(scenario(port))

    account = run.account
    assert run.state == "stopped"
    assert seconds < 5
    assert account.entered == account.delivered + account.undelivered


def test_a_source_waits_for_a_node_that_never_answers(pipeline, tmp_path):
    async def scenario(port: int) -> list[int]:
        async with served(tmp_path, SLIPWAY_GRACE_SECONDS="0") as server:
            await server.engine.initialize(chain(pipeline, "snk", "uu", port).configuration())
            run = await server.engine.run("")
            async with asyncio.timeout(20):
                while run.account.entered < 303:  # noqa: ASYNC110 - nobody tells what has entered
                    await asyncio.sleep(0.01)
            before = run.account.entered
            await asyncio.sleep(0.6)
            return [before, run.account.entered]

    with unanswering() as port:
        before, after = asyncio.run(scenario(port))

    # Two edges of 100, one message in the hands of each operation.
    assert before == after == 303


@pytest.mark.parametrize("kind", ["uu", "us"])
def test_a_deadline_ends_a_call_that_is_never_answered(pipeline, tmp_path, kind):
    with unanswering() as port:
        chain(pipeline, "map", kind, port)
        pipeline.orchestration = {"operations": {"map.run": {"deadline_seconds": 0.2, "retries": 1}}}

        run = completed(pipeline, tmp_path)

    assert run.state == "failed"
    assert run.reason.startswith("map.run: DEADLINE_EXCEEDED")
    assert run.workers[1].figures.calls == 2


def test_two_answers_to_one_call_end_with_its_deadline(pipeline, tmp_path):
    async def twice(call: Call) -> None:
        message = await call.request()
        call.headers()
        call.message(message)
        call.message(message)
        call.trailers()

    with RawNode(twice) as node:
        chain(pipeline, "map", "uu", node.port)
        pipeline.orchestration = {"operations": {"map.run": {"deadline_seconds": 0.2, "retries": 0}}}

        run = completed(pipeline, tmp_path)

    assert (run.state, run.account.delivered) == ("failed", 0)
    assert run.reason.startswith("map.run: DEADLINE_EXCEEDED")


def test_a_listener_that_accepts_and_says_nothing_is_given_up_when_patience_ends(pipeline, tmp_path):
    with mute() as port:
        chain(pipeline, "map", "uu", port)
        pipeline.orchestration = {"operations": {"map.run": {"patience_seconds": 0.5}}}

        run = completed(pipeline, tmp_path)

    assert run.state == "failed"
    assert run.reason.startswith("map.run: unreachable for 0.5 s: UNAVAILABLE: ")
