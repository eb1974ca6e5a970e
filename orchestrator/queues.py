"""The bounded queue of one edge.

Everything runs on one event loop, so nothing is locked. `offer` and `take` are plain calls: only who must wait pays
for a coroutine. An empty queue accepts any message, whatever the bounds say; so one that is larger than a bound
passes alone, and a chain of operations that share a budget always has a way forward.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator import tally
from orchestrator.budget import Budget
from orchestrator.groups import Group
from orchestrator.inbox import Context, Inbox
from orchestrator.spill import Spill
from orchestrator.tally import (
    DEAD_LETTERED,
    DELIVERED,
    DROPPED,
    ENTERED,
    ENTERED_BYTES,
    REDELIVERED,
    UNCONFIRMED,
    WRITTEN,
    Account,
    Counts,
)
from orchestrator.wire import Mapping

Tap = Callable[["EdgeQueue", str, bytes], None]
"""Is shown what happens to each message while somebody watches: `added`, `consumed` or `discarded`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much an edge holds in memory, and what happens beyond."""

    messages: int
    size: int
    """In bytes."""
    overflow: str = "wait"
    """`wait`, `drop-oldest` or `drop-newest`."""


class EdgeQueue:
    """The messages on one edge, and the account of what became of all that ever entered."""

    __slots__ = (
        "_bounds",
        "_budget",
        "_items",
        "_room",
        "_samples",
        "_spill",
        "counts",
        "group",
        "inbox",
        "is_ended",
        "is_inner",
        "is_patient",
        "mapping",
        "name",
        "size",
        "tap",
    )

    def __init__(
        self,
        name: str,
        inbox: Inbox,
        bounds: Bounds,
        budget: Budget,
        spill: Spill | None,
        *,
        counts: Counts | None = None,
    ) -> None:
        self.name = name
        self.inbox = inbox
        self.mapping: Mapping | None = None
        self.group: Group | None = None
        """The cycle that it leads into or is part of."""
        self.is_inner = False
        """It is part of the cycle."""
        self.is_ended = False
        """Nothing more will enter."""
        self.is_patient = False
        """It writes to disk only while its collator waits for another edge, and makes its source wait otherwise."""
        self.tap: Tap | None = None
        self.size = 0
        self.counts = tally.in_memory(1) if counts is None else counts
        self._bounds = bounds
        self._budget = budget
        self._spill = spill
        self._samples: list[asyncio.Queue[bytes]] = []
        self._items: deque[tuple[bytes, Context]] = deque()
        self._room: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._items) + self.spilled

    @property
    def spilled(self) -> int:
        """Messages on disk."""
        return self._spill.count if self._spill is not None else 0

    @property
    def account(self) -> Account:
        """What became of the messages so far; undelivered ones wait here or are in the hands of the operation."""
        return tally.account([self.counts])

    @property
    def entered(self) -> int:
        """Messages that ever entered."""
        return self.counts[ENTERED]

    @property
    def entered_bytes(self) -> int:
        """Their bytes."""
        return self.counts[ENTERED_BYTES]

    def offer(self, message: bytes, context: Context) -> bool:
        """Take the message in, or return False when it has to wait for room.

        Raises:
            DiskFullError: the edge closes a cycle and the disk budget is used up.
        """
        size = len(message)
        items = self._items
        budget = self._budget
        if items:
            bounds = self._bounds
            is_full = (
                len(items) >= bounds.messages or self.size + size > bounds.size or budget.used + size > budget.limit
            )
            if (is_full or self.spilled) and not self._make_room(message, size):
                return self._bounds.overflow == "drop-newest" or self._may_spill
        items.append((message, context))
        self.size += size
        budget.used += size
        self._count(size)
        self.inbox.arrived(self)
        if self.tap is not None:
            self.tap(self, "added", message)
        if self._samples:
            self._sample(message)
        return True

    def _sample(self, message: bytes) -> None:
        for queue in self._samples:
            if not queue.full():
                queue.put_nowait(message)

    @contextlib.contextmanager
    def sampled(self, into: asyncio.Queue[bytes]) -> Iterator[None]:
        """Copy what enters to `into`, as long as that has room."""
        self._samples.append(into)
        try:
            yield
        finally:
            self._samples.remove(into)

    def _count(self, size: int) -> None:
        self.count(size)
        if self.group is not None:
            self.group.began()

    def count(self, size: int) -> None:
        """Count a message as entered. Who calls this from outside keeps it from the queue."""
        self.counts[ENTERED] += 1
        self.counts[ENTERED_BYTES] += size

    def refuse(self, size: int) -> None:
        """Count a message as dead-lettered that cannot be put on this edge."""
        self.count(size)
        self.counts[DEAD_LETTERED] += 1

    @property
    def _may_spill(self) -> bool:
        return self._spill is not None and (not self.is_patient or self.inbox.stranded > 0)

    def _make_room(self, message: bytes, size: int) -> bool:
        """Return True when the message may be appended after all."""
        if self._spill is not None and self._may_spill:
            self._spill.put(message)
            self._count(size)
            self.inbox.arrived(self)
            return False
        if self._bounds.overflow == "drop-newest":
            self._count(size)
            self._drop(message)
            return False
        if self._bounds.overflow == "drop-oldest":
            oldest, _ = self._remove()
            self.inbox.forget(self)
            self._drop(oldest)
            return True
        return False

    def _drop(self, message: bytes) -> None:
        self.counts[DROPPED] += 1
        if self.group is not None:
            self.group.ended()
        if self.tap is not None:
            self.tap(self, "discarded", message)

    async def put(self, message: bytes, context: Context) -> None:
        """Take the message in as soon as there is room."""
        while not self.offer(message, context):
            self._room = asyncio.get_running_loop().create_future()
            if not self._budget.has_room(len(message)):
                self._budget.notify(self._room)
            await self._room

    def pop(self) -> tuple[bytes, Context]:
        """Hand out the oldest message; there must be one. Who gets it says what became of it."""
        item = self._remove()
        if self.tap is not None:
            self.tap(self, "consumed", item[0])
        return item

    def _remove(self) -> tuple[bytes, Context]:
        item = self._items.popleft()
        size = len(item[0])
        self.size -= size
        self._budget.give(size)
        if self._spill is not None and self._spill.count:
            self._refill(self._spill)
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        return item

    def _refill(self, spill: Spill) -> None:
        while (
            spill.count
            and (not self._items or self.size < self._bounds.size)
            and len(self._items) < self._bounds.messages
        ):
            message = spill.pop()
            self._items.append((message, None))
            self.size += len(message)
            self._budget.take(len(message))

    def put_back(self, message: bytes, context: Context) -> None:
        """Return a message that was written to the front, whatever the bounds say."""
        if self.group is not None:
            self.group.began()
        self._items.appendleft((message, context))
        self.size += len(message)
        self._budget.take(len(message))
        self.counts[WRITTEN] -= 1
        self.counts[REDELIVERED] += 1
        self.inbox.returned(self)

    def finish(self) -> None:
        """Count a message as delivered and done with."""
        self.counts[DELIVERED] += 1
        if self.group is not None:
            self.group.ended()

    def written(self) -> None:
        """Note that a message is in a stream: no longer in flight here, and not yet known to be delivered."""
        self.counts[WRITTEN] += 1
        if self.group is not None:
            self.group.ended()

    def confirm(self) -> None:
        """Count a written message as delivered."""
        self.counts[WRITTEN] -= 1
        self.counts[DELIVERED] += 1

    def doubt(self, messages: int) -> None:
        """Note that delivered messages were in a stream that broke: whether the node used them is not known."""
        self.counts[UNCONFIRMED] += messages

    def strand(self) -> None:
        """Note that a message goes nowhere: it stays undelivered."""
        if self.group is not None:
            self.group.ended()

    def end(self) -> None:
        """Note that nothing more will enter."""
        self.is_ended = True
        self.inbox.edge_ended()
        if self.group is not None:
            self.group.changed()

    def give_up(self, *, was_written: bool = False) -> None:
        """Count a message as dead-lettered."""
        self.counts[DEAD_LETTERED] += 1
        if was_written:
            self.counts[WRITTEN] -= 1
        elif self.group is not None:
            self.group.ended()

    def close(self) -> None:
        """Give back what the queue holds of the budgets; its account stays, and what streams hold is undelivered."""
        self.counts[WRITTEN] = 0
        self._budget.give(self.size)
        self.size = 0
        self._items.clear()
        if self._spill is not None:
            self._spill.close()
