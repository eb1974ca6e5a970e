"""Remembers on disk which runs are going on and what they have counted: a killed orchestrator can still account for them.

A file per run, removed at its end. The counts of its edges are mapped into memory, so what they say is what the
process had counted when it was killed; what is found at the start belongs to runs that were cut off.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
import structlog

from orchestrator import tally
from orchestrator.tally import NUMBER_BYTES, WIDTH, Account, Counts

_LOG = structlog.get_logger()
_LENGTH = struct.Struct("<Q")
SUFFIX = ".run"


class Head(msgspec.Struct, frozen=True):
    """What a file says before the numbers."""

    label: str
    started_at: float
    edges: list[str]


class LostRun(msgspec.Struct, frozen=True):
    """A run that was cut off with the orchestrator."""

    label: str
    started_at: float
    account: Account


class Ledger:
    """The files of the runs that are going on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, label: str, started_at: float, edges: Sequence[str]) -> Counts:
        """Return the counts of a new run. A disk that cannot be written to is no reason not to run."""
        if not edges:
            return tally.in_memory(0)
        head = msgspec.json.encode(Head(label, started_at, list(edges)))
        head += b" " * (-len(head) % NUMBER_BYTES)
        file = self._file(label)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(".new")
            # Written out, not merely sized: a mapped page that the disk has no room for would kill the process.
            fresh.write_bytes(_LENGTH.pack(len(head)) + head + bytes(len(edges) * WIDTH * NUMBER_BYTES))
            fresh.replace(file)
            with file.open("r+b") as opened:
                mapped = memoryview(mmap.mmap(opened.fileno(), 0))
        except OSError as problem:
            _LOG.warning("ledger_not_written", reason=problem.strerror)
            return tally.in_memory(len(edges))
        return mapped[_LENGTH.size + len(head) :].cast("Q")

    def end(self, label: str) -> None:
        """Forget a run that has ended and told its account."""
        self._file(label).unlink(missing_ok=True)

    def take(self) -> tuple[LostRun, ...]:
        """Return the runs that were cut off, and forget them; each is logged with what is known, edge by edge."""
        lost = []
        for file in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                head, edges = _read(file.read_bytes())
            except (OSError, msgspec.DecodeError, ValueError, struct.error):
                continue
            finally:
                file.unlink(missing_ok=True)
            lost.append(_tell(head, edges))
        return tuple(lost)

    def _file(self, label: str) -> Path:
        # Labels come from outside: the file's name is made here.
        return self._folder / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}{SUFFIX}"


def _read(content: bytes) -> tuple[Head, list[Counts]]:
    (length,) = _LENGTH.unpack_from(content)
    start = _LENGTH.size + length
    head = msgspec.json.decode(content[_LENGTH.size : start], type=Head)
    numbers = memoryview(content)[start:].cast("Q")
    if len(numbers) != len(head.edges) * WIDTH:
        raise ValueError(f"expected {len(head.edges) * WIDTH} numbers, found {len(numbers)}")
    return head, tally.split(numbers)


def _tell(head: Head, edges: list[Counts]) -> LostRun:
    account = tally.account(edges)
    missing = {
        name: undelivered
        for name, counts in zip(head.edges, edges, strict=True)
        if (undelivered := tally.account([counts]).undelivered)
    }
    _LOG.error("run_cut_off", run=head.label, **asdict(account), undelivered_by_edge=missing)
    return LostRun(head.label, head.started_at, account)
