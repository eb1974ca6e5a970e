"""Cycles are found, and one edge of each closes it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import cycles

EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


def test_operations_that_reach_each_other_are_one_group():
    assert cycles.groups(5, [(0, 1), (1, 2), (2, 1), (2, 3), (3, 4)]) == ((0,), (1, 2), (3,), (4,))


def test_the_edge_that_leads_back_closes_the_cycle():
    assert cycles.closing(4, [(0, 1), (1, 2), (2, 3), (3, 1)]) == {3}


def test_an_operation_that_feeds_itself_is_a_cycle():
    assert cycles.closing(2, [(0, 1), (1, 1)]) == {1}


def test_a_long_chain_needs_no_deep_stack():
    edges = [(number, number + 1) for number in range(20_000)]

    assert len(cycles.groups(20_001, edges)) == 20_001
    assert cycles.closing(20_001, edges) == frozenset()


@settings(max_examples=60)
@given(edges=EDGES)
def test_without_the_closing_edges_there_is_no_cycle(edges):
    closing = cycles.closing(8, edges)
    rest = [edge for index, edge in enumerate(edges) if index not in closing]

    assert all(len(group) == 1 for group in cycles.groups(8, rest))
    assert not any(source == target for source, target in rest)


@settings(max_examples=60)
@given(edges=EDGES)
def test_groups_come_upstream_first(edges):
    order = {member: index for index, group in enumerate(cycles.groups(8, edges)) for member in group}

    assert sorted(order) == list(range(8))
    assert all(order[source] <= order[target] for source, target in edges)
