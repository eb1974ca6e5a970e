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


def test_branches_that_meet_in_a_collator_are_found():
    # 0 → 1 → 2 and 3; 2 and 3 → 4; 5 → 4 has nothing in common with them.
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (5, 4)]

    assert cycles.branching(6, edges, [4]) == {3, 4}
    assert cycles.branching(6, edges, []) == frozenset()


@settings(deadline=None)
@given(EDGES)
def test_branches_share_something_upstream(edges):
    def upstream(vertex):
        found = {vertex}
        while more := {source for source, target in edges if target in found} - found:
            found |= more
        return found

    arriving = [index for index, (_, target) in enumerate(edges) if target == 0]
    expected = {
        index
        for index in arriving
        if any(other != index and upstream(edges[index][0]) & upstream(edges[other][0]) for other in arriving)
    }

    assert cycles.branching(8, edges, [0]) == expected


def test_a_long_chain_needs_no_deep_stack():
    edges = [(number, number + 1) for number in range(20_000)]

    assert len(cycles.groups(20_001, edges)) == 20_001
    assert cycles.closing(20_001, edges) == frozenset()


@settings(max_examples=60, deadline=None)
@given(edges=EDGES)
def test_without_the_closing_edges_there_is_no_cycle(edges):
    closing = cycles.closing(8, edges)
    rest = [edge for index, edge in enumerate(edges) if index not in closing]

    assert all(len(group) == 1 for group in cycles.groups(8, rest))
    assert not any(source == target for source, target in rest)


@settings(max_examples=60, deadline=None)
@given(edges=EDGES)
def test_groups_come_upstream_first(edges):
    order = {member: index for index, group in enumerate(cycles.groups(8, edges)) for member in group}

    assert sorted(order) == list(range(8))
    assert all(order[source] <= order[target] for source, target in edges)
