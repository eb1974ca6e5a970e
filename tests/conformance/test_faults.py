"""Nodes fail: nothing is missing that is not counted."""

from __future__ import annotations

import asyncio

import pytest
from support.pipelines import Pipeline, completed, hosted, served, start_host

from orchestrator import streams

IDS = list(range(1, 41))


def chain(pipeline: Pipeline, middle: str = "uu", **map_behaviour: object) -> Pipeline:
    pipeline.op("src", "us", "source", count=40).op("map", middle, "echo", **map_behaviour).op("snk", "uu", "sink")
    return pipeline.edge("src", "map", "snk")


@pytest.mark.parametrize("code", ["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_a_call_that_fails_for_now_is_made_again(pipeline, tmp_path, code):
    run = completed(chain(pipeline, fail_calls=[3, 4, 10], code=code), tmp_path)

    assert run.state == "completed"
    assert pipeline.received("snk") == IDS
    assert run.workers[1].figures.retries == 3


@pytest.mark.parametrize(("choice", "parked"), [("skip", 0), ("park", 1)])
def test_a_poison_message_is_skipped_or_parked_and_counted(pipeline, tmp_path, choice, parked):
    chain(pipeline, fail_ids=[7]).orchestration = {"operations": {"map.run": {"when_exhausted": choice}}}

    run = completed(pipeline, tmp_path)

    assert run.state == "completed"
    assert pipeline.received("snk") == [number for number in IDS if number != 7]
    assert (run.account.dead_lettered, run.workers[1].figures.parked) == (1, parked)
    files = list((tmp_path / "dead-letters").glob("*")) if parked else []
    assert [file.read_bytes() for file in files] == [b"\x02\x08\x07"] * parked


def test_a_poison_message_stops_the_run_by_default(pipeline, tmp_path):
    run = completed(chain(pipeline, fail_ids=[7]), tmp_path)

    assert (run.state, run.reason) == ("failed", "map.run: UNKNOWN: poison")
    account = run.account
    assert account.entered == account.delivered + account.undelivered


@pytest.mark.parametrize("kind", ["ss"])
def test_a_stream_that_breaks_is_opened_again_and_its_window_redelivered(pipeline, tmp_path, kind):
    run = completed(chain(pipeline, kind, abort_after=15), tmp_path)

    assert run.state == "completed"
    assert set(pipeline.received("snk")) == set(IDS)
    duplicates = len(pipeline.received("snk")) - len(IDS)
    assert 0 <= duplicates <= run.account.redelivered
    assert run.account.undelivered == 0


def test_a_broken_stream_may_dead_letter_instead_of_redelivering(pipeline, tmp_path):
    chain(pipeline, "ss", abort_after=15).orchestration = {"operations": {"map.run": {"unconfirmed": "dead-letter"}}}

    run = completed(pipeline, tmp_path)

    received = pipeline.received("snk")
    assert len(received) == len(set(received))
    assert run.account.dead_lettered > 0
    assert 40 - len(set(received)) <= run.account.dead_lettered


def test_what_had_left_the_replay_window_of_a_broken_stream_is_counted(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "WINDOW_MESSAGES", 3)

    run = completed(chain(pipeline, "ss", abort_after=15), tmp_path)

    missing = set(IDS) - set(pipeline.received("snk"))
    assert len(missing) <= run.account.unconfirmed
    assert 0 < run.account.unconfirmed <= run.account.delivered
    assert run.account.undelivered == 0


def test_a_node_that_comes_up_late_gets_everything(tmp_path):
    with hosted() as host:
        late = start_host()
        late.kill()
        pipeline = chain(Pipeline(host))
        pipeline.ports["snk"] = late.port

        async def scenario():
            async with served(tmp_path) as server:
                await server.engine.initialize(pipeline.configuration())
                run = await server.engine.run("")
                await asyncio.sleep(0.7)
                down = run.state, run.active_operations, run.workers[2].figures.last_error
                late.restart(pipeline.behaviours)
                await asyncio.wait_for(run.ended(), 20)
                return down, run

        pipeline.prepare()
        down, run = asyncio.run(scenario())
        received = late.about()["received"][pipeline.paths["snk"]]
        late.kill()

    assert down[:2] == ("running", 1)
    assert down[2].startswith("UNAVAILABLE")
    assert (run.state, received) == ("completed", IDS)


def test_a_node_that_never_comes_fails_the_run_when_patience_ends(pipeline, tmp_path):
    chain(pipeline).orchestration = {"operations": {"*": {"patience_seconds": 0.3}}}
    pipeline.ports = dict.fromkeys(pipeline.nodes, 1)

    async def scenario():
        async with served(tmp_path) as server:
            await server.engine.initialize(pipeline.configuration())
            run = await server.engine.run("")
            await asyncio.wait_for(run.ended(), 10)
            return run

    run = asyncio.run(scenario())

    assert run.state == "failed"
    assert run.reason.startswith("src.run: unreachable for 0.3 s: UNAVAILABLE")


def test_a_node_that_is_slow_for_ever_ends_with_its_deadline(pipeline, tmp_path):
    chain(pipeline, delay=30).orchestration = {"operations": {"map.run": {"deadline_seconds": 0.1, "retries": 1}}}

    run = completed(pipeline, tmp_path)

    assert run.state == "failed"
    assert run.reason.startswith("map.run: DEADLINE_EXCEEDED")


def test_garbage_into_a_splitter_is_counted_and_told(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=2).op("bad", "uu", "fixed", hex="0a05")
    outputs = [{"output_field": {"target_name": "snk", "parameter_tag": "1", "mapped_to_field": "1"}}]
    pipeline.internal("split", "Splitter", splitter_type="Parameter-based", map_outputs=outputs)
    pipeline.op("snk", "uu", "sink").edge("src", "bad", "split", "snk")

    run = completed(pipeline, tmp_path)

    assert run.state == "completed"
    assert (run.account.dead_lettered, pipeline.received("snk")) == (2, [])


def test_a_full_disk_budget_fails_the_run_with_words(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=30, size=2000).op("a", "us", "expand", times=50, delay=0.01)
    pipeline.edge("src", "a", "a")

    run = completed(pipeline, tmp_path, queuesize=2, SLIPWAY_DISK_BYTES="100")

    assert run.state == "failed"
    assert run.reason == "a.run: the disk budget of 100 bytes is used up"
