"""Detects that a cycle has come to rest: nothing is in flight within it, and its sources have ended or bring nothing that moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

SETTLE_SECONDS = 0.5
"""How long the open streams of a cycle must be silent before they are ended: a node may still be at work."""


class Link(Protocol):
    """An edge into an operation of the cycle."""

    is_ended: bool
    is_inner: bool

    @property
    def inbox(self) -> Member:
        """Where it leads."""

    def __len__(self) -> int:
        """Return how many messages wait on it."""


class Member(Protocol):
    """The inbox of an operation in the cycle."""

    is_flushing: bool
    joins: bool

    @property
    def edges(self) -> Sequence[Link]:
        """What leads into it."""

    @property
    def stranded(self) -> int:
        """Messages that wait for partners which have not come."""

    def close(self) -> None:
        """Nothing more will arrive."""

    def wake(self) -> None:
        """Look again."""


class Group:
    """The operations of one cycle, and how many messages are queued or being answered among them."""

    __slots__ = ("_changed", "_members", "_stranding", "activity", "inner", "open_streams", "outer", "pending")

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._stranding: list[Member] = []
        self._changed = asyncio.Event()
        self.inner: list[Link] = []
        """The edges of the cycle."""
        self.outer: list[Link] = []
        """The edges into it from outside."""
        self.pending = 0
        self.open_streams = 0
        self.activity = 0
        """Grows with everything that happens on a stream."""

    def join(self, member: Member) -> None:
        """Add an operation."""
        self._members.append(member)
        if member.joins:
            self._stranding.append(member)

    def began(self) -> None:
        """Count a message in."""
        self.pending += 1
        self.activity += 1

    def ended(self) -> None:
        """Count a message out: answered, and what came of it passed on."""
        self.pending -= 1
        if self.pending == 0 or self._stranding:
            self._changed.set()

    def changed(self) -> None:
        """Look again: an edge has ended."""
        self._changed.set()

    def stream_opened(self) -> None:
        """Count a stream whose node may speak at any time."""
        self.open_streams += 1

    def stream_closed(self) -> None:
        """Count a stream out."""
        self.open_streams -= 1
        self._changed.set()

    @property
    def _is_quiet(self) -> bool:
        return self.pending == sum(member.stranded for member in self._stranding) and not any(
            map(self._moves, self.outer)
        )

    def _moves(self, edge: Link) -> bool:
        """Say whether what the edge may still bring can set something in motion.

        In front of a collator that waits for the quiet cycle itself, it cannot; its source may even be held back there.
        """
        if edge.is_ended:
            return False
        waits_for_us = edge.inbox.joins and any(inner.is_inner and not len(inner) for inner in edge.inbox.edges)
        return not waits_for_us or self.open_streams > 0

    async def watch(self) -> None:
        """Close every inbox once the cycle has come to rest."""
        while True:
            self._changed.clear()
            if self._is_quiet:
                if self.open_streams == 0:
                    break
                before = self.activity
                await asyncio.sleep(SETTLE_SECONDS)
                if self.activity == before and self._is_quiet:
                    for member in self._members:
                        member.is_flushing = True
                        member.wake()
                    await self._changed.wait()
                continue
            await self._changed.wait()
        for edge in self.inner:
            edge.is_ended = True
        for member in self._members:
            member.close()
