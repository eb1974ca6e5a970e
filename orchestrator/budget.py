"""A number of bytes that many queues share, in memory or on disk."""

from __future__ import annotations

import asyncio


class Budget:
    """Counts bytes against a limit, and wakes who waits for room."""

    __slots__ = ("_waiting", "limit", "used")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._waiting: set[asyncio.Future[None]] = set()

    def has_room(self, size: int) -> bool:
        """Say whether `size` more bytes fit."""
        return self.used + size <= self.limit

    def take(self, size: int) -> None:
        """Count bytes as used."""
        self.used += size

    def give(self, size: int) -> None:
        """Count bytes as free again."""
        self.used -= size
        if self._waiting:
            self._wake()

    def notify(self, waiter: asyncio.Future[None]) -> None:
        """Wake the future when bytes become free."""
        self._waiting.add(waiter)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
