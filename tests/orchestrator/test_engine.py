"""Messages travel along the edges; `tests/conformance` shows it for every kind of graph."""

from __future__ import annotations

import pytest
from support.pipelines import completed

IDS = list(range(1, 51))


@pytest.mark.parametrize("middle", ["uu", "us", "ss"])
def test_a_chain_delivers_everything_in_order(pipeline, tmp_path, middle):
    pipeline.op("src", "us", "source", count=50).op("map", middle, "echo").op("snk", "su", "sink")
    pipeline.edge("src", "map", "snk")

    run = completed(pipeline, tmp_path)

    assert (run.state, run.reason) == ("completed", "")
    assert pipeline.received("snk") == IDS
    assert (run.account.entered, run.account.delivered, run.account.undelivered) == (100, 100, 0)


def test_a_cycle_comes_to_rest(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=5).op("loop", "us", "countdown").op("snk", "uu", "sink")
    pipeline.edge("src", "loop", "loop").edge("loop", "snk")

    assert completed(pipeline, tmp_path).state == "completed"
    assert len(pipeline.received("snk")) == 10


def test_a_call_that_fails_for_now_is_made_again(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=5).op("snk", "uu", "sink", fail_calls=[2]).edge("src", "snk")

    run = completed(pipeline, tmp_path)

    assert pipeline.received("snk") == [1, 2, 3, 4, 5]
    assert run.workers[1].figures.retries == 1


def test_a_poison_message_stops_the_run_with_words(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=5).op("snk", "uu", "sink", fail_ids=[3]).edge("src", "snk")

    run = completed(pipeline, tmp_path)

    assert (run.state, run.reason) == ("failed", "snk.run: UNKNOWN: poison")
    assert (run.account.entered, run.account.delivered, run.account.undelivered) == (5, 2, 3)
