"""Which paths an archive may hold: those that mean one and the same file on every system that unpacks it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from shared.errors import InvalidArchiveError
from shared.findings import quoted

PATH_BYTES = 255  # in UTF-8: Windows takes about as much for a whole path, Linux for one name

_DRIVE = re.compile(r"[A-Za-z]:")
_RULES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("printable characters", str.isprintable),  # first: half of a surrogate pair has no UTF-8
    (f"a path of at most {PATH_BYTES} bytes", lambda path: len(path.encode()) <= PATH_BYTES),
    ("a path without backslashes", lambda path: "\\" not in path),
    ("a relative path", lambda path: not path.startswith("/") and not _DRIVE.match(path)),
    # Windows drops dots and spaces at the end of a name: there, `.. ` is `..`.
    ("names between the slashes", lambda path: all(name.strip(". ") for name in path.split("/"))),
)


def check(files: Iterable[str], directories: Iterable[str] = ()) -> None:
    """Refuse an unsafe path, two paths that are one on some system, and a file where a directory must be.

    Raises:
        InvalidArchiveError: names the path.
    """
    owners: dict[str, str] = {}
    for path in files:
        _claim(path, owners)
    file_keys = frozenset(owners)
    for path in directories:
        _claim(path, owners)
    for key, path in owners.items():
        blocking = next((parent for parent in _parents(key) if parent in file_keys), None)
        if blocking is not None:
            raise InvalidArchiveError(
                f"{quoted(path)}: expected directories above, found file {quoted(owners[blocking])}"
            )


def _claim(path: str, owners: dict[str, str]) -> None:
    for expected, holds in _RULES:
        if not holds(path):
            raise InvalidArchiveError(f"{quoted(path)}: expected {expected}")
    key = _folded(path)
    if key in owners:
        raise InvalidArchiveError(f"{quoted(path)}: expected one entry of this name, found {quoted(owners[key])} too")
    owners[key] = path


def _folded(path: str) -> str:
    """Return what is the same for all paths that Windows or macOS take for one."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _parents(path: str) -> Iterator[str]:
    return (path[:end] for end, character in enumerate(path) if character == "/")
