"""Splitters and collators run inside the orchestrator, by their maps."""

from __future__ import annotations

from support.pipelines import completed


def test_a_copy_splitter_gives_every_target_the_whole_message(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=3).internal("split", "Splitter", splitter_type="Copy-based")
    pipeline.op("a", "uu", "sink").op("b", "su", "sink").edge("src", "split", "a").edge("split", "b")

    run = completed(pipeline, tmp_path)

    assert run.state == "completed"
    assert (pipeline.received("a"), pipeline.received("b")) == ([1, 2, 3], [1, 2, 3])


def output(target: str, source_tag: str, target_tag: str) -> dict[str, dict[str, str]]:
    return {"output_field": {"target_name": target, "parameter_tag": target_tag, "mapped_to_field": source_tag}}


def test_a_parameter_splitter_gives_every_target_its_fields(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=2, size=3)
    outputs = [output("a", "1", "1"), output("b", "2", "7")]
    pipeline.internal("split", "Splitter", splitter_type="Parameter-based", map_outputs=outputs)
    pipeline.op("a", "uu", "sink", takes="Id").op("b", "uu", "sink", takes="Blob")
    pipeline.nodes["a"]["messages"] = "message Id { int64 id = 1; }"
    pipeline.nodes["b"]["messages"] = "message Blob { bytes data = 7; }"
    pipeline.edge("src", "split", "a").edge("split", "b")

    completed(pipeline, tmp_path)

    assert pipeline.received("a") == [1, 2]
    assert pipeline.host.about()["sizes"][pipeline.paths["b"]] == 2 * len(b"\x3a\x03xxx")


def test_an_array_collator_joins_the_nth_messages_of_its_edges(pipeline, tmp_path):
    pipeline.op("a", "us", "source", count=3).op("b", "us", "source", count=3)
    pipeline.internal("join", "Collator", collator_type="Array-based").op("snk", "uu", "sink", takes="Items")
    pipeline.nodes["snk"]["messages"] = (
        "message Item { int64 id = 1; bytes payload = 2; } message Items { repeated Item items = 4; }"
    )
    pipeline.edge("a", "join", "snk").edge("b", "join")

    run = completed(pipeline, tmp_path)

    assert run.state == "completed"
    # Two elements of field 4, each of two bytes.
    assert pipeline.host.about()["sizes"][pipeline.paths["snk"]] == 3 * 2 * len(b"\x22\x02\x08\x01")


def field(source: str, source_tag: str, target_tag: str) -> dict[str, dict[str, str]]:
    return {"input_field": {"source_name": source, "parameter_tag": source_tag, "mapped_to_field": target_tag}}


def test_a_parameter_collator_builds_one_message_from_the_fields_of_its_sources(pipeline, tmp_path):
    pipeline.op("a", "us", "source", count=2).op("b", "us", "source", count=2, size=5)
    inputs = [field("a", "1", "1"), field("b", "2", "2")]
    pipeline.internal("join", "Collator", collator_type="Parameter-based", map_inputs=inputs)
    pipeline.op("snk", "uu", "sink").edge("a", "join", "snk").edge("b", "join")

    completed(pipeline, tmp_path)

    assert pipeline.received("snk") == [1, 2]
    assert pipeline.host.about()["sizes"][pipeline.paths["snk"]] == 2 * len(b"\x08\x01\x12\x05xxxxx")


def test_what_finds_no_partner_in_a_collator_counts_as_undelivered(pipeline, tmp_path):
    pipeline.op("a", "us", "source", count=5).op("b", "us", "source", count=2)
    inputs = [field("a", "1", "1"), field("b", "1", "2")]
    pipeline.internal("join", "Collator", collator_type="Parameter-based", map_inputs=inputs)
    pipeline.op("snk", "uu", "sink").edge("a", "join", "snk").edge("b", "join")

    run = completed(pipeline, tmp_path)

    assert run.state == "completed"
    assert len(pipeline.received("snk")) == 2
    assert (run.account.entered, run.account.delivered, run.account.undelivered) == (9, 6, 3)
