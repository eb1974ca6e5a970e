"""Traces follow the messages along the edges, as a collector sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from support.otlp import Collector, collecting
from support.pipelines import Pipeline, completed, served


@pytest.fixture
def collector(monkeypatch) -> Iterator[Collector]:
    with collecting() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{running.port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        yield running


def traced(pipeline: Pipeline, folder, **more):
    return completed(pipeline, folder, SLIPWAY_TRACING="true", **more)


def name(pipeline: Pipeline, operation: str) -> str:
    return pipeline.paths[operation].removeprefix("/")


def contexts(pipeline: Pipeline, operation: str) -> list[tuple[str, str]]:
    """Return the trace and the span that a node was told of, by call."""
    values = (value.split("-") for value in pipeline.host.about()["metadata"][pipeline.paths[operation]])
    return [(trace, span) for _, trace, span, _ in values]


def test_a_chain_of_calls_is_one_trace(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("map", "uu", "echo").op("snk", "uu", "sink").edge("src", "map", "snk")

    traced(pipeline, tmp_path, iterations=1)

    source, middle, sink = (collector.one(name(pipeline, node)) for node in ("src", "map", "snk"))
    assert len(collector.spans) == 3
    assert {source.trace, middle.trace, sink.trace} == {source.trace}
    assert (source.parent, middle.parent, sink.parent) == ("", source.id, middle.id)


def test_a_call_is_described_by_the_conventions_for_rpc(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source", size=10).op("snk", "uu", "sink").edge("src", "snk")

    traced(pipeline, tmp_path, iterations=1)

    span = collector.one(name(pipeline, "snk"))
    assert (span.kind, span.service, span.is_error, span.events) == ("CLIENT", "slipway-orchestrator", False, ())
    assert span.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": f"{pipeline.package}.Snk/run",
        "rpc.response.status_code": "OK",
        "server.address": "127.0.0.1",
        "server.port": pipeline.host.port,
        "slipway.run": "",
        "slipway.node": "snk",
        "slipway.operation": "run",
        "slipway.message.bytes": 14,
        "slipway.answers": 1,
        "slipway.answers.bytes": 0,
    }


def test_the_node_continues_the_span_of_its_call(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")

    traced(pipeline, tmp_path, iterations=1)

    span = collector.one(name(pipeline, "snk"))
    assert contexts(pipeline, "snk") == [(span.trace, span.id)]


def test_every_message_of_a_source_begins_a_trace(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")

    traced(pipeline, tmp_path, iterations=3)

    sources, sinks = collector.named(name(pipeline, "src")), collector.named(name(pipeline, "snk"))
    assert len({span.trace for span in sources}) == 3
    assert {span.parent for span in sinks} == {span.id for span in sources}


def test_copies_have_the_same_parent(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("a", "uu", "sink").op("b", "uu", "sink")
    pipeline.edge("src", "a").edge("src", "b")

    traced(pipeline, tmp_path, iterations=1)

    source = collector.one(name(pipeline, "src"))
    assert [collector.one(name(pipeline, node)).parent for node in ("a", "b")] == [source.id, source.id]


def test_several_calls_at_once_keep_their_traces(pipeline, tmp_path, collector):
    pipeline.orchestration = {"operations": {"map.run": {"concurrency": 4}}}
    pipeline.op("src", "uu", "source").op("map", "uu", "echo", delay=0.05).op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk")

    traced(pipeline, tmp_path, iterations=8)

    calls = {span.id: span for span in collector.named(name(pipeline, "map"))}
    assert len(calls) == 8
    assert all(calls[span.parent].trace == span.trace for span in collector.named(name(pipeline, "snk")))


def test_a_retry_is_an_event_of_the_same_span(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink", fail_calls=[1, 2]).edge("src", "snk")

    traced(pipeline, tmp_path, iterations=1)

    span = collector.one(name(pipeline, "snk"))
    failed = {"rpc.response.status_code": "UNAVAILABLE", "slipway.reason": "UNAVAILABLE: as the test wants"}
    assert span.events == (("slipway.try.failed", failed),) * 2
    assert (span.attributes["slipway.tries"], span.attributes["rpc.response.status_code"]) == (3, "OK")
    assert not span.is_error


def test_a_message_that_is_given_up_is_an_error(pipeline, tmp_path, collector):
    pipeline.orchestration = {"operations": {"snk.run": {"when_exhausted": "skip"}}}
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink", fail_ids=[1]).edge("src", "snk")

    traced(pipeline, tmp_path, iterations=1)

    span = collector.one(name(pipeline, "snk"))
    assert (span.is_error, span.message) == (True, "UNKNOWN: poison")
    assert (span.attributes["error.type"], span.attributes["rpc.response.status_code"]) == ("UNKNOWN", "UNKNOWN")


def test_the_end_of_data_is_no_error(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source", count=1).op("snk", "uu", "sink").edge("src", "snk")

    traced(pipeline, tmp_path)

    first, last = sorted(
        collector.named(name(pipeline, "src")), key=lambda span: span.attributes["rpc.response.status_code"] != "OK"
    )
    assert last.attributes["rpc.response.status_code"] == "NOT_FOUND"
    assert (first.is_error, last.is_error, last.attributes.get("error.type")) == (False, False, None)


def test_what_a_server_stream_answers_follows_from_its_call(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("map", "us", "expand", times=3).op("snk", "uu", "sink")
    pipeline.edge("src", "map", "snk")

    traced(pipeline, tmp_path, iterations=1)

    call = collector.one(name(pipeline, "map"))
    assert (call.attributes["slipway.answers"], call.attributes["slipway.answers.bytes"]) == (3, 6)
    assert [span.parent for span in collector.named(name(pipeline, "snk"))] == [call.id] * 3


def test_a_source_that_streams_begins_a_trace_with_every_message(pipeline, tmp_path, collector):
    pipeline.op("src", "us", "source", count=2).op("snk", "uu", "sink").edge("src", "snk")

    traced(pipeline, tmp_path)

    stream, messages = (collector.named(f"{what}{name(pipeline, 'src')}") for what in ("", "receive "))
    assert (len(stream), stream[0].parent, stream[0].attributes["rpc.response.status_code"]) == (1, "", "OK")
    assert len({span.trace for span in (*stream, *messages)}) == 3
    assert [(span.parent, span.links) for span in messages] == [("", (stream[0].id,))] * 2
    assert {span.parent for span in collector.named(name(pipeline, "snk"))} == {span.id for span in messages}


def test_a_trace_passes_through_streams(pipeline, tmp_path, collector):
    pipeline.op("src", "us", "source", count=1).op("map", "ss", "echo").op("snk", "su", "sink")
    pipeline.edge("src", "map", "snk")

    traced(pipeline, tmp_path)

    steps = [("receive", "src"), ("send", "map"), ("receive", "map"), ("send", "snk")]
    hops = [collector.one(f"{what} {name(pipeline, node)}") for what, node in steps]
    assert {span.trace for span in hops} == {hops[0].trace}
    assert [span.parent for span in hops] == ["", *(span.id for span in hops[:-1])]


def test_a_message_in_a_stream_is_linked_to_the_stream(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("map", "ss", "echo").op("snk", "su", "sink").edge("src", "map", "snk")

    traced(pipeline, tmp_path, iterations=1)

    stream = collector.one(name(pipeline, "map"))
    assert (stream.parent, stream.attributes["slipway.answers"]) == ("", 1)
    assert [collector.one(f"{what} {stream.name}").links for what in ("send", "receive")] == [
        (stream.id,),
        (stream.id,),
    ]
    assert contexts(pipeline, "map") == [(stream.trace, stream.id)]


def test_the_answer_to_a_stream_is_linked_to_its_messages(pipeline, tmp_path, collector):
    pipeline.op("src", "us", "source", count=3).op("sum", "su", "echo").op("snk", "uu", "sink")
    pipeline.edge("src", "sum", "snk")

    traced(pipeline, tmp_path)

    sent = collector.named(f"send {name(pipeline, 'sum')}")
    answer = collector.one(f"receive {name(pipeline, 'sum')}")
    assert (answer.parent, answer.trace) == (sent[-1].id, sent[-1].trace)
    assert answer.links == (collector.one(name(pipeline, "sum")).id, sent[0].id, sent[1].id)
    assert collector.one(name(pipeline, "snk")).parent == answer.id


def test_a_stream_that_breaks_is_an_error_and_its_messages_are_sent_again(pipeline, tmp_path, collector):
    pipeline.op("src", "us", "source", count=2).op("snk", "su", "sink", abort_after=2).edge("src", "snk")

    traced(pipeline, tmp_path)

    streams = collector.named(name(pipeline, "snk"))
    assert sorted(span.is_error for span in streams) == [False, True]
    received = {span.id: span.trace for span in collector.named(f"receive {name(pipeline, 'src')}")}
    sent = collector.named(f"send {name(pipeline, 'snk')}")
    assert len(sent) == 4
    assert all(received[span.parent] == span.trace for span in sent)


def test_a_collator_continues_one_trace_and_links_the_others(pipeline, tmp_path, collector):
    pipeline.op("a", "uu", "source").op("b", "uu", "source")
    pipeline.internal("join", "Collator", collator_type="Array-based").op("snk", "uu", "sink", takes="Items")
    pipeline.nodes["snk"]["messages"] = (
        "message Item { int64 id = 1; bytes payload = 2; } message Items { repeated Item items = 4; }"
    )
    pipeline.edge("a", "join", "snk").edge("b", "join")

    traced(pipeline, tmp_path, iterations=1)

    a, b = (collector.one(name(pipeline, node)) for node in ("a", "b"))
    joined = collector.one("join join.run")
    assert (joined.kind, joined.trace, joined.parent, joined.links) == ("INTERNAL", a.trace, a.id, (b.id,))
    assert collector.one(name(pipeline, "snk")).parent == joined.id


def test_a_splitter_leaves_the_trace_as_it_is(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").internal("split", "Splitter", splitter_type="Copy-based")
    pipeline.op("snk", "uu", "sink").edge("src", "split", "snk")

    traced(pipeline, tmp_path, iterations=1)

    assert collector.one(name(pipeline, "snk")).parent == collector.one(name(pipeline, "src")).id


def test_a_call_that_a_stop_cuts_off_is_told_and_no_error(pipeline, tmp_path, collector):
    pipeline.op("src", "us", "source", count=1, endless=True).op("snk", "uu", "sink").edge("src", "snk")

    with pytest.raises(TimeoutError):
        traced(pipeline, tmp_path, seconds=0.5)

    stream = collector.one(name(pipeline, "src"))
    assert (stream.attributes["rpc.response.status_code"], stream.is_error) == ("CANCELLED", False)


def test_the_run_is_told(pipeline, tmp_path, collector):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk").prepare()

    async def scenario() -> None:
        async with served(tmp_path, SLIPWAY_TRACING="true") as server:
            await server.engine.initialize(pipeline.configuration(iterations=1))
            await (await server.engine.run("nightly")).ended()

    asyncio.run(scenario())

    assert {span.attributes["slipway.run"] for span in collector.spans} == {"nightly"}
