"""A circuit breaker: after enough failures in a row an upstream is left alone for a while.

Its callers fail at once instead of waiting, and it can recover. All threads that call one upstream share one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Breaker:
    """Closed lets all calls pass; open refuses them; half-open, after `pause` seconds, lets one pass to find out."""

    def __init__(self, *, failures: int, pause: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_failures = failures
        self._pause = pause
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._is_open = False
        self._next_trial = 0.0

    def allows(self) -> bool:
        """Answer whether a call may be made now; a True while half-open is the one trial of this pause."""
        with self._lock:
            if not self._is_open:
                return True
            now = self._clock()
            if now < self._next_trial:
                return False
            # A trial that never reports back costs one pause, not a breaker that stays open for ever.
            self._next_trial = now + self._pause
            return True

    def succeeded(self) -> None:
        """Note that the upstream works."""
        with self._lock:
            self._failures = 0
            self._is_open = False

    def failed(self) -> bool:
        """Note that the upstream does not work; True when this opened the breaker."""
        with self._lock:
            self._failures += 1
            if self._failures < self._most_failures:
                return False
            opens = not self._is_open
            self._is_open = True
            self._next_trial = self._clock() + self._pause
            return opens
