"""What is known about every request: an id that goes in and out, one log line, and a count.

The route *template* is logged and counted, never the path or the query: they may hold ids and tokens.
"""

from __future__ import annotations

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request

from shared.telemetry import Metrics

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
PROBES = frozenset({"/healthz", "/readyz"})

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def register(app: Flask, metrics: Metrics) -> None:
    """Observe every request of `app`."""

    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = _request_id(request.headers.get("X-Request-Id"))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        trace = _TRACEPARENT.fullmatch(request.headers.get("Traceparent", ""))
        if trace:
            structlog.contextvars.bind_contextvars(trace_id=trace[1])

    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        route = request.url_rule.rule if request.url_rule else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        seconds = time.perf_counter() - g.started
        metrics.observe(route=route, method=method, status=response.status_code, seconds=seconds)
        if route not in PROBES or response.status_code != 200:  # noqa: PLR2004 - HTTP
            log.info(
                "request_served",
                method=method,
                route=route,
                status=response.status_code,
                duration_ms=round(seconds * 1000, 2),
            )
        return response

    app.before_request(begin)
    app.after_request(end)


def _request_id(given: str | None) -> str:
    """Return the caller's id where it is harmless in logs and headers, else a new one."""
    if given is not None and REQUEST_ID.fullmatch(given):
        return given
    return secrets.token_hex(16)
