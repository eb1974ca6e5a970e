"""Artifact files: messages one after the other, each behind its length as a varint (protobuf's delimited form).

A file is written under another name and moved when it is whole: a driver that is killed leaves none that looks complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from orchestrator.driver.errors import RunFailedError
from orchestrator.wire import varint
from shared.errors import InvalidRequestError

_LONGEST_LENGTH = 10
"""Bytes of a varint."""
_MORE = 0x80
_BITS = 7


def read(path: Path, *, most_bytes: int) -> Iterator[bytes]:
    """Yield the messages of a file, one at a time in memory.

    Raises:
        InvalidRequestError: the file cannot be read, ends within a message, or holds one larger than `most_bytes`.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while (length := _length(file, path)) is not None:
                number += 1
                if length > most_bytes:
                    found = f"message {number} of {length} bytes"
                    raise InvalidRequestError(
                        f"{path.name}: expected messages of at most {most_bytes} bytes, found {found}"
                    )
                message = file.read(length)
                if len(message) < length:
                    raise InvalidRequestError(f"{path.name}: ends within message {number}: expected {length} bytes")
                yield message
    except OSError as problem:
        raise InvalidRequestError(f"{path}: expected an artifact file: {problem.strerror}") from problem


def _length(file: IO[bytes], path: Path) -> int | None:
    value = 0
    for index in range(_LONGEST_LENGTH):
        byte = file.read(1)
        if not byte:
            if index == 0:
                return None
            break
        value |= (byte[0] & ~_MORE) << (_BITS * index)
        if byte[0] < _MORE:
            return value
    raise InvalidRequestError(f"{path.name}: expected messages behind their lengths, found no length")


class Writer:
    """Writes one artifact file; nothing is there under its name until `commit`."""

    def __init__(self, path: Path) -> None:
        """Begin a file.

        Raises:
            InvalidRequestError: it cannot be made.
        """
        self.path = path
        self.messages = 0
        self._hash = hashlib.sha256()
        self._draft = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._draft.open("wb")
        except OSError as problem:
            raise InvalidRequestError(f"{path}: expected a file that can be written: {problem.strerror}") from problem

    def write(self, message: bytes) -> None:
        """Append a message.

        Raises:
            RunFailedError: it cannot be written, because the disk is full for example.
        """
        with self._told():
            for part in (varint(len(message)), message):
                self._file.write(part)
                self._hash.update(part)
        self.messages += 1

    @property
    def digest(self) -> str:
        """SHA-256 of what was written."""
        return self._hash.hexdigest()

    def commit(self) -> None:
        """Give the file its name.

        Raises:
            RunFailedError: the rest of it cannot be written.
        """
        with self._told():
            self._file.close()
            self._draft.replace(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Throw away what was not committed."""
        # On a full disk it closes with another failure, and no longer matters.
        with suppress(OSError):
            self._file.close()
        with suppress(FileNotFoundError):
            self._draft.unlink()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise RunFailedError(f"{self.path}: cannot be written: {problem.strerror}") from problem
