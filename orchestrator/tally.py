"""What became of the messages of each edge: a few numbers per edge in one block of memory.

The block is plain memory, or a mapped file that outlives the process (see `ledger`); counting costs the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Counts = memoryview
"""Unsigned 64-bit numbers: `WIDTH` of them per edge."""
ENTERED, ENTERED_BYTES, DELIVERED, DEAD_LETTERED, DROPPED, REDELIVERED, UNCONFIRMED, WRITTEN = range(8)
"""What the numbers of an edge are; `WRITTEN`: now in a stream that is open, and neither confirmed nor given back."""
WIDTH = 8
NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Account:
    """What became of messages: `entered` is the sum of the next four."""

    entered: int = 0
    delivered: int = 0
    dead_lettered: int = 0
    dropped: int = 0
    undelivered: int = 0
    redelivered: int = 0
    """Given to a node again because a stream broke."""
    unconfirmed: int = 0
    """Of the delivered ones: written into a stream that broke, longer ago than its replay window reaches."""


def in_memory(edges: int) -> Counts:
    """Return zeros for so many edges."""
    return memoryview(bytearray(edges * WIDTH * NUMBER_BYTES)).cast("Q")


def split(counts: Counts) -> list[Counts]:
    """Return the numbers of each edge; they share their memory with `counts`."""
    return [counts[start : start + WIDTH] for start in range(0, len(counts), WIDTH)]


def account(edges: Sequence[Counts], *, trusts_streams: bool = False) -> Account:
    """Return the sum over the edges; with `trusts_streams`, what is in open streams counts as delivered."""
    totals = [sum(numbers) for numbers in zip(*edges, strict=True)] or [0] * WIDTH
    entered, _, delivered, dead, dropped, redelivered, unconfirmed, written = totals
    if trusts_streams:
        delivered += written
    return Account(
        entered=entered,
        delivered=delivered,
        dead_lettered=dead,
        dropped=dropped,
        undelivered=entered - delivered - dead - dropped,
        redelivered=redelivered,
        unconfirmed=unconfirmed,
    )
