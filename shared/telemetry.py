"""Logs and metrics of every service: one JSON object per line in UTC, and Prometheus counters by route template.

Neither carries a token, a cookie, a query string or an id as a label; what gets in from a library is stripped of queries.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

Event = MutableMapping[str, Any]

# Builds take milliseconds, or as long as an upstream's deadline.
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_QUERY = re.compile(r"\?[^\s\"'<>]+")


def configure_logs(*, level: str = "info", stream: TextIO | None = None) -> None:
    """Send our own events and those of libraries (warnings and worse) to `stream` (default: stderr) as JSON lines.

    Args:
        level: least severe level of our own events: `debug`, `info`, `warning`, `error`.
        stream: where to.
    """
    target = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _without_queries, _as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _without_queries, _as_json],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries log URLs and headers at their lower levels.
    root.setLevel(logging.WARNING)


def _without_queries(_logger: Any, _method: str, event: Event) -> Event:
    """Cut the query off everything that looks like a URL: compatibility routes carry tokens there."""
    for key, value in event.items():
        if isinstance(value, str) and "?" in value:
            event[key] = _QUERY.sub("?…", value)
    return event


def _as_json(_logger: Any, _method: str, event: Event) -> str:
    """Render ASCII JSON, which a terminal and a log under any locale can take; unknown values by their masking repr."""
    return json.dumps(event, default=repr)


class Metrics:
    """Counters and durations of one process's requests.

    prometheus_client decides at its import, by an environment variable, whether processes share their counts;
    `shared.web.serve` sets it in the master. So the import happens here, when a worker makes its application.
    """

    def __init__(self, service: str) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram  # noqa: PLC0415 - see the class

        self.registry = CollectorRegistry()
        self._service = service
        self._requests = Counter(
            "slipway_http_requests",
            "Requests by route template, method and status.",
            ("service", "route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "slipway_http_request_seconds",
            "Time from the request's headers to the answer's.",
            ("service", "route"),
            buckets=DURATION_BUCKETS,
            registry=self.registry,
        )

    def observe(self, *, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(self._service, route, method, str(status)).inc()
        self._seconds.labels(self._service, route).observe(seconds)
