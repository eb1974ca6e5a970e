"""How many answers may go on and on: whoever watches holds a thread, and requests that end must always find one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import RateLimitedError, UnavailableError

RETRY_SECONDS = 5


class Streams:
    """Counts the streams of one worker process: events, followed logs, samples, connections to web UIs."""

    def __init__(self, most: int, *, per_principal: int) -> None:
        """Allow `most` at once, and `per_principal` of them to one."""
        self._most = most
        self._per_principal = per_principal
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    def take(self, principal_id: str) -> None:
        """Count one more stream; every `take` that returns needs its `give_back`.

        Raises:
            RateLimitedError: this principal holds as many as allowed.
            UnavailableError: all of them together do.
        """
        with self._lock:
            if self._held[principal_id] >= self._per_principal:
                raise RateLimitedError(f"at most {self._per_principal} streams at once", retry_after=RETRY_SECONDS)
            if self._held.total() >= self._most:
                raise UnavailableError("too many streams are open; try again in a moment")
            self._held[principal_id] += 1

    def give_back(self, principal_id: str) -> None:
        """Count one stream less."""
        with self._lock:
            self._held[principal_id] -= 1
            if not self._held[principal_id]:
                del self._held[principal_id]

    @contextmanager
    def held(self, principal_id: str) -> Iterator[None]:
        """Hold one stream while the block runs. Raises what `take` does."""
        self.take(principal_id)
        try:
            yield
        finally:
            self.give_back(principal_id)

    @property
    def open(self) -> int:
        """How many are open now."""
        with self._lock:
            return self._held.total()
