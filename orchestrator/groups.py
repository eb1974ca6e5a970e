"""Detects that a cycle has come to rest: its sources have ended and nothing is in flight within it any more."""

from __future__ import annotations

import asyncio
from typing import Protocol

SETTLE_SECONDS = 0.5
"""How long the open streams of a cycle must be silent before they are ended: a node may still be at work."""


class Member(Protocol):
    """The inbox of an operation in the cycle."""

    is_flushing: bool

    def close(self) -> None:
        """Nothing more will arrive."""

    def wake(self) -> None:
        """Look again."""


class Group:
    """The operations of one cycle, and how many messages are queued or being answered among them."""

    __slots__ = ("_changed", "_members", "activity", "open_streams", "pending", "producers")

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._changed = asyncio.Event()
        self.producers = 0
        """Operations outside that may still bring something."""
        self.pending = 0
        self.open_streams = 0
        self.activity = 0
        """Grows with everything that happens on a stream."""

    def join(self, member: Member) -> None:
        """Add an operation."""
        self._members.append(member)

    def began(self) -> None:
        """Count a message in."""
        self.pending += 1
        self.activity += 1

    def ended(self) -> None:
        """Count a message out: answered, and what came of it passed on."""
        self.pending -= 1
        if self.pending == 0:
            self._changed.set()

    def producer_ended(self) -> None:
        """Note that an operation outside brings nothing more."""
        self.producers -= 1
        self._changed.set()

    def stream_opened(self) -> None:
        """Count a stream whose node may speak at any time."""
        self.open_streams += 1

    def stream_closed(self) -> None:
        """Count a stream out."""
        self.open_streams -= 1
        self._changed.set()

    async def watch(self) -> None:
        """Close every inbox once the cycle has come to rest."""
        while True:
            self._changed.clear()
            if self.producers == 0 and self.pending == 0:
                if self.open_streams == 0:
                    break
                before = self.activity
                await asyncio.sleep(SETTLE_SECONDS)
                if (self.activity, self.pending) == (before, 0):
                    for member in self._members:
                        member.is_flushing = True
                        member.wake()
                    await self._changed.wait()
                continue
            await self._changed.wait()
        for member in self._members:
            member.close()
