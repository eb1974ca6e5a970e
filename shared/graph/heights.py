"""The vertical half of the geometry: how high each item of a layer stands, so that links run as level as they can."""

from __future__ import annotations

from collections.abc import Sequence

from shared.graph.layers import PASS_BUDGET, Layers, Link

GAP = 26.0  # between boxes of a column
PASSING = 14.0  # height kept free where a long link passes a layer

_STRAIGHT = (
    3.0  # how much more each end of a link counts that is a passing place: long links straight before short ones
)
_UNLINKED = 0.01  # the weight of an item that nothing pulls
_ROUNDS = 3

_Pull = tuple[int, float, float]
"""The item at the other end of a link, how far below its top ours wants to be, and how much that counts."""


def tops(layers: Layers, heights: Sequence[float], links: Sequence[Link]) -> list[float]:
    """Return the top of every item, boxes first, as near to the level of its neighbours as the order allows.

    Args:
        layers: items in order.
        heights: of the boxes.
        links: between boxes.
    """
    size = [*heights, *[PASSING] * (layers.items - len(heights))]
    to_left, to_right = _pulls(layers, size, links)
    both = [left + right for left, right in zip(to_left, to_right, strict=True)]
    found = [0.0] * len(size)
    nothing: list[list[_Pull]] = [[] for _ in size]
    for row in layers.rows:
        _spread(row, size, found, nothing)
    for _ in range(_ROUNDS if layers.items < PASS_BUDGET // 8 else 1):
        for row in layers.rows[1:]:
            _spread(row, size, found, to_left)
        for row in reversed(layers.rows[:-1]):
            _spread(row, size, found, to_right)
    for row in layers.rows:
        _spread(row, size, found, both)
    return found


def _pulls(layers: Layers, size: Sequence[float], links: Sequence[Link]) -> tuple[list[list[_Pull]], list[list[_Pull]]]:
    """Return what pulls each item, to its left and to its right."""
    to_left: list[list[_Pull]] = [[] for _ in size]
    to_right: list[list[_Pull]] = [[] for _ in size]
    for link, chain in zip(links, layers.chains, strict=True):
        last = len(chain) - 2
        for step in range(len(chain) - 1):
            left, right = chain[step], chain[step + 1]
            left_y = link.source_port * size[left] if step == 0 else PASSING / 2
            right_y = link.target_port * size[right] if step == last else PASSING / 2
            weight = 1.0 + _STRAIGHT * (step > 0) + _STRAIGHT * (step < last)
            to_left[right].append((left, left_y - right_y, weight))
            to_right[left].append((right, right_y - left_y, weight))
    return to_left, to_right


def _spread(row: Sequence[int], size: Sequence[float], found: list[float], pulls: Sequence[Sequence[_Pull]]) -> None:
    """Put each item of a layer as near as possible to where it is pulled, in order and without overlap.

    Least squares under an order constraint, solved by pooling adjacent violators.
    """
    blocks: list[tuple[float, float, int]] = []  # where the block would begin without what is above it, weight, items
    offsets: list[float] = []
    offset = 0.0
    for item in row:
        offsets.append(offset)
        wish, weight = _wish(pulls[item], found) if pulls[item] else (found[item], _UNLINKED)
        block = (wish - offset, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            above = blocks.pop()
            total = above[1] + block[1]
            block = ((above[0] * above[1] + block[0] * block[1]) / total, total, above[2] + block[2])
        blocks.append(block)
        offset += size[item] + (GAP if size[item] > PASSING else PASSING / 2)
    begins = [begin for begin, _, items in blocks for _ in range(items)]
    for item, begin, own in zip(row, begins, offsets, strict=True):
        found[item] = begin + own


def _wish(pulls: Sequence[_Pull], found: Sequence[float]) -> tuple[float, float]:
    """Return the weighted mean of where an item is pulled, and the weight."""
    total = weight = 0.0
    for other, below, counts in pulls:
        total += (found[other] + below) * counts
        weight += counts
    return total / weight, weight
