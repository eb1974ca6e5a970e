"""A store in a folder of this machine, or of a volume that several machines mount.

A file appears whole or not at all: it is written under another name, flushed, then linked under its own, which only one
writer can do. The file system must have hard links for that, as all local ones, NFS and CephFS have.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.errors import TooLargeError, UpstreamError
from shared.persistence.store import checked_key

UNFINISHED = ".unfinished-"


class FolderStore:
    """A store below `root`, which the operator owns; symbolic links that lead out of it are refused."""

    name = "folder"

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._below_root = f"{self._root}/" if self._root.name else "/"

    def get(self, key: str, *, most_bytes: int) -> bytes | None:
        """Return the content of a regular file; see `Store.get`."""
        with _reporting():
            path = self._inside(f"{self._below_root}{checked_key(key)}")
            return None if path is None else self._read(path, most_bytes)

    def get_all(self, wanted: Mapping[str, int]) -> dict[str, bytes | None]:
        """Return one after the other: a disk gains nothing from threads. Each folder is resolved once."""
        folders: dict[str, str | None] = {}
        found: dict[str, bytes | None] = {}
        for key, most_bytes in wanted.items():
            folder, _, name = checked_key(key).rpartition("/")
            with _reporting():
                if folder not in folders:
                    folders[folder] = self._inside(f"{self._below_root}{folder}")
                found[key] = self._get_in(folders[folder], name, key, most_bytes)
        return found

    def _get_in(self, folder: str | None, name: str, key: str, most_bytes: int) -> bytes | None:
        if folder is None:
            return None
        try:
            return self._read(f"{folder}/{name}", most_bytes)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as problem:
            if problem.errno != errno.ELOOP:
                raise
            return self.get(key, most_bytes=most_bytes)  # a link: where it leads has to be looked at

    def _read(self, path: str, most_bytes: int) -> bytes | None:
        """Return the content of a regular file that is no link; None for a folder."""
        # A pipe must not hold up the reader for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(mode):
                raise UpstreamError(self.name, "not_a_file: expected a regular file")
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise TooLargeError(f"{self.name}: expected a file of at most {most_bytes} bytes, found more")
        return data

    def put_new(self, key: str, data: bytes) -> bool:
        """Create a file, flushed to the disk together with its name; see `Store.put_new`."""
        with _reporting():
            path = self._root / checked_key(key)
            self._make_folder(path.parent)
            unfinished = path.with_name(UNFINISHED + secrets.token_hex(8))
            try:
                _write(unfinished, data)
                os.link(unfinished, path)
            except FileExistsError:
                return False
            finally:
                unfinished.unlink(missing_ok=True)
            _flush_folder(path.parent)
            return True

    def put_all(self, files: Mapping[str, bytes]) -> None:
        """Create one after the other."""
        for key, data in files.items():
            self.put_new(key, data)

    def keys(self, prefix: str) -> dict[str, int]:
        """Return the files below a folder; see `Store.keys`. A link counts: reading it says what is wrong with it."""
        with _reporting():
            top = self._inside(self._root / checked_key(prefix.rstrip("/")) if prefix else self._root)
            sizes = dict(_sizes(top)) if top and os.path.isdir(top) else {}  # noqa: PTH112 - text, as `_inside`
        return {prefix + path: sizes[path] for path in sorted(sizes)}

    def check(self) -> None:
        """Answer whether the folder is there and may be read."""
        with _reporting(), os.scandir(self._root) as entries:
            next(entries, None)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _inside(self, path: str | Path) -> str | None:
        """Return where `path` leads, None when it leads to nothing. Text, since a `Path` costs as much as the reading."""
        try:
            real = os.path.realpath(path, strict=True)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not f"{real}/".startswith(self._below_root):
            raise UpstreamError(self.name, "link_refused: a link leads out of the root")
        return real

    def _make_folder(self, folder: Path) -> None:
        """Create a folder with its parents, each flushed to the disk."""
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        if self._root not in missing:
            self._inside(missing[-1].parent if missing else folder)
        for path in reversed(missing):
            with suppress(FileExistsError):  # another writer was faster
                path.mkdir()
            _flush_folder(path.parent)


@contextmanager
def _reporting() -> Iterator[None]:
    """Say what the system refused without saying where: the place is in the cause, for the log."""
    try:
        yield
    except OSError as problem:
        raise UpstreamError(FolderStore.name, f"system_error: {os.strerror(problem.errno or 0)}") from problem


def _sizes(top: str, below: str = "") -> Iterator[tuple[str, int]]:
    with os.scandir(f"{top}/{below}") as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(top, f"{path}/")
            elif not entry.name.startswith(UNFINISHED):
                with suppress(FileNotFoundError):  # gone since it was listed, or a link to nothing
                    yield path, entry.stat().st_size


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
