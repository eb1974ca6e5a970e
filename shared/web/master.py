"""gunicorn's master and log as we need them: it drains before it stops, loses no signal, and repeats no request."""

from __future__ import annotations

import logging
import mmap
import signal
import time
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from shared.web.worker import STOP_SIGNALS

log = structlog.get_logger(__name__)


class Draining:
    """One byte that the master and all workers share."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)

    def begin(self) -> None:
        """Say that the server is about to stop."""
        self._memory[0] = 1

    def __call__(self) -> bool:
        """Return whether the server is about to stop."""
        return self._memory[0] == 1


class Master(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's master, which after SIGTERM goes on serving for a moment."""

    def __init__(self, app: BaseApplication, *, draining: Draining, drain_seconds: int) -> None:
        self._draining = draining
        self._drain_seconds = drain_seconds
        self._stop_at: float | None = None
        super().__init__(app)

    def handle_term(self) -> None:
        """Begin to drain; a second SIGTERM ends the wait."""
        if self._stop_at is not None or not self._drain_seconds:
            super().handle_term()
        self._draining.begin()
        self._stop_at = time.monotonic() + self._drain_seconds
        log.info("draining_begun", seconds=self._drain_seconds)

    def spawn_worker(self) -> int:
        """Fork a worker; a signal that comes before it knows what to do with one waits until it does."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            return int(super().spawn_worker())
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def manage_workers(self) -> None:
        """Look after the workers, as the main loop does every second, and stop when the wait is over."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            raise StopIteration
        super().manage_workers()


class Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Hands gunicorn's own messages to our log; its debug level prints raw requests and stays off."""

    def setup(self, cfg: Any) -> None:
        """Replace gunicorn's handlers."""
        self.cfg = cfg
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.setLevel(logging.INFO)
        self._access_log_enabled = False

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Write nothing: `request_served` is the access log."""
