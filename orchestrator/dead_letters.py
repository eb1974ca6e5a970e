"""Keeps on disk what could not be delivered: one file per edge, each message after its length (protobuf's delimited form)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from io import FileIO
from pathlib import Path

from orchestrator.budget import Budget
from orchestrator.wire import WireError, read_varint, varint

FOLDER = "dead-letters"
_LONGEST_LENGTH = 5
"""Bytes of a varint below 2^35; no message is larger."""


def held(folder: Path) -> int:
    """Return the bytes that former runs and processes have parked in the folder."""
    return sum(file.stat().st_size for file in folder.glob("*.delimited"))


class DeadLetters:
    """A folder of parked messages."""

    def __init__(self, folder: Path, budget: Budget) -> None:
        self._folder = folder
        self._budget = budget
        self._mended: set[Path] = set()

    def park(self, edge: str, message: bytes) -> Path | None:
        """Append the message and return its file, or None when there is no room for it."""
        if not self._budget.has_room(len(message)):
            return None
        # Names in an edge come from outside: the file's name is made here.
        file = self._folder / f"{hashlib.sha256(edge.encode()).hexdigest()[:16]}.delimited"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with file.open("ab+", buffering=0) as stream:
                self._append(file, stream, varint(len(message)) + message)
        except OSError:
            return None
        self._budget.take(len(message))
        return file

    def _append(self, file: Path, stream: FileIO, content: bytes) -> None:
        if file not in self._mended:
            stream.truncate(_whole(stream))
            self._mended.add(file)
        end = stream.seek(0, 2)
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[stream.write(rest) :]
        except OSError:
            # Half a message would make garbage of all that follow it.
            with suppress(OSError):
                stream.truncate(end)
            raise


def _whole(stream: FileIO) -> int:
    """Return where the last whole message ends: the process may have been killed while it wrote the next one."""
    size = stream.seek(0, 2)
    start = 0
    while start < size:
        stream.seek(start)
        end = start + _delimited(stream.read(_LONGEST_LENGTH))
        if end > size:
            break
        start = end
    return start


def _delimited(head: bytes) -> int:
    """Return the bytes that a message and its length take; more than any file has when the length is cut off."""
    try:
        length, used = read_varint(head, 0)
    except WireError:
        return 1 << 62
    return used + length
