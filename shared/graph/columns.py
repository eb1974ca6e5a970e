"""The horizontal half of the geometry: where each layer's column stands, and where a wide drawing is folded into bands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from shared.graph.detours import TRACK
from shared.graph.layers import Link

GAP = 72.0  # between columns; a curve needs it
FOLD_WIDTH = 1240.0  # a wider drawing is folded into bands, like text, where few links are cut
FOLD_CUTS = 3
HUGE = 4  # times that width: folded wherever it hurts least


def bands(widths: Sequence[float], heights: Sequence[float], rank: Sequence[int], links: Sequence[Link]) -> list[int]:
    """Return the band of each layer. A drawing that is too wide is cut, near even lengths, where fewest links go.

    Args:
        widths: of the layers.
        heights: of the layers.
        rank: the layer of each box.
        links: between boxes.
    """
    begins = [0.0, *accumulate(width + GAP for width in widths)]
    total = begins[-1]
    line = max(FOLD_WIDTH, (total * max(heights)) ** 0.5)
    if total <= line * 1.25:
        return [0] * len(widths)
    wanted = total / math.ceil(total / line)
    most = FOLD_CUTS if total < FOLD_WIDTH * HUGE else math.inf
    cuts = _cuts(len(widths), rank, links)
    folds = [0]
    while total - begins[folds[-1]] > wanted * 1.3:
        lengths = {layer: begins[layer] - begins[folds[-1]] for layer in range(folds[-1] + 1, len(widths))}
        near = [n for n, length in lengths.items() if wanted * 0.65 < length < wanted * 1.2 and cuts[n] <= most]
        if not near:
            break
        folds.append(min((cuts[n], abs(lengths[n] - wanted), n) for n in near)[-1])
    return [number for number, (a, b) in enumerate(pairwise([*folds, len(widths)])) for _ in range(a, b)]


def lefts(widths: Sequence[float], band: Sequence[int], rank: Sequence[int], around: Iterable[Link]) -> list[float]:
    """Return the left edge of each layer, with room for the lines of the links that are led around."""
    tracks = [0] * (len(widths) + 1)  # in the gap left of each layer
    for link in around:
        tracks[rank[link.source] + 1] += 1
        tracks[rank[link.target]] += 1
    found: list[float] = []
    x = 0.0
    for layer, width in enumerate(widths):
        begins_band = layer == 0 or band[layer] != band[layer - 1]
        x = 0.0 if begins_band else x + GAP + TRACK * tracks[layer]
        found.append(x)
        x += width
    return found


def _cuts(layers: int, rank: Sequence[int], links: Sequence[Link]) -> list[int]:
    """Count the links that go past the left edge of each layer."""
    change = [0] * (layers + 1)
    for link in links:
        low, high = sorted((rank[link.source], rank[link.target]))
        change[low + 1] += 1
        change[high + 1] -= 1
    return list(accumulate(change[:layers]))
