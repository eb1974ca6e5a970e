"""How much one caller, and all of them together, may ask of one worker process.

Both limits are per process: a service with two workers allows twice as much. That is the price of no shared store, and
enough to keep one caller from taking everything.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from shared.errors import RateLimitedError, UnavailableError

MAX_CALLERS = 10_000  # buckets kept, ~200 bytes each; whoever was idle longest is forgotten first
WAIT_SECONDS = 0.25  # a build takes milliseconds unless an upstream is slow: then waiting longer helps nobody


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket per caller: a minute's worth at once, refilled evenly."""

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        """Allow `per_minute` requests; 0 means no limit. `now` is a monotonic clock in seconds."""
        self._per_minute = per_minute
        self._now = now
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one request of `caller`.

        Raises:
            RateLimitedError: too many; says after how many seconds the next one passes.
        """
        if not self._per_minute:
            return
        with self._lock:
            bucket = self._filled(caller)
            if bucket.tokens < 1:
                wait = math.ceil((1 - bucket.tokens) * 60 / self._per_minute)
                raise RateLimitedError(f"at most {self._per_minute} requests per minute", retry_after=wait)
            bucket.tokens -= 1

    def _filled(self, caller: str) -> _Bucket:
        now = self._now()
        bucket = self._buckets.pop(caller, None) or _Bucket(self._per_minute, now)
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.at) * self._per_minute / 60)
        bucket.at = now
        self._buckets[caller] = bucket
        if len(self._buckets) > MAX_CALLERS:
            self._buckets.popitem(last=False)
        return bucket


class Gate:
    """Lets a number of builds run at once, so that a thread is left for health and for saying no."""

    def __init__(self, most: int, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Let `most` in at once; others wait for at most `wait_seconds`."""
        self._places = threading.BoundedSemaphore(most)
        self._wait_seconds = wait_seconds

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            UnavailableError: none became free in time.
        """
        if not self._places.acquire(timeout=self._wait_seconds):
            raise UnavailableError("too much is being done at once; try again in a moment")
        try:
            yield
        finally:
            self._places.release()
