"""`/healthz`: the process answers. `/readyz`: it can do its work, or what is missing by name.

Anybody may ask as often as they like: the check runs at most once in two seconds, one at a time, and nobody waits for
it longer than one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from flask import Flask, Response, jsonify

from shared.errors import SlipwayError

log = structlog.get_logger(__name__)

FRESH_SECONDS = 2.0
WAIT_SECONDS = 1.0

Readiness = Callable[[], Mapping[str, str]]
"""Returns what is missing: name (`persistence`, `token keys`) → problem in words. Empty means ready. May raise."""

DRAINING = "slipway.draining"
"""Name in `app.extensions` of a callable that says whether the server is about to stop."""


@dataclass(frozen=True, slots=True)
class _Result:
    at: float
    missing: Mapping[str, str]


class ReadinessCache:
    """The last answer of a readiness check, renewed in a thread of its own so that a hanging upstream holds nobody."""

    def __init__(
        self, check: Readiness, *, now: Callable[[], float] = time.monotonic, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._check = check
        self._wait_seconds = wait_seconds
        self._now = now
        self._lock = threading.Lock()
        self._running: threading.Event | None = None
        self._result: _Result | None = None

    def missing(self) -> Mapping[str, str]:
        """Return what is missing now, at most two seconds old where the check answers in time."""
        fresh = self._fresh()
        if fresh is not None:
            return fresh.missing
        self._run().wait(self._wait_seconds)
        fresh = self._fresh()
        return fresh.missing if fresh is not None else {"readiness": "the check did not answer in time"}

    def _fresh(self) -> _Result | None:
        result = self._result
        return result if result is not None and self._now() - result.at < FRESH_SECONDS else None

    def _run(self) -> threading.Event:
        """Start the check unless it runs already, and return what is set at its end."""
        with self._lock:
            if self._running is None:
                self._running = threading.Event()
                threading.Thread(target=self._renew, args=(self._running,), name="readiness", daemon=True).start()
            return self._running

    def _renew(self, done: threading.Event) -> None:
        missing = self._asked()
        with self._lock:
            self._result = _Result(self._now(), missing)
            self._running = None
        done.set()

    def _asked(self) -> Mapping[str, str]:
        try:
            return dict(self._check())
        except SlipwayError as problem:
            return {"readiness": str(problem)}
        except Exception:
            # The last resort: a thread that dies silently would leave the service unready without a word.
            log.exception("readiness_check_crashed")
            return {"readiness": "the check failed"}


def register(app: Flask, *, readiness: Readiness, notices: Mapping[str, str]) -> None:
    """Add both routes."""
    cache = ReadinessCache(readiness)

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> Response:
        is_draining: Callable[[], bool] = app.extensions.get(DRAINING, lambda: False)
        missing = {"server": "stopping"} if is_draining() else cache.missing()
        response = jsonify(status="unready" if missing else "ready", missing=dict(missing), notices=dict(notices))
        response.status_code = 503 if missing else 200
        return response


def checks(**named: Callable[[], None]) -> Readiness:
    """Return a readiness check that runs each of `named` (underscores read as blanks) and reports those that raise."""

    def missing() -> dict[str, str]:
        found: dict[str, str] = {}
        for name, check in named.items():
            try:
                check()
            except SlipwayError as problem:
                found[name.replace("_", " ")] = str(problem)
        return found

    return missing
