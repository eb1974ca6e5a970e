"""The output of a process on disk: bounded, kept over restarts, and followed by any number of readers.

Two files hold at most half of the limit each; when the newer is full it replaces the older. A place in the log is the
number of bytes that were ever written before it, so that a reader does not notice the change of the files.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MIB = 1 << 20
DEFAULT_BYTES = 8 * MIB
LONGEST_LINE = 64 * 1024
"""A longer line reaches a reader in pieces."""
_MARKS = 4096  # places whose time is known; the oldest are forgotten
_MARK_SECONDS = 0.25
_QUIET_SECONDS = 1.0


class Log:
    """One log; see the module. Its methods may be called from any thread."""

    def __init__(self, path: Path, *, limit: int = DEFAULT_BYTES) -> None:
        self._path, self._older_path = path, path.with_name(path.name + ".1")
        self._half = limit // 2
        self._news = threading.Condition()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._older = _opened(self._older_path) if self._older_path.exists() else None
        self._newer = _opened(path)
        self._start = 0
        self._turn = os.fstat(self._older).st_size if self._older is not None else 0
        self._end = self._turn + os.fstat(self._newer).st_size
        self._marks: deque[tuple[float, int]] = deque([(os.fstat(self._newer).st_mtime, 0)], _MARKS)
        self._is_closed = False

    def begin(self) -> int:
        """Note that a process starts to write, and return the place: what a killed one left half-written is ended."""
        with self._news:
            if not self._is_closed and not self._is_line_start(self._end):
                self._write(b"\n")
            return self._end

    def append(self, data: bytes) -> None:
        """Write; readers are told. What comes after `close` is lost."""
        with self._news:
            if not self._is_closed:
                self._write(data)

    def close(self) -> None:
        """Let the readers come to their end, and write no more."""
        with self._news:
            if self._is_closed:
                return
            self._is_closed = True
            os.close(self._newer)
            if self._older is not None:
                os.close(self._older)
            self._news.notify_all()

    def tail(self, count: int, *, after: int = 0) -> list[str]:
        """Return the last lines behind a place as texts without their ends."""
        return [line.decode(errors="replace").rstrip("\r\n") for line in self.lines(tail=count, after=after)]

    def lines(self, *, tail: int, since: float | None = None, follow: bool = False, after: int = 0) -> Iterator[bytes]:
        """Yield at most the `tail` last lines that were written since that time (seconds since the epoch), then new ones.

        A follower gets an empty piece after every second in which nothing is written: whoever it sends to may be gone.
        """
        with self._news:
            place = self._end if self._is_closed else max(self._place_of_tail(tail), self._place_of(since), after)
        rest = b""
        for piece in self._pieces(place, follow=follow):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line + b"\n"
            if len(rest) > LONGEST_LINE:
                yield rest
                rest = b""
            elif not piece:
                yield b""
        if rest:
            yield rest

    def _pieces(self, place: int, *, follow: bool) -> Iterator[bytes]:
        while True:
            with self._news:
                if follow:
                    self._news.wait_for(lambda: self._is_closed or place < self._end, _QUIET_SECONDS)  # noqa: B023
                if self._is_closed:
                    return
                place = max(place, self._start)  # a slow reader has lost what was thrown away
                piece = self._read(place, LONGEST_LINE)
            if not piece and not follow:
                return
            place += len(piece)
            yield piece

    def _write(self, data: bytes) -> None:
        now = time.time()
        if now - self._marks[-1][0] >= _MARK_SECONDS:
            self._marks.append((now, self._end))
        for start in range(0, len(data), self._half):
            self._put(data[start : start + self._half])
        self._news.notify_all()

    def _put(self, piece: bytes) -> None:
        if self._end - self._turn + len(piece) > self._half:
            rest_of_line = piece.find(b"\n") + 1  # the older file ends with a whole line, the newer begins with one
            self._store(piece[:rest_of_line])
            self._rotate()
            piece = piece[rest_of_line:]
        self._store(piece)

    def _store(self, piece: bytes) -> None:
        # On a full disk the output is lost, and the process that writes it goes on.
        with suppress(OSError):
            self._end += os.write(self._newer, piece)

    def _rotate(self) -> None:
        if self._older is not None:
            os.close(self._older)
        self._path.replace(self._older_path)
        self._older, self._newer = self._newer, _opened(self._path)
        self._start, self._turn = self._turn, self._end

    def _read(self, place: int, size: int) -> bytes:
        if place < self._turn and self._older is not None:
            return os.pread(self._older, min(size, self._turn - place), place - self._start)
        return os.pread(self._newer, size, place - self._turn)

    def _place_of(self, since: float | None) -> int:
        if since is None:
            return self._start
        # What was written so soon after a mark that it got none has the mark's time: a line too many harms nobody.
        index = bisect_left(self._marks, (since - _MARK_SECONDS, 0))
        if index == 0:
            return self._start  # nobody remembers when what stands before the first mark was written
        return self._line_start(self._marks[index][1]) if index < len(self._marks) else self._end

    def _line_start(self, place: int) -> int:
        """Return where the first whole line begins at or behind a place."""
        while place < self._end and not self._is_line_start(place):
            block = self._read(max(place, self._start), LONGEST_LINE)
            found = block.find(b"\n")
            place = max(place, self._start) + (found + 1 if found >= 0 else len(block))
        return place

    def _is_line_start(self, place: int) -> bool:
        return place <= self._start or self._read(place - 1, 1) == b"\n"

    def _place_of_tail(self, count: int) -> int:
        if count <= 0:
            return self._end
        # The end of the last line is no beginning of another one.
        place, found = self._end, -1 if self._is_line_start(self._end) else 0
        while place > self._start:
            first = max(self._start, place - LONGEST_LINE, self._turn if place > self._turn else 0)
            block = self._read(first, place - first)
            for position in range(len(block) - 1, -1, -1):
                if block[position] == 10:  # noqa: PLR2004 a line end
                    found += 1
                    if found == count:
                        return first + position + 1
            place = first
        return self._start


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
