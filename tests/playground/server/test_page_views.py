"""What the pages show of a deployment: words and rows from status and figures."""

from __future__ import annotations

import pytest

from playground.runtime.deployment import NodeStatus
from playground.server import page_views
from playground.server.glances import nothing
from shared.graph.live import Flow, Lamp, Light
from shared.solution import Edge, Solution

EDGE = Edge("a", "give", "b", "take")
FIGURES = {
    "source": "a",
    "sourceOperation": "give",
    "target": "b",
    "targetOperation": "take",
    "messages": 1234,
    "messagesPerSecond": 12.34,
    "queuedMessages": 40,
    "spilledMessages": 3,
    "dropped": 2,
}


@pytest.mark.parametrize(
    ("phase", "light"),
    [
        ("ready", Light.GOOD),
        ("completed", Light.GOOD),
        ("starting", Light.BUSY),
        ("pulling the image", Light.BUSY),
        ("a phase of tomorrow", Light.BUSY),
        ("crashed", Light.BAD),
        ("failed", Light.BAD),
        ("cannot pull the image", Light.BAD),
        ("waiting", Light.STILL),
        ("asleep", Light.STILL),
    ],
)
def test_a_node_has_the_light_of_its_phase(phase: str, light: Light) -> None:
    assert page_views.node_light(NodeStatus("a", "i", phase, is_ready=phase == "ready")) is light


def test_an_edge_is_listed_with_its_figures() -> None:
    (row,) = page_views.edges(None, {**nothing(""), "edges": [FIGURES]})

    assert row.key == "a.give:b.take"
    assert (row.messages, row.queued, row.spilled, row.dropped) == (1234, 40, 3, 2)
    assert row.flow == Flow("12/s", "40 waiting", is_moving=True)


def test_an_edge_is_listed_before_anything_has_run() -> None:
    solution = Solution("s", "1", is_pipeline=True, nodes=(), edges=(EDGE,), shared_folders=())

    (row,) = page_views.edges(solution, nothing(""))

    assert (row.edge, row.messages, row.flow) == (EDGE, 0, Flow("", "", is_moving=False))


def test_a_node_tells_its_last_error_and_what_it_has_set_aside() -> None:
    operations = [
        {"node": "a", "parked": 2, "lastError": ""},
        {"node": "a", "parked": 1, "lastError": "it does not answer"},
    ]

    rows = page_views.nodes(_Found(NodeStatus("a", "i", "ready")), {**nothing(""), "operations": operations})  # type: ignore[arg-type]

    assert (rows[0].parked, rows[0].last_error) == (3, "it does not answer")


class _Found:
    def __init__(self, *nodes: NodeStatus) -> None:
        self.nodes = nodes


def test_the_picture_tells_phases_and_restarts() -> None:
    rows = page_views.nodes(_Found(NodeStatus("a", "i", "crashed", restarts=3)), nothing(""))  # type: ignore[arg-type]

    assert page_views.live(rows, []).nodes == {"a": Lamp(Light.BAD, "crashed", "↻ 3")}


@pytest.mark.parametrize(
    ("number", "words"),
    [(0.0, ""), (0.04, "0.04/s"), (4.25, "4.2/s"), (99.6, "100/s"), (9999.0, "9999/s"), (25_400.0, "25 k/s")],
)
def test_a_rate_in_few_signs(number: float, words: str) -> None:
    assert page_views.rate(number) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_an_age_in_words(seconds: float, words: str) -> None:
    assert page_views.age(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (5 << 40, "5120 GiB")],
)
def test_a_size_in_words(number: int, words: str) -> None:
    assert page_views.size(number) == words


@pytest.mark.parametrize(("drawing", "width"), [("", 0.0), ('<svg class="graph" width="812.5" height="1">', 812.5)])
def test_how_wide_a_picture_wants_to_be(drawing: str, width: float) -> None:
    assert page_views.width(drawing) == width
