"""The native API: who may use it, and what it shows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import generate_latest
from support.pipelines import served

from orchestrator import metrics
from shared.orchestration.generated import control_pb2 as messages
from shared.orchestration.generated.control_pb2_grpc import ControlStub

TOKEN = "t" * 40


@pytest.fixture
def driven(tmp_path) -> Callable[..., Any]:
    def drive(scenario: Callable[..., Awaitable[Any]], **environ: str) -> Any:
        async def main() -> Any:
            async with (
                served(tmp_path, **environ) as server,
                grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
            ):
                return await asyncio.wait_for(scenario(ControlStub(channel), server), 30)

        return asyncio.run(main())

    return drive


def endless(pipeline, **more: Any):
    pipeline.op("src", "uu", "source", **more).op("snk", "uu", "sink").edge("src", "snk").prepare()
    return pipeline.configuration()


async def until(is_so: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - what nodes in another process got is known by asking only
            await asyncio.sleep(0.02)


async def resting(pipeline) -> int:
    """Return how much the sink got, once nothing comes any more of what was under way."""
    seen = [len(pipeline.received("snk"))]

    def rests() -> bool:
        seen.append(len(pipeline.received("snk")))
        return len(seen) > 5 and len(set(seen[-6:])) == 1

    await until(rests)
    return seen[-1]


@pytest.mark.parametrize("metadata", [(), (("authorization", "Bearer wrong"),), (("authorization", TOKEN),)])
def test_without_the_token_nothing_is_answered(driven, metadata):
    async def scenario(stub, _):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.ListRuns(messages.ListRunsRequest(), metadata=metadata)
        return failure.value.code(), failure.value.details()

    assert driven(scenario, SLIPWAY_ORCHESTRATOR_TOKEN=TOKEN) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "a valid token is required",
    )


def test_with_the_token_everything_is_answered(driven):
    async def scenario(stub, _):
        metadata = (("authorization", f"Bearer {TOKEN}"),)
        return await stub.ListRuns(messages.ListRunsRequest(), metadata=metadata)

    assert list(driven(scenario, SLIPWAY_ORCHESTRATOR_TOKEN=TOKEN).runs) == []


def test_pause_holds_the_messages_and_resume_lets_them_go(pipeline, driven):
    async def scenario(stub, server):
        await server.engine.initialize(endless(pipeline))
        await stub.Start(messages.StartRequest(label="a"))
        await until(lambda: pipeline.received("snk"))
        paused = await stub.Pause(messages.RunName(label="a"))
        before = await resting(pipeline)
        await asyncio.sleep(0.3)
        after = len(pipeline.received("snk"))
        resumed = await stub.Resume(messages.RunName(label="a"))
        await until(lambda: len(pipeline.received("snk")) > after)
        return paused.state, resumed.state, before, after

    paused, resumed, before, after = driven(scenario)

    assert (paused, resumed) == (messages.PAUSED, messages.RUNNING)
    assert before == after


def test_what_is_in_an_open_stream_is_delivered_as_far_as_is_known(pipeline, driven):
    pipeline.op("src", "us", "source", count=30, endless=True).op("map", "ss", "echo").op("snk", "su", "sink")
    pipeline.edge("src", "map", "snk").prepare()

    async def scenario(stub, server):
        await server.engine.initialize(pipeline.configuration())
        await stub.Start(messages.StartRequest(label="a"))
        await until(lambda: server.engine.one("a").account.delivered == 60)
        runs = await stub.ListRuns(messages.ListRunsRequest())
        edges = (await stub.GetStatistics(messages.RunName(label="a"))).edges
        stopped = await stub.Stop(messages.StopRequest(label="a"))
        return runs.runs[0].account, [edge.messages for edge in edges], stopped.account

    account, edges, stopped = driven(scenario)

    assert edges == [30, 30]
    assert (account.entered, account.delivered, account.undelivered) == (60, 60, 0)
    # The streams were cut off: whether the nodes used what was in them is not known.
    assert (stopped.entered, stopped.delivered, stopped.undelivered) == (60, 0, 60)


def test_a_drain_delivers_what_is_in_flight(pipeline, driven):
    pipeline.op("src", "uu", "source").op("slow", "uu", "echo", delay=0.02).op("snk", "uu", "sink")
    pipeline.edge("src", "slow", "snk").prepare()

    async def scenario(stub, server):
        await server.engine.initialize(pipeline.configuration(queuesize=10))
        await stub.Start(messages.StartRequest(label="a"))
        await until(lambda: len(pipeline.received("snk")) >= 5)
        return await stub.Stop(messages.StopRequest(label="a", drain=True, grace_seconds=20))

    run = driven(scenario)

    assert run.state == messages.STOPPED
    assert (run.account.undelivered, run.account.entered) == (0, run.account.delivered)
    assert pipeline.received("snk") == list(range(1, run.account.entered // 2 + 1))


def test_a_stop_counts_what_was_not_delivered(pipeline, driven):
    pipeline.op("src", "us", "source", count=1000).op("snk", "uu", "sink", delay=0.05).edge("src", "snk").prepare()

    async def scenario(stub, server):
        await server.engine.initialize(pipeline.configuration(queuesize=10))
        await stub.Start(messages.StartRequest(label="a"))
        run = server.engine.one("a")
        await until(lambda: run.account.delivered >= 3 and run.account.entered - run.account.delivered >= 11)
        return await stub.Stop(messages.StopRequest(label="a"))

    account = driven(scenario).account

    assert account.entered == account.delivered + account.undelivered
    assert account.undelivered >= 10
    assert account.delivered <= len(pipeline.received("snk")) <= account.delivered + 1


def test_a_watcher_sees_the_run_until_its_end(pipeline, driven):
    async def scenario(stub, server):
        await server.engine.initialize(endless(pipeline, count=3))
        await stub.Start(messages.StartRequest(label="a"))
        return [run.state async for run in stub.Watch(messages.RunName(label="a"))]

    states = driven(scenario)

    assert states[0] in {messages.RUNNING, messages.COMPLETED}
    assert states[-1] == messages.COMPLETED


def test_statistics_show_every_operation_and_edge(pipeline, driven):
    async def scenario(stub, server):
        await server.engine.initialize(endless(pipeline, count=4, size=10))
        await stub.Start(messages.StartRequest(label="a"))
        await server.engine.one("a").ended()
        return await stub.GetStatistics(messages.RunName(label="a"))

    statistics = driven(scenario)

    assert [(o.node, o.operation, o.calls, o.active) for o in statistics.operations] == [
        ("src", "run", 5, False),
        ("snk", "run", 4, False),
    ]
    (edge,) = statistics.edges
    assert (edge.source, edge.target, edge.messages, edge.bytes, edge.queued_messages) == ("src", "snk", 4, 56, 0)
    assert statistics.operations[1].latency_seconds > 0


def test_a_sample_shows_the_next_messages_of_an_edge_as_json(pipeline, driven):
    async def scenario(stub, server):
        await server.engine.initialize(endless(pipeline))
        await stub.Start(messages.StartRequest(label="a"))
        request = messages.SampleRequest(
            label="a", source="src", source_operation="run", target="snk", target_operation="run", count=3
        )
        return [json.loads(sample.json) async for sample in stub.Sample(request)]

    samples = driven(scenario)

    first = int(samples[0]["id"])
    assert [int(sample["id"]) for sample in samples] == [first, first + 1, first + 2]


def test_metrics_count_and_never_go_back(pipeline, driven):
    async def scenario(stub, server):
        await server.engine.initialize(endless(pipeline))
        registry = metrics.registry(server.engine)
        for _ in range(2):
            await stub.Start(messages.StartRequest(label="a", iterations=5))
            await server.engine.one("a").ended()
        return generate_latest(registry).decode()

    text = driven(scenario)

    assert 'slipway_edge_messages_total{edge="src.run -> snk.run"} 10.0' in text
    assert 'slipway_operation_calls_total{operation="snk.run"} 10.0' in text
    assert "slipway_active_operations 0.0" in text


def test_an_unknown_run_is_not_found(driven):
    async def scenario(stub, _):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.Pause(messages.RunName(label="gone"))
        return failure.value.code()

    assert driven(scenario) is grpc.StatusCode.NOT_FOUND


def test_health_is_served_and_reflection_is_not(driven):
    async def scenario(_, server):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            reflection = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await reflection(iter([b""])).read()
        return health.status, failure.value.code()

    assert driven(scenario) == (health_pb2.HealthCheckResponse.SERVING, grpc.StatusCode.UNIMPLEMENTED)
