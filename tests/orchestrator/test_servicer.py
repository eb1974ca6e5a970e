"""Graphene's service, as its clients know it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from support.pipelines import Pipeline, served

from shared.orchestration.generated import orchestrator_pb2 as messages
from shared.orchestration.generated.orchestrator_pb2_grpc import OrchestratorStub

Label = messages.RunLabel
Observation = messages.OrchestrationObservationConfiguration


def request(pipeline: Pipeline, **more: Any) -> messages.OrchestrationConfiguration:
    configuration = pipeline.configuration()
    return messages.OrchestrationConfiguration(
        blueprint=configuration.blueprint.decode(),
        dockerinfo=configuration.dockerinfo,
        protofiles={name: content.decode() for name, content in configuration.protos.items()},
        **more,
    )


@pytest.fixture
def driven(tmp_path) -> Callable[..., Any]:
    """Run a scenario against a served orchestrator."""

    def drive(scenario: Callable[[Any], Awaitable[Any]], **environ: str) -> Any:
        async def main() -> Any:
            async with (
                served(tmp_path, **environ) as server,
                grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
            ):
                return await asyncio.wait_for(scenario(OrchestratorStub(channel)), 30)

        return asyncio.run(main())

    return drive


def chain(pipeline: Pipeline, count: int | None = 5) -> Pipeline:
    pipeline.op("src", "uu", "source", count=count).op("map", "uu", "echo").op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk").prepare()
    return pipeline


async def ended(stub: Any) -> messages.OrchestrationStatus:
    while True:
        status = await stub.get_status(Label())
        if not status.active_threads:
            assert status.message != "running", "who waits for the end takes this for it"
            return status
        await asyncio.sleep(0.02)


def test_initialize_run_and_the_end_are_told_truly(pipeline, driven):
    async def scenario(stub):
        before = await stub.get_status(Label(label="test"))
        initialized = await stub.initialize(request(chain(pipeline)))
        running = await stub.run(Label())
        return before, initialized, running, await ended(stub)

    before, initialized, running, after = driven(scenario)

    assert (before.success, before.message, before.active_threads) == (True, "not initialized", 0)
    assert (initialized.success, initialized.code, initialized.active_threads) == (True, 0, 0)
    assert (running.success, running.active_threads) == (True, 3)
    assert (after.success, after.message, after.active_threads) == (True, "completed", 0)
    assert pipeline.received("snk") == [1, 2, 3, 4, 5]


def test_a_pipeline_runs_again_and_again(pipeline, driven):
    async def scenario(stub):
        await stub.initialize(request(chain(pipeline, count=None), iterations=3))
        for _ in range(3):
            assert (await stub.run(Label())).success
            await ended(stub)

    driven(scenario)

    assert len(pipeline.received("snk")) == 9


def test_another_pipeline_replaces_the_first_even_while_it_runs(pipeline, host, driven):
    other = Pipeline(host)

    async def scenario(stub):
        await stub.initialize(request(chain(pipeline, count=None)))
        await stub.run(Label())
        await stub.initialize(request(chain(other)))
        await stub.run(Label())
        return await ended(stub)

    assert driven(scenario).message == "completed"
    assert other.received("snk") == [1, 2, 3, 4, 5]


def test_two_runs_go_on_side_by_side_and_stop_one_by_one(pipeline, driven):
    async def scenario(stub):
        await stub.initialize(request(chain(pipeline, count=None)))
        await stub.run(Label(label="one"))
        await stub.run(Label(label="two"))
        both = await stub.get_status(Label())
        one = await stub.get_status(Label(label="one"))
        await stub.stop_orchestration(Label(label="one"))
        left = await stub.get_status(Label())
        unknown = await stub.get_status(Label(label="test"))
        await stub.stop_orchestration(Label())
        return [status.active_threads for status in (both, one, left, unknown, await stub.get_status(Label()))]

    assert driven(scenario) == [6, 3, 3, 3, 0]


def test_a_second_run_of_an_active_label_is_refused(pipeline, driven):
    async def scenario(stub):
        await stub.initialize(request(chain(pipeline, count=None)))
        await stub.run(Label(label="a"))
        return await stub.run(Label(label="a"))

    status = driven(scenario)

    assert (status.success, status.code) == (False, 9)
    assert status.message == 'a run with the label "a" is active: stop it first'


def test_run_before_initialize_is_refused(driven):
    status = driven(lambda stub: stub.run(Label()))

    assert (status.success, status.message) == (
        False,
        "expected an initialised pipeline, found none: call initialize first",
    )


def test_two_observers_each_see_every_event_under_graphenes_names(pipeline, driven):
    async def watched(call):
        seen = []
        while not seen or seen[-1][0] != "run.finished":
            event = await call.read()
            seen.append((event.name, event.component, dict(event.detail)))
        return seen

    async def scenario(stub):
        calls = [stub.observe(Observation(name_regex=".*", component_regex=".*")) for _ in range(2)]
        for call in calls:
            await call.initial_metadata()
        watching = [asyncio.create_task(watched(call)) for call in calls]
        await stub.initialize(request(chain(pipeline, count=1)))
        await stub.run(Label())
        return await asyncio.gather(*watching)

    first, second = driven(scenario)

    assert first == second
    assert [name for name, _, _ in first][:5] == [
        "create_core",
        "create_manager",
        "create_threads",
        "register_queues",
        "initialized",
    ]
    component = "OrchestrationThreadBase[component=map,svc=Map,rpc=run]"
    assert ("RPC.call", component, {"rpc": "run", "message": "id: 1\n"}) in first
    assert ("distributing output message", component, {"rpc": "run", "message": "id: 1\n"}) in first
    assert ("RPC.finished", component, {"rpc": "run"}) in first
    assert ("thread.start", component, {}) in first
    assert ("thread.terminate", component, {}) in first
    queue = "OrchestrationQueue[map_run]"
    assert ("queue.added", queue, {"queue": "map_run", "message": "id: 1\n"}) in first
    assert ("queue.consumed", queue, {"queue": "map_run", "message": "id: 1\n"}) in first


def test_an_observer_s_patterns_filter_by_the_start_of_name_and_component(pipeline, driven):
    async def scenario(stub):
        call = stub.observe(Observation(name_regex="thread", component_regex=".*svc=Snk"))
        await call.initial_metadata()
        await stub.initialize(request(chain(pipeline, count=1)))
        await stub.run(Label())
        return [(await call.read()).name for _ in range(2)]

    assert driven(scenario) == ["thread.start", "thread.terminate"]


@pytest.mark.parametrize("pattern", ["(", "(?=x)", "x" * 1001])
def test_a_bad_pattern_is_told_and_not_compiled(driven, pattern):
    async def scenario(stub):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await stub.observe(Observation(name_regex=pattern)).read()
        return failure.value.code(), failure.value.details()

    code, details = driven(scenario)

    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("name_regex: expected")


def test_initialize_tells_every_error_at_once_and_keeps_the_former_pipeline(pipeline, host, driven):
    bad = Pipeline(host)
    bad.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")
    wrong = request(bad)
    wrong.dockerinfo = '{"docker_info_list": [{"container_name": "src", "ip_address": "10.0.0.1", "port": 1}]}'
    wrong.protofiles["src.proto"] = wrong.protofiles["src.proto"].replace("rpc run", "rpc walk")

    async def scenario(stub):
        await stub.initialize(request(chain(pipeline)))
        refused = await stub.initialize(wrong)
        await stub.run(Label())
        return refused, await ended(stub)

    refused, after = driven(scenario)

    assert (refused.success, refused.code) == (False, 3)
    assert [line.split(": ")[1] for line in refused.message.splitlines()] == [
        "dockerinfo.json $.docker_info_list[0]",
        "$.nodes[0].operation_signature_list[0].operation_signature",
        "$.nodes[1]",
    ]
    assert after.message == "completed"


def test_a_failed_run_is_told_with_its_reason(pipeline, driven):
    pipeline.op("src", "us", "source", count=3).op("snk", "uu", "sink", fail_ids=[2], code="INVALID_ARGUMENT")
    pipeline.edge("src", "snk").prepare()

    async def scenario(stub):
        await stub.initialize(request(pipeline))
        await stub.run(Label())
        return await ended(stub)

    status = driven(scenario)

    assert (status.success, status.code, status.active_threads) == (False, 10, 0)
    assert status.message == "failed: snk.run: INVALID_ARGUMENT: poison"
