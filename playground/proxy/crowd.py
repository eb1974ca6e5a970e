"""Who is connected: how many, to which deployments, and who may be sent away. Touched on the loop's thread only."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from playground.proxy import refusals
from playground.proxy.passes import Pass
from playground.proxy.wire import Wire


class Crowd:
    """Counts connections and what is under way over them."""

    def __init__(self, *, most: int, most_per_deployment: int) -> None:
        """Allow `most` connections, and so many requests and WebSockets at once to each deployment."""
        self._most = most
        self._most_per_deployment = most_per_deployment
        self._open: set[Wire] = set()
        # In the order in which they began to wait.
        self._waiting: dict[Wire, None] = {}
        self._under_way: Counter[str] = Counter()
        self._visits: dict[asyncio.Task[object], Pass] = {}

    @contextmanager
    def connected(self, wire: Wire) -> Iterator[bool]:
        """Count a connection while the block runs; False: there is no place for it.

        Whoever has waited longest with nothing to say makes room, so that idle connections keep nobody out.
        """
        has_room = len(self._open) < self._most
        if not has_room and self._waiting:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            self._open.discard(oldest)
            oldest.abort()
            has_room = True
        self._open.add(wire)
        try:
            yield has_room
        finally:
            self._open.discard(wire)

    @property
    def is_overrun(self) -> bool:
        """True where even those who are told that there is no place have none."""
        return len(self._open) >= 2 * self._most

    @contextmanager
    def waiting(self, wire: Wire) -> Iterator[None]:
        """Mark a connection as one that has nothing to lose, while the block runs."""
        self._waiting[wire] = None
        try:
            yield
        finally:
            self._waiting.pop(wire, None)

    @contextmanager
    def under_way(self, visit: Pass) -> Iterator[None]:
        """Count what this task does for a visitor, while the block runs.

        Raises:
            Refusal: the deployment has as many as it may.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - only tasks get here
        if self._under_way[visit.deployment] >= self._most_per_deployment:
            raise refusals.crowded("this deployment")
        self._under_way[visit.deployment] += 1
        self._visits[task] = visit
        try:
            yield
        finally:
            del self._visits[task]
            self._under_way[visit.deployment] -= 1
            self._under_way += Counter()  # forgets those without any

    @property
    def visits(self) -> frozenset[Pass]:
        """What is under way."""
        return frozenset(self._visits.values())

    def send_away(self, over: frozenset[Pass]) -> int:
        """End what is under way for these; return how much that was."""
        tasks = [task for task, visit in self._visits.items() if visit in over]
        for task in tasks:
            task.cancel()
        return len(tasks)
