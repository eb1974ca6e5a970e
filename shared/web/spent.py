"""Remembers used codes and ended sessions, for all workers of a machine, and for all copies that share the folder.

Creating a file exclusively is atomic on every file system that copies of a service would share.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shared.errors import SettingsError, UnavailableError

KEEP_SECONDS = 90_000.0
"""Longer than anything that is remembered here is good for: a session of a day."""


class SpentCodes:
    """A folder with one empty file per used code."""

    def __init__(
        self, folder: Path, *, keep_seconds: float = KEEP_SECONDS, now: Callable[[], float] = time.time
    ) -> None:
        """Use `folder`; forget a code after `keep_seconds`, when it is long invalid anyway."""
        self._folder = folder
        self._keep_seconds = keep_seconds
        self._now = now

    def spend(self, code_id: str) -> bool:
        """Return True the first time a code is named, False ever after.

        Args:
            code_id: letters and digits that we made ourselves: it becomes a file name.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        try:
            self._forget_old()
            os.close(os.open(self._folder / code_id, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        except OSError as problem:
            raise UnavailableError("one-time codes cannot be accepted at present") from problem
        return True

    def is_spent(self, code_id: str) -> bool:
        """Return whether a code was named before."""
        return (self._folder / code_id).exists()

    def _forget_old(self) -> None:
        for file in self._folder.iterdir():
            # Another process may be forgetting the same file.
            if self._now() - _changed(file) > self._keep_seconds:
                file.unlink(missing_ok=True)


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def folder(configured: str) -> Path:
    """Return the configured folder, or a private one in this machine's temporary folder; make it where it is missing.

    Raises:
        SettingsError: it cannot be made, or somebody else could write to the private one.
    """
    path = Path(configured) if configured else Path(tempfile.gettempdir()) / f"slipway-spent-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as problem:
        raise SettingsError("SLIPWAY_SPENT_FOLDER: the folder cannot be made") from problem
    # The name of the private one can be guessed, so whoever came first may have made it.
    if not configured and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077):
        raise SettingsError("SLIPWAY_SPENT_FOLDER: required here, the default folder belongs to somebody else")
    return path
