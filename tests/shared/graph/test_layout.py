"""Geometry: no box on another, every link from port to port, wide drawings folded."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.graph.layers import Link
from shared.graph.layout import Box, Layout, Placed, layout


def boxes(count: int) -> list[Box]:
    return [Box(120.0, 60.0)] * count


def chain(count: int) -> list[Link]:
    return [Link(n, 0.5, n + 1, 0.5) for n in range(count - 1)]


def overlap(one: Placed, other: Placed) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def overlapping(drawing: Layout) -> list[tuple[Placed, Placed]]:
    pairs = [(a, b) for number, a in enumerate(drawing.boxes) for b in drawing.boxes[number + 1 :]]
    return [pair for pair in pairs if overlap(*pair)]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Box], list[Link]]:
    count = draw(st.integers(1, 14))
    sizes = st.builds(Box, st.floats(80, 260), st.floats(30, 160))
    box, port = st.integers(0, count - 1), st.floats(0.1, 0.9)
    return (
        draw(st.lists(sizes, min_size=count, max_size=count)),
        draw(st.lists(st.builds(Link, box, port, box, port), max_size=24)),
    )


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_no_box_covers_another_and_all_lie_within_the_picture(graph: tuple[list[Box], list[Link]]) -> None:
    drawing = layout(*graph)

    assert overlapping(drawing) == []
    assert all(p.x >= 0 and p.y >= 0 for p in drawing.boxes)
    assert all(p.x + p.width <= drawing.width + 0.01 for p in drawing.boxes)
    assert all(p.y + p.height <= drawing.height + 0.01 for p in drawing.boxes)


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_every_link_leaves_its_source_to_the_right_and_enters_its_target_from_the_left(
    graph: tuple[list[Box], list[Link]],
) -> None:
    drawing = layout(*graph)

    for link, route in zip(graph[1], drawing.routes, strict=True):
        source, target = drawing.boxes[link.source], drawing.boxes[link.target]
        (x, y), (end_x, end_y) = route.points[0], route.points[-1]
        assert (round(x - source.x - source.width, 6), round(end_x - target.x, 6)) == (0, 0)
        assert abs(y - source.y - link.source_port * source.height) < 0.01
        assert abs(end_y - target.y - link.target_port * target.height) < 0.01


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_lines_that_are_led_around_touch_no_box_on_their_lanes(graph: tuple[list[Box], list[Link]]) -> None:
    drawing = layout(*graph)

    lanes = [pair for route in drawing.routes if route.square for pair in pairwise(route.points)]
    level = [(min(a[0], b[0]), max(a[0], b[0]), a[1]) for a, b in lanes if a[1] == b[1]]
    hit = [
        (lane, box)
        for lane in level
        for box in drawing.boxes
        if box.y < lane[2] < box.y + box.height and lane[0] < box.x + box.width - 0.01 and box.x + 0.01 < lane[1]
    ]
    assert hit == []


def test_a_chain_runs_level() -> None:
    drawing = layout(boxes(4), chain(4))

    assert {place.y for place in drawing.boxes} == {0.0}
    assert [place.x for place in drawing.boxes] == [0.0, 192.0, 384.0, 576.0]


def test_a_cycle_is_closed_below_the_boxes() -> None:
    drawing = layout(boxes(2), [Link(0, 0.5, 1, 0.5), Link(1, 0.5, 0, 0.5)])

    assert [route.square for route in drawing.routes] == [False, True]
    assert max(y for _, y in drawing.routes[1].points) == 70.0


def test_two_links_that_are_led_around_never_share_a_lane() -> None:
    cycles = [Link(0, 0.5, 1, 0.5), Link(1, 0.5, 2, 0.5), Link(2, 0.3, 1, 0.7), Link(2, 0.7, 0, 0.7)]

    drawing = layout(boxes(3), cycles)

    assert sorted(max(y for _, y in route.points) for route in drawing.routes if route.square) == [70.0, 80.0]


def test_a_link_to_the_box_itself_goes_around_it() -> None:
    (route,) = layout(boxes(1), [Link(0, 0.3, 0, 0.7)]).routes

    assert route.square
    assert max(y for _, y in route.points) == 70.0


def test_a_chain_of_thirty_is_folded_like_text() -> None:
    drawing = layout(boxes(30), chain(30))

    assert drawing.width < 1300
    assert len({place.y for place in drawing.boxes}) == 5


def test_a_link_over_several_bands_goes_through_the_margin() -> None:
    drawing = layout(boxes(30), [*chain(30), Link(0, 0.5, 29, 0.5), Link(29, 0.5, 0, 0.5)])

    leftmost = min(place.x for place in drawing.boxes)
    assert all(route.square for route in drawing.routes[-2:])
    assert all(min(x for x, _ in route.points) < leftmost - 40 for route in drawing.routes[-2:])


def test_parts_without_links_stand_in_rows() -> None:
    drawing = layout(boxes(40), [])

    assert len({place.y for place in drawing.boxes}) > 4
    assert overlapping(drawing) == []


def test_an_empty_graph_is_an_empty_drawing() -> None:
    assert layout([], []) == Layout(0.0, 0.0, (), ())
