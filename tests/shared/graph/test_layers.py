"""Layers: cycles are opened, longest paths decide, few links cross."""

from __future__ import annotations

from shared.graph.layers import Link, arrange, components, ranks


def link(source: int, target: int, *, leaves: float = 0.5, enters: float = 0.5) -> Link:
    return Link(source, leaves, target, enters)


def test_a_box_stands_one_layer_after_the_last_that_feeds_it() -> None:
    assert ranks(4, [link(0, 1), link(1, 2), link(0, 3), link(2, 3)]) == [0, 1, 2, 3]


def test_a_source_that_is_needed_late_stands_next_to_what_needs_it() -> None:
    # 3 feeds only 2, which stands in the third layer.
    assert ranks(4, [link(0, 1), link(1, 2), link(3, 2)]) == [0, 1, 2, 1]


def test_a_cycle_is_opened_at_the_box_where_reading_starts() -> None:
    triangle = [link(0, 1), link(1, 2), link(2, 0)]

    assert ranks(3, triangle, starts=[1]) == [2, 0, 1]


def test_a_link_to_the_box_itself_changes_no_layer() -> None:
    assert ranks(2, [link(0, 0), link(0, 1), link(1, 1)]) == [0, 1]


def test_a_chain_of_five_hundred_boxes_needs_no_recursion() -> None:
    assert ranks(500, [link(n, n + 1) for n in range(499)]) == list(range(500))


def test_parts_without_a_link_between_them_are_told_apart() -> None:
    assert components(5, [link(0, 3), link(4, 1)]) == ((0, 3), (1, 4), (2,))


def test_boxes_are_ordered_so_that_links_do_not_cross() -> None:
    layers = arrange([0, 0, 1, 1], [link(0, 3), link(1, 2)], around=[])

    assert layers.rows == ((0, 1), (3, 2))


def test_the_height_of_ports_counts_in_the_order() -> None:
    # Both links leave box 0; the upper one leads to box 2.
    layers = arrange([0, 1, 1], [link(0, 1, leaves=0.8), link(0, 2, leaves=0.2)], around=[])

    assert layers.rows == ((0,), (2, 1))


def test_a_long_link_keeps_a_place_in_every_layer_that_it_passes() -> None:
    layers = arrange([0, 1, 2, 3], [link(0, 1), link(1, 2), link(2, 3), link(0, 3)], around=[])

    assert layers.chains[3] == (0, 4, 5, 3)
    assert [len(row) for row in layers.rows] == [1, 2, 2, 1]


def test_a_link_that_is_led_around_takes_no_place() -> None:
    layers = arrange([0, 1, 2], [link(0, 1), link(1, 2), link(2, 0)], around=[2])

    assert layers.chains == ((0, 1), (1, 2), ())
    assert layers.items == 3
