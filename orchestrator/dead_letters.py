"""Keeps on disk what could not be delivered: one file per edge, each message after its length (protobuf's delimited form)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchestrator.budget import Budget
from orchestrator.wire import varint

FOLDER = "dead-letters"


def held(folder: Path) -> int:
    """Return the bytes that former runs and processes have parked in the folder."""
    return sum(file.stat().st_size for file in folder.glob("*.delimited"))


class DeadLetters:
    """A folder of parked messages."""

    def __init__(self, folder: Path, budget: Budget) -> None:
        self._folder = folder
        self._budget = budget

    def park(self, edge: str, message: bytes) -> Path | None:
        """Append the message and return its file, or None when there is no room for it."""
        if not self._budget.has_room(len(message)):
            return None
        # Names in an edge come from outside: the file's name is made here.
        file = self._folder / f"{hashlib.sha256(edge.encode()).hexdigest()[:16]}.delimited"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with file.open("ab") as stream:
                stream.write(varint(len(message)) + message)
        except OSError:
            return None
        self._budget.take(len(message))
        return file
