"""Messages per second of every edge, and totals that outlive a run: counters for metrics never go back."""

from __future__ import annotations

import time
from collections import Counter

from orchestrator.run import Run

EdgeTotals = dict[str, Counter[str]]


class Rates:
    """Remembers, per run, what each edge had counted a moment ago."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, list[int]]] = {}
        self._rates: dict[str, dict[str, float]] = {}
        self._retired_edges: EdgeTotals = {}
        self._retired_operations: EdgeTotals = {}

    def clear(self) -> None:
        """Forget a pipeline that was replaced."""
        self._before.clear()
        self._rates.clear()
        self._retired_edges.clear()
        self._retired_operations.clear()

    def measure(self, run: Run) -> dict[str, float]:
        """Return messages per second since the last measurement, by the edge's name."""
        now, counts = time.monotonic(), [edge.entered for edge in run.edges]
        then, before = self._before.get(run.label, (now, counts))
        self._before[run.label] = (now, counts)
        passed = max(now - then, 1e-9)
        rates = {
            edge.name: max(0, new - old) / passed for edge, new, old in zip(run.edges, counts, before, strict=True)
        }
        self._rates[run.label] = rates
        return rates

    def last(self, label: str) -> dict[str, float]:
        """Return the rates of the last measurement."""
        return self._rates.get(label, {})

    def retire(self, run: Run) -> None:
        """Keep the totals of a run that another one of its label replaces."""
        self._before.pop(run.label, None)
        add(run, self._retired_edges, self._retired_operations)

    def totals(self, runs: list[Run]) -> tuple[EdgeTotals, EdgeTotals]:
        """Return counters by edge and by operation over all runs, those that were replaced included."""
        # Lists, because a scrape reads in another thread while a run may be retired.
        edges = {name: Counter(counts) for name, counts in list(self._retired_edges.items())}
        operations = {name: Counter(counts) for name, counts in list(self._retired_operations.items())}
        for run in runs:
            add(run, edges, operations)
        return edges, operations


def add(run: Run, edges: EdgeTotals, operations: EdgeTotals) -> None:
    """Add what a run has counted."""
    for edge in run.edges:
        counts, account = edges.setdefault(edge.name, Counter()), edge.account
        counts["messages"] += account.entered
        counts["bytes"] += edge.entered_bytes
        counts["delivered"] += account.delivered
        counts["dead_lettered"] += account.dead_lettered
        counts["dropped"] += account.dropped
        counts["redelivered"] += account.redelivered
        counts["unconfirmed"] += account.unconfirmed
    for worker in run.workers:
        counts = operations.setdefault(worker.operation.key, Counter())
        counts["calls"] += worker.figures.calls
        counts["failures"] += worker.figures.failures
        counts["retries"] += worker.figures.retries
        counts["parked"] += worker.figures.parked
