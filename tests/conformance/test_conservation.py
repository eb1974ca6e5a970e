"""Random graphs: what enters an edge is delivered, dead-lettered, dropped or reported; and nodes get exactly what is due."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.pipelines import Host, Pipeline, completed

KINDS = st.sampled_from(["uu", "us", "ss"])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[str, int]], list[str], set[tuple[int, int]]]:
    """Return sources (kind, count), the kinds of the other operations, and edges from lower to higher index."""
    sources = draw(st.lists(st.tuples(st.sampled_from(["uu", "us"]), st.integers(0, 12)), min_size=1, max_size=3))
    others = draw(st.lists(KINDS, min_size=1, max_size=5))
    first, total = len(sources), len(sources) + len(others)
    edges: set[tuple[int, int]] = set()
    for target in range(first, total):
        edges |= {(source, target) for source in draw(st.sets(st.integers(0, target - 1), min_size=1, max_size=3))}
    return sources, others, edges


def built(
    host: Host, graph: tuple[list[tuple[str, int]], list[str], set[tuple[int, int]]], **behaviour: object
) -> Pipeline:
    sources, others, edges = graph
    pipeline = Pipeline(host)
    for index, (kind, count) in enumerate(sources):
        pipeline.op(f"n{index}", kind, "source", count=count)
    for index, kind in enumerate(others, start=len(sources)):
        pipeline.op(f"n{index}", kind, "echo", **behaviour)
    for source, target in sorted(edges):
        pipeline.edge(f"n{source}", f"n{target}")
    return pipeline


def due(graph: tuple[list[tuple[str, int]], list[str], set[tuple[int, int]]]) -> dict[int, Counter[int]]:
    """Return what each operation gives: every message of every edge into it, once."""
    sources, others, edges = graph
    gives = {index: Counter(range(1, count + 1)) for index, (_, count) in enumerate(sources)}
    for target in range(len(sources), len(sources) + len(others)):
        gives[target] = sum((gives[source] for source, end in edges if end == target), Counter())
    return gives


@pytest.mark.timeout(300)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(graph=graphs(), queuesize=st.integers(1, 5))
def test_every_node_gets_exactly_what_is_due(host, graph, queuesize):
    pipeline = built(host, graph)

    with tempfile.TemporaryDirectory() as folder:
        run = completed(pipeline, Path(folder), queuesize=queuesize)

    expected = due(graph)
    first = len(graph[0])
    received = {index: Counter(pipeline.received(f"n{index}")) for index in range(first, first + len(graph[1]))}
    assert run.state == "completed"
    assert received == {index: expected[index] for index in received}
    account = run.account
    assert (account.entered, account.undelivered) == (sum(map(Counter.total, received.values())), 0)
    assert account.delivered == account.entered


@pytest.mark.timeout(300)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(graph=graphs(), poison=st.sets(st.integers(1, 12), max_size=3))
def test_what_cannot_be_delivered_is_counted(host, graph, poison):
    unary = (graph[0], ["uu"] * len(graph[1]), graph[2])
    pipeline = built(host, unary, fail_ids=sorted(poison))
    pipeline.orchestration = {"operations": {"*": {"when_exhausted": "skip"}}}

    with tempfile.TemporaryDirectory() as folder:
        run = completed(pipeline, Path(folder))

    received = sum(len(pipeline.received(name)) for name in pipeline.paths)
    account = run.account
    assert run.state == "completed"
    assert (account.delivered, account.undelivered) == (received, 0)
    assert account.entered == account.delivered + account.dead_lettered
