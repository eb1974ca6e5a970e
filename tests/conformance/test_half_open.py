"""A node's host vanishes without a word: sockets stay open, and only a ping finds out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import grpc.aio
import pytest
from support.pipelines import Host, Pipeline
from support.raw_node import Call, RawNode
from support.relay import Relay

from orchestrator.engine import Engine
from orchestrator.run import Run
from orchestrator.server import options
from orchestrator.settings import Settings
from shared import settings

IDS = list(range(1, 101))


def impatient(folder: Path) -> Engine:
    """Return an engine that pings every second and waits half of one; settings allow no such haste."""
    made = options(settings.load(Settings, {"SLIPWAY_DATA_DIRECTORY": str(folder)}))
    haste = replace(made.connection, keepalive_seconds=1, keepalive_timeout_seconds=0.5)
    return Engine(replace(made, connection=haste))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 nobody tells when it becomes true
        await asyncio.sleep(0.01)


def driven(pipeline: Pipeline, folder: Path, scenario: Callable[[Run], Awaitable[None]]) -> Run:
    async def main() -> Run:
        engine = impatient(folder)
        await engine.initialize(pipeline.configuration())
        run = await engine.run("")
        await scenario(run)
        await asyncio.wait_for(run.ended(), 30)
        await engine.close()
        return run

    return asyncio.run(main())


@pytest.mark.parametrize("kind", ["uu", "us", "ss"])
def test_calls_and_streams_that_were_in_flight_are_made_again(host: Host, tmp_path, kind):
    with Relay(host.port) as relay:
        pipeline = Pipeline(host)
        pipeline.op("src", "us", "source", count=100, pause=0.005).op("map", kind, "echo").op("snk", "uu", "sink")
        pipeline.edge("src", "map", "snk").prepare()
        pipeline.ports["map"] = relay.port

        async def scenario(run: Run) -> None:
            await until(lambda: run.edges[1].entered >= 10)
            relay.freeze()
            await until(lambda: run.workers[1].figures.failures > 0)
            relay.heal()

        run = driven(pipeline, tmp_path, scenario)

    received = pipeline.received("snk")
    assert (run.state, run.account.undelivered) == ("completed", 0)
    assert set(received) == set(IDS)
    assert len(received) - len(IDS) <= run.account.redelivered + run.workers[1].figures.retries


def test_a_source_that_waits_for_a_click_is_found_dead_and_called_again(host: Host, tmp_path):
    async def behaviour(call: Call) -> None:
        call.headers()
        if call.number > 1:
            call.message(b"\x08\x05")
            call.trailers()

    with RawNode(behaviour) as node, Relay(node.port) as relay:
        pipeline = Pipeline(host)
        pipeline.op("src", "us", "source").op("snk", "uu", "sink").edge("src", "snk").prepare()
        pipeline.ports["src"] = relay.port

        async def scenario(run: Run) -> None:
            await until(lambda: node.pings >= 3)  # of pings without data, gRPC alone sends but two
            relay.freeze()
            await until(lambda: run.workers[0].figures.failures > 0)
            relay.heal()

        run = driven(pipeline, tmp_path, scenario)

    assert (run.state, node.calls) == ("completed", 2)
    assert run.workers[0].figures.last_error.startswith("UNAVAILABLE: ")
    assert pipeline.received("snk") == [5]


def test_a_node_that_never_comes_back_fails_the_run_when_patience_ends(host: Host, tmp_path):
    with Relay(host.port) as relay:
        pipeline = Pipeline(host)
        pipeline.op("src", "us", "source", count=100).op("snk", "uu", "sink").edge("src", "snk").prepare()
        pipeline.ports["snk"] = relay.port
        pipeline.orchestration = {"operations": {"*": {"patience_seconds": 1}}}
        relay.freeze()

        async def scenario(_: Run) -> None:
            return

        run = driven(pipeline, tmp_path, scenario)

    assert run.state == "failed"
    assert run.reason.startswith("snk.run: unreachable for 1 s: UNAVAILABLE: ")
    assert run.account.entered == run.account.undelivered > 0


def test_a_server_with_grpcs_own_limits_accepts_the_pings(tmp_path):
    made = options(settings.load(Settings, {"SLIPWAY_DATA_DIRECTORY": str(tmp_path)})).connection
    # Servers of C++, Go and Java accept a ping without data every 300 s. Everything is 300 times as fast here.
    quick = list((dict(made.arguments) | {"grpc.keepalive_time_ms": made.keepalive_seconds * 1000 // 300}).items())

    async def main() -> bytes:
        async def wait(_: bytes, __: grpc.aio.ServicerContext) -> bytes:
            await asyncio.sleep(6.5)  # six pings: the third that came too early would end the connection
            return b"still there"

        server = grpc.aio.server(options=[("grpc.http2.min_ping_interval_without_data_ms", 1000)])
        method = grpc.unary_unary_rpc_method_handler(wait)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("S", {"wait": method}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=quick) as channel:
                answer: bytes = await channel.unary_unary("/S/wait")(b"")
                return answer
        finally:
            await server.stop(0)

    assert asyncio.run(main()) == b"still there"
