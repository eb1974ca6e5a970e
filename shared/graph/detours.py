"""The ways of links that cannot run from left to right: back in a cycle, to the box itself, or to another band.

Each leaves its box to the right, goes down to a lane of its own below everything in its way, and comes back to the left
side of its target. Heights are relative to the top of a band until all lanes are known; only then a band knows its top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

STUB = 14.0  # from a box to the first line that is led around it
TRACK = 10.0  # between parallel lines
BAND_GAP = 34.0  # from the lowest lane to the next band

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a link: where it leaves or enters its box, how far down that box reaches, its layer and band."""

    box: int
    x: float
    y: float
    bottom: float
    layer: int
    band: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that a lane must run below: x from `left` to `right`, down to `bottom`."""

    left: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class _Way:
    """A link's lines: down at `out`, along its lanes (band and height), back at `back`, with two lanes over the margin."""

    source: End
    target: End
    out: float
    back: float
    margin: float
    lanes: tuple[tuple[int, float], ...]

    def points(self, tops: Sequence[float]) -> tuple[Point, ...]:
        heights = [tops[band] + y for band, y in self.lanes]
        start, end = tops[self.source.band] + self.source.y, tops[self.target.band] + self.target.y
        over = [] if len(heights) == 1 else [(self.margin, heights[0]), (self.margin, heights[1])]
        return (
            (self.source.x, start),
            (self.out, start),
            (self.out, heights[0]),
            *over,
            (self.back, heights[-1]),
            (self.back, end),
            (self.target.x, end),
        )


@dataclass(slots=True)
class Detours:
    """The lanes handed out so far, and with them the height of each band."""

    bands: Sequence[list[Obstacle]]
    """For each band its columns, and the lanes as they come."""
    _ways: dict[int, _Way] = field(default_factory=dict)
    _tracks: dict[tuple[str, int], int] = field(default_factory=dict)

    def lead(self, links: Sequence[tuple[int, End, End]]) -> None:
        """Give each numbered link its lanes; short ones first, so that they nest inside the long ones."""
        for number, source, target in sorted(links, key=_reach):
            self._ways[number] = self._way(source, target)

    @property
    def tops(self) -> list[float]:
        """The top of each band, one below the other."""
        tops = [0.0]
        for band in self.bands[:-1]:
            tops.append(tops[-1] + max(obstacle.bottom for obstacle in band) + BAND_GAP)
        return tops

    def points(self) -> dict[int, tuple[Point, ...]]:
        """Return the corners of each link's way, in the coordinates of the whole drawing."""
        tops = self.tops
        return {number: way.points(tops) for number, way in self._ways.items()}

    def _way(self, source: End, target: End) -> _Way:
        out = source.x + STUB + TRACK * self._track("right", source.layer)
        back = target.x - STUB - TRACK * self._track("left", target.layer)
        if source.box == target.box:
            return _Way(source, target, out, back, 0.0, ((source.band, source.bottom + TRACK),))
        last = target.band if target.band <= source.band else target.band - 1
        if last == source.band:
            return _Way(source, target, out, back, 0.0, (self._lane(last, back, out),))
        margin = -STUB - TRACK * (4 + self._track("margin", 0))
        lanes = (self._lane(source.band, margin, out), self._lane(last, margin, back))
        return _Way(source, target, out, back, margin, lanes)

    def _track(self, side: str, layer: int) -> int:
        """Return the number of lines that run there already, and count one more."""
        used = self._tracks.get((side, layer), 0)
        self._tracks[side, layer] = used + 1
        return used

    def _lane(self, band: int, one: float, other: float) -> tuple[int, float]:
        """Take the highest free height below everything between two places."""
        left, right = min(one, other), max(one, other)
        taken = self.bands[band]
        height = max((o.bottom for o in taken if o.left < right and o.right > left), default=0.0) + TRACK
        taken.append(Obstacle(left - TRACK / 2, right + TRACK / 2, height))
        return band, height


def _reach(link: tuple[int, End, End]) -> tuple[bool, int, int, int]:
    number, source, target = link
    return source.band != target.band, abs(source.layer - target.layer), target.layer, number
