"""The combinatorial half of a layered drawing: which layer an item stands in, and in which order within it.

Items 0 … n-1 are boxes; the numbers after them stand for the places where a long link passes a layer. Kept apart from
the geometry because nothing here knows a size. Deterministic: no sets are iterated, no randomness is used.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Refining passes over all layers; beyond this many items a pass costs more than a person would notice.
MAX_PASSES = 12
PASS_BUDGET = 16_000


@dataclass(frozen=True, slots=True)
class Link:
    """A line from one box to another. Ports are heights within the box, above 0 (top) and below 1 (bottom)."""

    source: int
    source_port: float
    target: int
    target_port: float


@dataclass(frozen=True, slots=True)
class Layers:
    """Every item in its layer, in drawing order, and the way of each link that runs through them."""

    rows: tuple[tuple[int, ...], ...]
    chains: tuple[tuple[int, ...], ...]
    """For each link the items from source to target; empty for a link that has to be led around."""

    @property
    def items(self) -> int:
        """Count boxes and passing places."""
        return sum(len(row) for row in self.rows)


def components(count: int, links: Sequence[Link]) -> tuple[tuple[int, ...], ...]:
    """Return the boxes of each connected part, parts in the order of their first box."""
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for link in links:
        a, b = root(link.source), root(link.target)
        parent[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for item in range(count):
        groups.setdefault(root(item), []).append(item)
    return tuple(tuple(group) for group in groups.values())


def ranks(count: int, links: Sequence[Link], starts: Sequence[int] = ()) -> list[int]:
    """Return the layer of each box: longest path, read from `starts`; a link of a cycle may point backwards."""
    following: list[list[int]] = [[] for _ in range(count)]
    for source, target in dict.fromkeys((link.source, link.target) for link in links):
        if source != target:
            following[source].append(target)
    entered = {link.target for link in links}
    roots = (*starts, *(item for item in range(count) if item not in entered), *range(count))
    forward, sequence = _without_cycles(following, roots)
    rank = [0] * count
    for item in sequence:
        for after in forward[item]:
            rank[after] = max(rank[after], rank[item] + 1)
    return _tightened(rank, forward, sequence)


def arrange(rank: Sequence[int], links: Sequence[Link], around: Iterable[int]) -> Layers:
    """Order the items of each layer so that few links cross; the links numbered in `around` take no part."""
    led_around = frozenset(around)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    for item, layer in enumerate(rank):
        rows[layer].append(item)
    chains: list[tuple[int, ...]] = []
    fresh = len(rank)
    for number, link in enumerate(links):
        if number in led_around:
            chains.append(())
            continue
        between = range(rank[link.source] + 1, rank[link.target])
        places = tuple(range(fresh, fresh + len(between)))
        fresh += len(between)
        for layer, place in zip(between, places, strict=True):
            rows[layer].append(place)
        chains.append((link.source, *places, link.target))
    return Layers(_ordered(rows, _segments(rows, rank, links, chains)), tuple(chains))


def _without_cycles(following: list[list[int]], roots: Iterable[int]) -> tuple[list[list[int]], list[int]]:
    """Drop the links that close a cycle in a depth-first walk; return the rest and a topological sequence."""
    forward: list[list[int]] = [[] for _ in following]
    state = bytearray(len(following))  # 0 unseen, 1 on the path, 2 done
    done: list[int] = []
    for start in roots:
        if state[start]:
            continue
        state[start] = 1
        path = [(start, iter(following[start]))]
        while path:
            item, rest = path[-1]
            for after in rest:
                if state[after] != 1:
                    forward[item].append(after)
                if state[after] == 0:
                    state[after] = 1
                    path.append((after, iter(following[after])))
                    break
            else:
                state[item] = 2
                done.append(item)
                path.pop()
    return forward, done[::-1]


def _tightened(rank: list[int], forward: list[list[int]], sequence: list[int]) -> list[int]:
    """Move boxes that feed more than they take next to the first box they feed: shorter links."""
    taking = [0] * len(rank)
    for targets in forward:
        for target in targets:
            taking[target] += 1
    for item in reversed(sequence):
        if len(forward[item]) > taking[item]:
            rank[item] = min(rank[after] for after in forward[item]) - 1
    least = min(rank, default=0)
    return [layer - least for layer in rank]


# For each gap between two layers: (left item, port, right item, port) of every link segment in it.
_Segments = list[list[tuple[int, float, int, float]]]


def _segments(
    rows: Sequence[Sequence[int]], rank: Sequence[int], links: Sequence[Link], chains: Sequence[Sequence[int]]
) -> _Segments:
    segments: _Segments = [[] for _ in rows]
    for link, chain in zip(links, chains, strict=True):
        for step in range(len(chain) - 1):
            left_port = link.source_port if step == 0 else 0.5
            right_port = link.target_port if step == len(chain) - 2 else 0.5
            segments[rank[link.source] + step].append((chain[step], left_port, chain[step + 1], right_port))
    return segments


def _ordered(rows: list[list[int]], segments: _Segments) -> tuple[tuple[int, ...], ...]:
    items = sum(map(len, rows))
    position = [0.0] * items
    for row in rows:
        _number(row, position)
    best, fewest = [list(row) for row in rows], _crossings(segments, position)
    for turn in range(min(MAX_PASSES, PASS_BUDGET // max(items, 1))):
        if fewest == 0:
            break
        _sweep(rows, segments, position, rightwards=turn % 2 == 0)
        crossings = _crossings(segments, position)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return tuple(tuple(row) for row in best)


def _number(row: Sequence[int], position: list[float]) -> None:
    for index, item in enumerate(row):
        position[item] = index


def _sweep(rows: list[list[int]], segments: _Segments, position: list[float], *, rightwards: bool) -> None:
    """Sort each layer by the mean place of its neighbours in the layer swept before."""
    sequence = range(1, len(rows)) if rightwards else range(len(rows) - 2, -1, -1)
    for layer in sequence:
        total: dict[int, list[float]] = {}
        for left, left_port, right, right_port in segments[layer - 1 if rightwards else layer]:
            if rightwards:
                total.setdefault(right, []).append(position[left] + left_port)
            else:
                total.setdefault(left, []).append(position[right] + right_port)
        scale = len(rows[layer - 1 if rightwards else layer + 1]) / len(rows[layer])
        key = {item: sum(total[item]) / len(total[item]) if item in total else position[item] * scale
               for item in rows[layer]}  # fmt: skip
        rows[layer].sort(key=key.__getitem__)
        _number(rows[layer], position)


def _crossings(segments: _Segments, position: Sequence[float]) -> int:
    return sum(_inversions(gap, position) for gap in segments)


def _inversions(gap: list[tuple[int, float, int, float]], position: Sequence[float]) -> int:
    ends = sorted((position[left] + lp, position[right] + rp) for left, lp, right, rp in gap)
    seen: list[float] = []
    crossings = 0
    for _, end in ends:
        place = bisect_right(seen, end)
        crossings += len(seen) - place
        seen.insert(place, end)
    return crossings
