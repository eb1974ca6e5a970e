"""What a place for bytes must be able to do so that solutions can be stored there: a folder and an S3 bucket can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shared.errors import InvalidRequestError
from shared.findings import quoted

MOST_KEY_BYTES = 900  # S3 ends at 1024, and its prefix counts
MOST_NAME_BYTES = 200  # file systems end at 255, and the name of a file in the making is longer


class Store(Protocol):
    """Bytes under keys: relative paths as `checked_key` wants them. What is put is whole or not there, and never changes.

    Safe to use from many threads and processes. Every method raises UpstreamError when the place misbehaves.
    """

    name: str
    """The place in messages and logs."""

    def get(self, key: str, *, most_bytes: int) -> bytes | None:
        """Return what is under `key`, None when nothing is; TooLargeError when it is larger."""
        ...

    def get_all(self, wanted: Mapping[str, int]) -> dict[str, bytes | None]:
        """Return what is under each key, at the same time where that is faster: key → most bytes."""
        ...

    def put_new(self, key: str, data: bytes) -> bool:
        """Put `data` under `key`; False when something is there already, which then stays as it is."""
        ...

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """Put all that is not there yet."""
        ...

    def keys(self, prefix: str) -> dict[str, int]:
        """Return the keys below a folder (ending in a slash, or empty for all) with their sizes in bytes, sorted."""
        ...

    def check(self) -> None:
        """Answer whether the place can be read."""
        ...

    def close(self) -> None:
        """Free threads and connections."""
        ...


def checked_key(key: str) -> str:
    """Return `key` when it is a relative path without any meaning but its names.

    Raises:
        InvalidRequestError: it is not.
    """
    names = key.split("/")
    if len(key.encode(errors="replace")) > MOST_KEY_BYTES or not all(map(_is_name, names)):
        raise InvalidRequestError(f"path: expected a relative path of plain names, found {quoted(key)}")
    return key


def _is_name(name: str) -> bool:
    is_plain = name.isprintable() and "\\" not in name
    return is_plain and name not in {"", ".", ".."} and len(name.encode(errors="replace")) <= MOST_NAME_BYTES
