"""Messages on disk, first in first out, for edges that must never make their source wait."""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from pathlib import Path
from typing import IO

from orchestrator.budget import Budget

SEGMENT_BYTES = 64 << 20
_LENGTH = struct.Struct("<I")


class DiskFullError(Exception):
    """A message fits neither into memory nor on disk."""


class Spill:
    """A queue of messages in files of at most 64 MiB (or one message); a file goes when it has been read."""

    __slots__ = ("_budget", "_folder", "_segments", "count")

    def __init__(self, folder: Path, budget: Budget) -> None:
        self._folder = folder
        self._budget = budget
        self._segments: deque[_Segment] = deque()
        self.count = 0

    def put(self, message: bytes) -> None:
        """Append a message.

        Raises:
            DiskFullError: the budget or the disk has no room for it.
        """
        if not self._budget.has_room(len(message)):
            raise DiskFullError(f"the disk budget of {self._budget.limit} bytes is used up")
        try:
            if not self._segments or self._segments[-1].written > SEGMENT_BYTES:
                self._segments.append(_Segment(self._folder))
            self._segments[-1].put(message)
        except OSError as problem:
            raise DiskFullError(f"cannot write to disk: {problem.strerror}") from problem
        self._budget.take(len(message))
        self.count += 1

    def pop(self) -> bytes:
        """Return the oldest message; there must be one."""
        segment = self._segments[0]
        message = segment.pop()
        self._budget.give(len(message))
        self.count -= 1
        if segment.is_read and (len(self._segments) > 1 or segment.written > SEGMENT_BYTES):
            self._segments.popleft().close()
        return message

    def close(self) -> None:
        """Remove the files; what they held is given up."""
        while self.count:
            self.pop()
        for segment in self._segments:
            segment.close()
        self._segments.clear()


class _Segment:
    __slots__ = ("_file", "_read", "written")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Without a name on disk: it cannot outlive the process.
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, prefix="slipway-spill-")  # noqa: SIM115 closed by close()
        self._read = 0
        self.written = 0

    @property
    def is_read(self) -> bool:
        return self._read == self.written

    def put(self, message: bytes) -> None:
        self._file.seek(self.written)
        self._file.write(_LENGTH.pack(len(message)))
        self._file.write(message)
        self.written += _LENGTH.size + len(message)

    def pop(self) -> bytes:
        self._file.seek(self._read)
        (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
        message = self._file.read(length)
        self._read += _LENGTH.size + length
        return message

    def close(self) -> None:
        self._file.close()
