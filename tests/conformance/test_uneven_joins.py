"""What brings more than its partners to a collator, or to a merge, keeps no run from its end."""

from __future__ import annotations

import asyncio

import pytest
from support.pipelines import completed, served

QUEUE = 5


def joining(pipeline, *sources: str):
    """Add a collator `join` into `snk` that takes the id of the first source and the payload of the others."""
    tags = ["1", *("2" for _ in sources[1:])]
    fields = [
        {"input_field": {"source_name": source, "parameter_tag": tag, "mapped_to_field": tag}}
        for source, tag in zip(sources, tags, strict=True)
    ]
    pipeline.internal("join", "Collator", collator_type="Parameter-based", map_inputs=fields)
    for source in sources:
        pipeline.edge(source, "join")
    return pipeline.op("snk", "uu", "sink").edge("join", "snk")


@pytest.mark.parametrize("source", ["uu", "us"])
def test_a_run_ends_though_a_partner_ends_early_and_the_other_source_was_held_back(pipeline, tmp_path, source):
    pipeline.op("a", "us", "source", count=3).op("b", source, "source", count=300)
    joining(pipeline, "a", "b")

    run = completed(pipeline, tmp_path, seconds=10, queuesize=QUEUE)

    assert (run.state, pipeline.received("snk")) == ("completed", [1, 2, 3])
    # 3 pairs and their 3 joins arrive; the rest of b found no partner.
    assert (run.account.entered, run.account.delivered, run.account.undelivered) == (306, 9, 297)


def test_what_finds_no_partner_is_told_once_and_counted_each_time(pipeline, tmp_path):
    pipeline.op("a", "us", "source", count=3).op("b", "us", "source", count=300)
    joining(pipeline, "a", "b")

    run = completed(pipeline, tmp_path, seconds=10, queuesize=QUEUE)

    figures = next(worker.figures for worker in run.workers if worker.operation.node == "join")
    assert (figures.failures, figures.last_error) == (297, "a message found no partner on the other edges")


def test_a_source_without_end_whose_partner_has_ended_goes_on_in_bounded_memory_and_drains_at_once(pipeline, tmp_path):
    pipeline.op("a", "us", "source", count=3).op("b", "uu", "source")
    joining(pipeline, "a", "b")

    async def scenario():
        async with served(tmp_path) as server:
            await server.engine.initialize(pipeline.configuration(queuesize=QUEUE))
            run = await server.engine.run("")
            await asyncio.sleep(0.5)
            most = max(len(edge) for edge in run.edges)
            await asyncio.wait_for(run.drain(20), 5)
            return run, most

    pipeline.prepare()
    run, most = asyncio.run(scenario())

    assert (run.state, run.account.delivered, pipeline.received("snk")) == ("stopped", 9, [1, 2, 3])
    assert run.account.entered > 9 + QUEUE
    assert most <= QUEUE


def test_a_collator_in_a_cycle_ends_with_the_source_outside(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=3).op("seed", "us", "source", count=1).op("state", "uu", "echo")
    joining(pipeline, "src", "state").edge("seed", "state").edge("join", "state")

    run = completed(pipeline, tmp_path, seconds=10, queuesize=QUEUE)

    assert (run.state, pipeline.received("snk")) == ("completed", [1, 2, 3])
    assert pipeline.received("state") == [1, 1, 2, 3]
    assert run.account.undelivered == 1


@pytest.mark.parametrize("count", [3, 300])
def test_a_collator_in_a_cycle_that_has_gone_quiet_ends_though_a_source_is_held_back(pipeline, tmp_path, count):
    # The state answers nothing to its seed: no join ever happens.
    pipeline.op("src", "us", "source", count=count).op("seed", "us", "source", count=1).op("state", "us", "countdown")
    joining(pipeline, "src", "state").edge("seed", "state").edge("join", "state")

    run = completed(pipeline, tmp_path, seconds=10, queuesize=QUEUE)

    assert (run.state, pipeline.received("snk")) == ("completed", [])
    assert (run.account.entered, run.account.undelivered) == (count + 1, count)


def test_a_branch_that_brings_less_than_the_other_does_not_block_their_common_source(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=300).op("few", "su", "gather").op("all", "uu", "echo")
    pipeline.internal("split", "Splitter", splitter_type="Copy-based")
    joining(pipeline, "few", "all").edge("src", "split", "few").edge("split", "all")
    pipeline.orchestration = {"operations": {"few.run": {"messages_per_call": 100}}}

    run = completed(pipeline, tmp_path, seconds=20, queuesize=QUEUE)

    assert run.state == "completed"
    assert pipeline.received("snk") == [sum(range(start, start + 100)) for start in (1, 101, 201)]
    assert run.account.undelivered == 297


def test_branches_that_bring_the_same_are_held_back_by_a_slow_sink(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=60).op("one", "uu", "echo").op("two", "uu", "echo")
    pipeline.internal("split", "Splitter", splitter_type="Copy-based")
    joining(pipeline, "one", "two").edge("src", "split", "one").edge("split", "two")
    pipeline.behaviours[pipeline.paths["snk"]]["delay"] = 0.02

    async def scenario():
        async with served(tmp_path) as server:
            await server.engine.initialize(pipeline.configuration(queuesize=QUEUE))
            run = await server.engine.run("")
            most = 0
            while not run.state.is_end:
                await asyncio.wait([asyncio.create_task(run.ended())], timeout=0.05)
                most = max(most, *(edge.spilled for edge in run.edges))
            return run, most

    pipeline.prepare()
    run, most = asyncio.run(scenario())

    assert (run.state, pipeline.received("snk")) == ("completed", list(range(1, 61)))
    assert most <= QUEUE


@pytest.mark.parametrize("sink", ["uu", "su"])
def test_a_merge_goes_on_when_one_source_ends_while_the_other_is_held_back(pipeline, tmp_path, sink):
    slow = {"delay": 0.002} if sink == "uu" else {"pause": 0.002}
    pipeline.op("a", "us", "source", count=3).op("b", "us", "source", count=100).op("snk", sink, "sink", **slow)
    pipeline.edge("a", "snk").edge("b", "snk")

    run = completed(pipeline, tmp_path, seconds=10, queuesize=1)

    assert (run.state, run.account.delivered) == ("completed", 103)
    assert sorted(pipeline.received("snk")) == sorted([1, 2, 3, *range(1, 101)])


def test_a_merge_into_a_cycle_goes_on_when_one_source_ends_while_the_other_is_held_back(pipeline, tmp_path):
    pipeline.op("a", "us", "source", count=3).op("b", "us", "source", count=60).op("loop", "ss", "countdown")
    pipeline.op("snk", "uu", "sink").edge("a", "loop").edge("b", "loop", "loop").edge("loop", "snk")

    run = completed(pipeline, tmp_path, seconds=20, queuesize=1)

    assert run.state == "completed"
    assert len(pipeline.received("snk")) == sum(range(3)) + sum(range(60))
