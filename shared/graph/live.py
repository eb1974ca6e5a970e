"""What a picture can tell of a graph that runs: a lamp and a word for each node, figures along the edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.graph.layout import Placed, Route
from shared.graph.writing import length, safe, shortened
from shared.solution import Edge

STRIP = 23.0  # height at the bottom of a card
LEAST_WIDTH = 158.0  # of a card with a strip
WORD_LENGTH = 20  # of what a node does
_LAMP = 4.2  # radius
_ABOVE, _BELOW = 6.0, 14.0  # of figures, from their line


class Light(StrEnum):
    """The colour of a lamp; each has a shape of its own too."""

    GOOD = "good"
    BUSY = "busy"
    BAD = "bad"
    STILL = "still"


@dataclass(frozen=True, slots=True)
class Lamp:
    """What one node does now."""

    light: Light
    word: str
    more: str = ""
    """At the other end of the strip: a few signs."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes along one edge now; a word that is empty is not written, but has its place."""

    rate: str = ""
    queue: str = ""
    is_moving: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """What is known; a node or an edge that is missing is drawn as ever."""

    nodes: Mapping[str, Lamp] = field(default_factory=dict)
    edges: Mapping[Edge, Flow] = field(default_factory=dict)


def strip(lamp: Lamp, place: Placed) -> Iterator[str]:
    """Write the bottom of a card."""
    top = place.height - STRIP
    middle = top + STRIP / 2
    yield f'<g class="g-now g-{lamp.light}"><path class="g-rule" d="M0 {length(top)}H{length(place.width)}"/>'
    yield _lamp(lamp.light, 18.0, middle)
    word = safe(shortened(lamp.word, WORD_LENGTH))
    yield f'<text class="g-word" x="29" y="{length(middle + 4)}">{word}</text>'
    if lamp.more:
        right = length(place.width - 12.0)
        yield f'<text class="g-word g-more" x="{right}" y="{length(middle + 4)}">{safe(lamp.more)}</text>'
    yield "</g>"


def _lamp(light: Light, x: float, y: float) -> str:
    if light is Light.BAD:
        return f'<rect class="g-lamp" x="{length(x - _LAMP)}" y="{length(y - _LAMP)}" width="8.4" height="8.4"/>'
    return f'<circle class="g-lamp" cx="{length(x)}" cy="{length(y)}" r="{_LAMP}"/>'


def figures(flow: Flow, route: Route) -> str:
    """Write the figures of an edge at its middle: how fast above the line, how many wait below."""
    x, y = _middle(route)
    return (
        f'<text class="g-figure g-rate" x="{length(x)}" y="{length(y - _ABOVE)}">{safe(flow.rate)}</text>'
        f'<text class="g-figure g-queue" x="{length(x)}" y="{length(y + _BELOW)}">{safe(flow.queue)}</text>'
    )


def _middle(route: Route) -> tuple[float, float]:
    """Return a point on the way: the middle of the first curve, or of the longest level line around boxes."""
    pairs = list(zip(route.points, route.points[1:], strict=False))
    (x, y), (to_x, to_y) = max(pairs, key=lambda pair: abs(pair[0][0] - pair[1][0])) if route.square else pairs[0]
    return (x + to_x) / 2, (y + to_y) / 2
