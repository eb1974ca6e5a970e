"""Prometheus metrics, read from the engine's plain counters when scraped: counting costs the messages nothing."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator.engine import Engine

_EDGE = {
    "messages": "Messages that entered an edge.",
    "bytes": "Bytes of messages that entered an edge.",
    "delivered": "Messages of an edge that its target took.",
    "dead_lettered": "Messages of an edge that could not be delivered.",
    "dropped": "Messages that a full edge dropped, as its policy says.",
    "redelivered": "Messages delivered again because a stream broke.",
    "unconfirmed": "Delivered messages that were in a stream that broke, older than its replay window.",
}
_OPERATION = {
    "calls": "Calls of an operation.",
    "failures": "Calls that failed.",
    "retries": "Calls made again.",
    "parked": "Messages parked on disk.",
}


class EngineCollector(Collector):
    """Counters and gauges of one engine; edges and operations are the labels, so a pipeline bounds them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """Yield everything."""
        runs = self._engine.find("")
        edges, operations = self._engine.rates.totals(runs)
        for key, text in _EDGE.items():
            yield _counter(f"slipway_edge_{key}", text, "edge", {name: counts[key] for name, counts in edges.items()})
        for key, text in _OPERATION.items():
            values = {name: counts[key] for name, counts in operations.items()}
            yield _counter(f"slipway_operation_{key}", text, "operation", values)
        queued: dict[str, int] = {}
        for edge in (edge for run in runs for edge in run.edges):
            queued[edge.name] = queued.get(edge.name, 0) + len(edge)
        yield _gauge("slipway_edge_queued", "Messages that wait on an edge.", "edge", queued)
        latency = {w.operation.key: w.figures.latency_seconds for run in runs for w in run.workers}
        yield _gauge("slipway_operation_latency_seconds", "Mean of the recent unary calls.", "operation", latency)
        active = GaugeMetricFamily("slipway_active_operations", "Operations at work.")
        active.add_metric([], sum(run.active_operations for run in runs))
        yield active
        if self._engine.traces is not None:
            text = "Spans by what became of them."
            yield _counter("slipway_trace_spans", text, "fate", self._engine.traces.counts)


def registry(engine: Engine) -> CollectorRegistry:
    """Return a registry with the engine's metrics alone."""
    metrics = CollectorRegistry(auto_describe=False)
    metrics.register(EngineCollector(engine))
    return metrics


def _counter(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _gauge(name: str, text: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
