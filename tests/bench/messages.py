"""Messages through the orchestrator against bare proxies; unmeasured where Go, which the nodes are written in, is absent."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from tests.bench.orchestrator import measure
from tests.bench.orchestrator.measure import CASES, Case
from tests.bench.rows import ROUNDS, Row

NAMES = tuple(f"orchestrator: {case.name}" for case in CASES)
_LARGE = 100_000
_DIRECT = "direct gRPC, a Go program"


def rows() -> Iterator[Row]:
    """Yield throughput, and latency where messages go one at a time."""
    binary = measure.build_nodes() if shutil.which("go") else None
    for case, name in zip(CASES, NAMES, strict=True):
        if binary is None:
            yield Row(name, None, "msg/s")
            continue
        figures = measure.medians(measure.interleaved(binary, case, (*measure.BARE, measure.DIRECT, "ours"), ROUNDS))
        if case.window == 1:
            best = min(figures[stack]["p50_us"] for stack in measure.BARE)
            yield Row(name, figures["ours"]["p50_us"], "us", best, "best bare proxy", most_ratio=1.3)
            yield Row(name, figures["ours"]["p50_us"], "us", figures[measure.DIRECT]["p50_us"], _DIRECT)
            continue
        best = max(figures[stack]["messages_per_second"] for stack in measure.BARE)
        ours = figures["ours"]["messages_per_second"]
        yield Row(name, ours, "msg/s", best, "best bare proxy", least_ratio=_least(case))
        yield Row(name, ours, "msg/s", figures[measure.DIRECT]["messages_per_second"], _DIRECT)


def _least(case: Case) -> float:
    if case.maps > 1:
        return 0.8
    return 0.9 if case.size >= _LARGE else 0.85
