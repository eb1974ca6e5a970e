"""A shared folder on this disk, opened for strangers: every step of a path is taken by hand, and no link is followed.

Each folder on the way is opened relative to the one before. A node that swaps a folder for a link meanwhile gains
nothing: the open of that step fails.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playground.runtime.deployment import Entry
from shared.errors import InvalidRequestError, NotFoundError, TooLargeError, UnavailableError
from shared.findings import quoted

_PIECE_BYTES = 256 * 1024
_LONGEST_NAME = 255  # bytes, of every usual file system
_DEEPEST = 64
_MOST_ENTRIES = 10_000  # more help nobody on a page
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # non-blocking: a pipe would wait for its writer
_IS_LINK = {errno.ELOOP, errno.EMLINK}


class DiskFolder:
    """What the nodes of one deployment share."""

    def __init__(self, root: Path, uploads: Path, *, limit: int) -> None:
        """Serve `root`; files on their way in lie in `uploads`, on the same disk; `limit` in bytes for all files."""
        self._root = root
        self._uploads = uploads
        self._limit = limit

    def entries(self, path: str) -> tuple[Entry, ...]:
        """Return what a folder holds, folders first, by name; links and special files are left out."""
        with self._opened(_steps(path), path) as folder, os.scandir(folder) as found:
            entries = [entry for one in found if (entry := _entry(one)) is not None]
        return tuple(sorted(entries, key=lambda entry: (not entry.is_folder, entry.name))[:_MOST_ENTRIES])

    def read(self, path: str) -> Iterator[bytes]:
        """Return a file in pieces; it is opened now, so that what is wrong is said now."""
        *way, name = _named(path)
        with self._opened(way, path) as folder, _told(path):
            descriptor = os.open(name, _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise InvalidRequestError(f"{quoted(path)}: expected a file")
        pieces = _pieces(descriptor)
        next(pieces)  # now it holds the file, and closes it when it is itself closed or forgotten
        return pieces

    def write(self, path: str, content: Iterator[bytes]) -> None:
        """Make or replace a file, whole or not at all; folders on its way are made."""
        *way, name = _named(path)
        draft = self._uploads / secrets.token_hex(16)
        try:
            self._receive(self._created(draft), content)
            with self._opened(way, path, makes=True) as folder, _told(path):
                os.replace(draft, name, dst_dir_fd=folder)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()

    def remove(self, path: str) -> None:
        """Remove a file or a link, or a folder with all in it."""
        *way, name = _named(path)
        with self._opened(way, path) as folder, _told(path):
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                shutil.rmtree(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    def _created(self, draft: Path) -> int:
        """Return a new file, opened; the whole place may be on its way out."""
        try:
            self._uploads.mkdir(exist_ok=True, mode=0o700)
            return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o664)
        except OSError as problem:
            raise UnavailableError("the shared folder cannot be reached now") from problem

    def _receive(self, descriptor: int, content: Iterator[bytes]) -> None:
        with os.fdopen(descriptor, "wb") as file:
            room = self._limit - _size(self._root)
            for piece in content:
                room -= len(piece)
                if room < 0:
                    raise TooLargeError(f"no room: the shared folder holds at most {self._limit} bytes")
                try:
                    file.write(piece)
                    file.flush()
                except OSError as problem:
                    raise TooLargeError("no room: the disk is full") from problem

    @contextmanager
    def _opened(self, way: list[str], path: str, *, makes: bool = False) -> Iterator[int]:
        try:
            folder = os.open(self._root, _FOLDER)
        except OSError as problem:
            raise UnavailableError("the shared folder cannot be reached now") from problem
        try:
            for name in way:
                with _told(path):
                    if makes:
                        with suppress(FileExistsError):
                            os.mkdir(name, 0o775, dir_fd=folder)
                    inner = os.open(name, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)


def _steps(path: str) -> list[str]:
    """Return the names on the way; none for the folder itself."""
    names = path.removesuffix("/").split("/") if path not in {"", "/"} else []
    for name in names:
        is_odd = name in {"", ".", ".."} or "\0" in name
        if is_odd or len(name.encode(errors="replace")) > _LONGEST_NAME or not _is_text(name):
            raise InvalidRequestError(f"path: expected names inside the shared folder, found {quoted(path)}")
    if len(names) > _DEEPEST:
        raise InvalidRequestError(f"path: expected at most {_DEEPEST} folders")
    return names


def _named(path: str) -> list[str]:
    names = _steps(path)
    if not names:
        raise InvalidRequestError("path: expected something inside the shared folder, found the folder itself")
    return names


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Translate what the system says of a step."""
    try:
        yield
    except FileNotFoundError:
        raise NotFoundError(f"{quoted(path)} is not in the shared folder") from None
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as problem:
        raise InvalidRequestError(f"{quoted(path)}: a file is where a folder is meant, or the reverse") from problem
    except OSError as problem:
        if problem.errno in _IS_LINK:
            raise InvalidRequestError(f"{quoted(path)}: links are not followed") from problem
        raise UnavailableError("the shared folder cannot be used now") from problem


def _pieces(descriptor: int) -> Iterator[bytes]:
    with os.fdopen(descriptor, "rb") as file:
        yield b""
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _entry(found: os.DirEntry[str]) -> Entry | None:
    with suppress(OSError):  # it has gone meanwhile
        about = found.stat(follow_symlinks=False)
        is_folder = stat.S_ISDIR(about.st_mode)
        if _is_text(found.name) and (is_folder or stat.S_ISREG(about.st_mode)):
            return Entry(found.name, 0 if is_folder else about.st_size, about.st_mtime, is_folder)
    return None


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _size(root: Path) -> int:
    total = 0
    for folder, _, files in os.walk(root):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 - thousands of them, as bare as can be
    return total
