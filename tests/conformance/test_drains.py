"""A drain stops the sources at once, and ends as soon as nothing is in flight."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.pipelines import served

GRACE = 20.0


def drained(pipeline, folder, *, after: float = 0.5):
    """Return the run, stopped by a drain, and the seconds that it took."""

    async def scenario():
        async with served(folder) as server:
            await server.engine.initialize(pipeline.configuration())
            run = await server.engine.run("")
            await asyncio.sleep(after)
            started = time.monotonic()
            await run.drain(GRACE)
            return run, time.monotonic() - started

    pipeline.prepare()
    return asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["uu", "us"])
def test_a_source_between_two_calls_is_not_waited_for(pipeline, tmp_path, kind):
    pipeline.op("src", kind, "source", count=2).op("map", "uu", "echo").op("snk", "su", "sink").edge(
        "src", "map", "snk"
    )
    pipeline.orchestration = {"operations": {"src.run": {"pause_seconds": 60, "repeat": True}}}

    run, seconds = drained(pipeline, tmp_path)

    assert (run.state, run.account.undelivered) == ("stopped", 0)
    assert run.account.delivered >= 2
    assert seconds < 3


def test_a_stream_without_end_that_is_silent_is_not_waited_for(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=5, endless=True).op("map", "ss", "echo").op("snk", "su", "sink")
    pipeline.edge("src", "map", "snk")

    run, seconds = drained(pipeline, tmp_path)

    assert (run.state, run.account.delivered, run.account.undelivered) == ("stopped", 10, 0)
    assert pipeline.received("snk") == [1, 2, 3, 4, 5]
    assert seconds < 5


def test_a_source_whose_node_is_away_is_not_waited_for(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=5).op("snk", "uu", "sink").edge("src", "snk")
    pipeline.ports = {"src": 1}

    run, seconds = drained(pipeline, tmp_path, after=3)  # by then, seconds lie between its tries

    assert (run.state, run.account.entered) == ("stopped", 0)
    assert seconds < 0.9


def test_what_a_slow_node_has_not_answered_is_waited_for_and_no_longer(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=3, endless=True).op("snk", "uu", "sink", delay=0.5).edge("src", "snk")

    run, seconds = drained(pipeline, tmp_path, after=0.3)

    assert (run.state, pipeline.received("snk")) == ("stopped", [1, 2, 3])
    assert 0.5 < seconds < 4


def test_a_source_that_is_held_back_rests_no_more_when_its_message_has_found_room(pipeline, tmp_path):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink", delay=0.4).edge("src", "snk")
    pipeline.orchestration = {
        "operations": {"src.run": {"pause_seconds": 0.01}},
        "edges": {"src.run -> snk.run": {"queue": 1}},
    }

    run, seconds = drained(pipeline, tmp_path)

    assert (run.state, run.account.undelivered) == ("stopped", 0)
    assert seconds < 5
