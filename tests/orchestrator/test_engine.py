"""Messages travel along the edges: every one, in order, whatever the kinds of the operations."""

from __future__ import annotations

from support.pipelines import completed

IDS = list(range(1, 51))


def test_a_unary_chain_delivers_everything_in_order(pipeline, tmp_path):
    pipeline.op("src", "uu", "source", count=50).op("map", "uu", "echo").op("snk", "uu", "sink").edge(
        "src", "map", "snk"
    )

    run = completed(pipeline, tmp_path)

    assert (run.state, run.reason) == ("completed", "")
    assert pipeline.received("snk") == IDS
