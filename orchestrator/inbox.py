"""The inbox of an operation: merges the edges into it in order of arrival."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.queues import EdgeQueue

Context = object
"""What travels beside a message: the trace that it belongs to, or None."""


class Inbox:
    """What the edges into one operation bring, in order of arrival."""

    __slots__ = ("_order", "_waiter", "edges", "is_closed", "is_flushing", "is_paused", "joins")

    def __init__(self) -> None:
        self.edges: list[EdgeQueue] = []
        self.joins = False
        """Of a collator: a message goes on only together with one from every other edge."""
        self.is_closed = False
        """Nothing more will arrive."""
        self.is_flushing = False
        """The cycle is quiet: streams shall end so that their nodes give their last answers."""
        self.is_paused = False
        self._order: deque[EdgeQueue] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def arrived(self, edge: EdgeQueue) -> None:
        """Note that a message arrived on the edge."""
        self._order.append(edge)
        if self._waiter is not None:
            self.wake()

    def returned(self, edge: EdgeQueue) -> None:
        """Note that a message was put back."""
        self._order.appendleft(edge)
        self.wake()

    def forget(self, edge: EdgeQueue) -> None:
        """Note that the oldest message of the edge was dropped."""
        self._order.remove(edge)

    @property
    def is_empty(self) -> bool:
        """Say whether no message waits."""
        return not self._order

    @property
    def is_over(self) -> bool:
        """Say whether nothing waits and nothing will arrive."""
        return self.is_closed and not self._order

    def take(self) -> tuple[EdgeQueue, bytes, Context] | None:
        """Hand out the next message, or None when none waits or the run is paused."""
        if not self._order or self.is_paused:
            return None
        edge = self._order.popleft()
        message, context = edge.pop()
        return edge, message, context

    async def wait(self) -> None:
        """Wait until something changes: a message, the end, a pause, or a call of `wake`."""
        if self._waiter is None or self._waiter.done():
            self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def wake(self) -> None:
        """Let who waits look again."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    @property
    def stranded(self) -> int:
        """Messages that wait for partners which have not come: none but in front of a collator."""
        return sum(map(len, self.edges)) if self.joins and not all(map(len, self.edges)) else 0

    def edge_ended(self) -> None:
        """Note that one edge brings nothing more; the last one closes the inbox."""
        self.is_closed = self.is_closed or all(edge.is_ended for edge in self.edges)
        self.wake()

    def close(self) -> None:
        """Note that nothing more will arrive."""
        self.is_closed = True
        self.wake()
