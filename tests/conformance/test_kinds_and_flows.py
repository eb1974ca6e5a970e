"""Messages travel along the edges: every one, in order, whatever the kinds of the operations."""

from __future__ import annotations

import pytest
from support.pipelines import completed

IDS = list(range(1, 51))


@pytest.mark.parametrize("sink", ["uu", "su"])
@pytest.mark.parametrize("middle", ["uu", "us", "ss"])
@pytest.mark.parametrize("source", ["uu", "us"])
def test_every_pairing_of_rpc_kinds_delivers_everything_in_order(pipeline, tmp_path, source, middle, sink):
    pipeline.op("src", source, "source", count=50).op("map", middle, "echo").op("snk", sink, "sink")
    pipeline.edge("src", "map", "snk")

    run = completed(pipeline, tmp_path)

    assert (run.state, run.reason) == ("completed", "")
    assert pipeline.received("snk") == IDS
    assert (run.account.entered, run.account.delivered, run.account.undelivered) == (100, 100, 0)


@pytest.mark.parametrize("source", ["uu", "us", "su", "ss"])
def test_every_kind_can_be_a_source(pipeline, tmp_path, source):
    count = 1 if source == "su" else 3
    pipeline.op("src", source, "source", count=count).op("snk", "uu", "sink").edge("src", "snk")

    run = completed(pipeline, tmp_path, iterations=1 if source == "su" else 0)

    assert run.state == "completed"
    assert pipeline.received("snk") == list(range(1, count + 1))


def test_a_client_stream_answers_when_its_data_end(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=50).op("sum", "su", "gather").op("snk", "uu", "sink")
    pipeline.edge("src", "sum", "snk")

    completed(pipeline, tmp_path)

    assert pipeline.received("sum") == IDS
    assert pipeline.received("snk") == [sum(IDS)]


def test_a_client_stream_that_answers_early_loses_and_repeats_nothing(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=50).op("sum", "su", "gather", after=5).op("snk", "uu", "sink")
    pipeline.edge("src", "sum", "snk")

    run = completed(pipeline, tmp_path)

    assert pipeline.received("sum") == IDS
    assert pipeline.received("snk") == [sum(IDS[start : start + 5]) for start in range(0, 50, 5)]
    assert run.account.redelivered == 0


def test_messages_per_call_ends_the_stream_for_the_node(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=50).op("sum", "su", "gather").op("snk", "uu", "sink")
    pipeline.edge("src", "sum", "snk")
    pipeline.orchestration = {"operations": {"sum.run": {"messages_per_call": 25}}}

    completed(pipeline, tmp_path)

    assert pipeline.received("snk") == [sum(IDS[:25]), sum(IDS[25:])]


def test_fan_out_gives_every_target_everything(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=50).op("a", "uu", "sink").op("b", "su", "sink").op("c", "uu", "sink")
    pipeline.edge("src", "a").edge("src", "b").edge("src", "c")

    completed(pipeline, tmp_path)

    assert [pipeline.received(name) for name in "abc"] == [IDS, IDS, IDS]


@pytest.mark.parametrize("sink", ["uu", "su"])
def test_fan_in_brings_everything_and_keeps_the_order_of_each_edge(pipeline, tmp_path, sink):
    pipeline.op("a", "us", "source", count=20).op("b", "us", "source", count=30).op("snk", sink, "sink")
    pipeline.edge("a", "snk").edge("b", "snk")

    completed(pipeline, tmp_path)

    received = pipeline.received("snk")
    assert sorted(received) == sorted([*range(1, 21), *range(1, 31)])


def test_one_message_may_become_many(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=3).op("x", "us", "expand", times=4).op("snk", "su", "sink")
    pipeline.edge("src", "x", "snk")

    completed(pipeline, tmp_path)

    assert pipeline.received("snk") == [100, 101, 102, 103, 200, 201, 202, 203, 300, 301, 302, 303]


@pytest.mark.parametrize("kind", ["us", "ss"])
def test_a_cycle_comes_to_rest_and_the_run_completes(pipeline, tmp_path, kind):
    pipeline.op("src", "us", "source", count=5).op("loop", kind, "countdown").op("snk", "su", "sink")
    pipeline.edge("src", "loop", "loop").edge("loop", "snk")

    run = completed(pipeline, tmp_path)

    assert run.state == "completed"
    assert sorted(pipeline.received("snk")) == sorted(n for top in range(1, 6) for n in range(1, top))


def test_a_long_cycle_under_load_cannot_deadlock(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=60).op("a", "uu", "echo").op("b", "us", "countdown").op(
        "snk", "uu", "sink"
    )
    pipeline.edge("src", "a", "b", "a").edge("b", "snk")

    run = completed(pipeline, tmp_path, queuesize=2)

    assert run.state == "completed"
    assert len(pipeline.received("snk")) == sum(range(60))


def test_an_edge_into_an_empty_input_is_a_trigger(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=4).op("t", "uu", "fixed", hex="0807", takes="Empty").op(
        "snk", "uu", "sink"
    )
    pipeline.edge("src", "t", "snk")

    completed(pipeline, tmp_path)

    assert pipeline.received("t") == [0, 0, 0, 0]
    assert pipeline.received("snk") == [7, 7, 7, 7]


@pytest.mark.parametrize("end", ["NOT_FOUND", "OUT_OF_RANGE"])
def test_a_source_ends_with_either_status(pipeline, tmp_path, end):
    pipeline.op("src", "uu", "source", count=3, end=end).op("snk", "uu", "sink").edge("src", "snk")

    assert completed(pipeline, tmp_path).state == "completed"
    assert pipeline.received("snk") == [1, 2, 3]


def test_iterations_limit_the_calls_of_a_source(pipeline, tmp_path):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")

    completed(pipeline, tmp_path, iterations=7)

    assert pipeline.received("snk") == [1, 2, 3, 4, 5, 6, 7]


def test_repeat_restarts_a_source_until_its_iterations_are_used_up(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=2).op("snk", "uu", "sink").edge("src", "snk")
    pipeline.orchestration = {"operations": {"src.run": {"repeat": True}}}

    completed(pipeline, tmp_path, iterations=3)

    assert pipeline.received("snk") == [1, 2, 1, 2, 1, 2]


def test_several_operations_of_one_node_are_served(pipeline, tmp_path):
    pipeline.op("n.make", "us", "source", count=3).op("n.change", "uu", "echo").op("n.keep", "su", "sink")
    pipeline.edge("n.make", "n.change", "n.keep")

    completed(pipeline, tmp_path)

    assert pipeline.received("n.keep") == [1, 2, 3]


def test_concurrency_keeps_the_order(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=50).op("map", "uu", "echo", delay=0.01).op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk")
    pipeline.orchestration = {"operations": {"map.run": {"concurrency": 8}}}

    completed(pipeline, tmp_path)

    assert pipeline.received("snk") == IDS
    assert 2 <= pipeline.host.about()["most"][pipeline.paths["map"]] <= 8


def test_messages_of_5_mb_pass(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=2, size=5_000_000).op("map", "ss", "echo").op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk")

    assert completed(pipeline, tmp_path).state == "completed"
    assert pipeline.host.about()["sizes"][pipeline.paths["snk"]] > 10_000_000


def test_a_message_larger_than_every_bound_passes_alone(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=3, size=50_000).op("map", "ss", "echo").op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk")

    run = completed(pipeline, tmp_path, SLIPWAY_QUEUE_BYTES="1000", SLIPWAY_MEMORY_BYTES="1000")

    assert run.state == "completed"
    assert pipeline.received("snk") == [1, 2, 3]


def test_a_message_above_the_limit_fails_the_run_with_words(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=1, size=2_000_000).op("snk", "uu", "sink").edge("src", "snk")

    run = completed(pipeline, tmp_path, SLIPWAY_MESSAGE_BYTES=str(1 << 20))

    assert run.state == "failed"
    assert "larger than max" in run.reason


def test_a_slow_sink_holds_the_source_back(pipeline, tmp_path):
    pipeline.op("src", "uu", "source", count=200).op("snk", "uu", "sink", delay=0.005).edge("src", "snk")
    pipeline.orchestration = {"edges": {"src.run -> snk.run": {"queue": 3}}}

    run = completed(pipeline, tmp_path)

    assert pipeline.received("snk") == list(range(1, 201))
    assert run.account.dropped == 0


@pytest.mark.parametrize(("overflow", "kept"), [("drop-oldest", 60), ("drop-newest", 1)])
def test_dropping_is_done_on_request_and_counted(pipeline, tmp_path, overflow, kept):
    pipeline.op("src", "us", "source", count=60).op("snk", "uu", "sink", delay=0.05).edge("src", "snk")
    pipeline.orchestration = {"edges": {"*": {"queue": 2, "overflow": overflow}}}

    run = completed(pipeline, tmp_path)

    received = pipeline.received("snk")
    assert run.account.dropped == 60 - len(received) > 0
    assert kept in received
