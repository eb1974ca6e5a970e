"""A row of the benchmark: what we need, what a peer needs, the bar, and whether it holds. Medians of interleaved rounds."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table and one object of `build/bench.json`."""

    name: str
    ours: float | None
    """None: could not be measured here."""
    unit: str
    peer: float | None = None
    """None: an absolute budget, or a peer that is not installed."""
    peer_name: str | None = None
    most_ratio: float | None = None
    """The bar: ours / peer at most this."""
    least_ratio: float | None = None
    """The bar: ours / peer at least this."""
    most: float | None = None
    """The bar: ours at most this, in `unit`."""

    @property
    def ratio(self) -> float | None:
        """Ours / peer."""
        return None if self.ours is None or not self.peer else self.ours / self.peer

    @property
    def bar(self) -> str | None:
        """The bar in words."""
        if self.most is not None:
            return f"<= {self.most:g} {self.unit}"
        if self.most_ratio is not None:
            return f"<= {self.most_ratio:g} x peer"
        return f">= {self.least_ratio:g} x peer" if self.least_ratio is not None else None

    @property
    def holds(self) -> bool | None:
        """Whether the bar holds; None without a bar, or unmeasured."""
        if self.most is not None:
            return None if self.ours is None else self.ours <= self.most
        if self.ratio is None:
            return None
        if self.most_ratio is not None:
            return self.ratio <= self.most_ratio
        return self.ratio >= self.least_ratio if self.least_ratio is not None else None

    def to_json(self) -> dict[str, object]:
        """Return the row as `build/bench.json` has it."""
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "peer_name": self.peer_name,
            "unit": self.unit,
            "ratio": self.ratio,
            "bar": self.bar,
            "holds": self.holds,
        }


def milliseconds(work: Callable[[], object]) -> float:
    """Run `work` once and return how long it took."""
    gc.collect()
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def interleaved(*variants: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """Measure the variants in turn, `rounds` times, after one round that does not count; return their medians."""
    for variant in variants:
        variant()
    results: list[list[float]] = [[] for _ in variants]
    for _ in range(rounds):
        for variant, result in zip(variants, results, strict=True):
            result.append(variant())
    return [statistics.median(result) for result in results]
