"""The folder of a process runtime: one folder per deployment with everything of it, and a lock for one server at a time.

A file is replaced and never changed, so that a server may be killed at any moment. What is deleted is moved aside first:
either it is there, or it is gone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import structlog

from playground.runtime.deployment import DeploymentId
from playground.runtime.process import record as records
from playground.runtime.process.record import Record
from shared.errors import UnavailableError

_LOG = structlog.get_logger()
_LOCK_SECONDS = 5.0  # a worker that was told to end needs a moment
_STATE = "state.json"
_FILES = "files"


class Store:
    """Reads and writes below one folder. Only one server has it at a time."""

    def __init__(self, folder: Path) -> None:
        """Take the folder.

        Raises:
            UnavailableError: another server has it.
        """
        self._deployments = folder / "deployments"
        self._trash = folder / "trash"
        for made in (folder, self._deployments, self._trash):
            made.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _locked(folder / "lock")
        self.mark = _mark(folder / "mark")

    def close(self) -> None:
        """Give the folder to others."""
        os.close(self._lock)

    def folder(self, deployment: DeploymentId) -> Path:
        """Return where everything of a deployment is."""
        return self._deployments / deployment

    def records(self) -> Iterator[Record]:
        """Yield what is kept of every deployment. One that cannot be read stays where it is, and is told of."""
        for folder in sorted(self._deployments.iterdir()):
            try:
                yield records.read(folder / _STATE)
            except FileNotFoundError:
                self.discard(folder)  # killed before the push was accepted
            except (OSError, msgspec.DecodeError) as problem:
                _LOG.error("deployment_unreadable", deployment=folder.name, problem=str(problem))

    def save(self, record: Record) -> None:
        """Write the state of a deployment."""
        folder = self.folder(record.deployment_id)
        folder.mkdir(exist_ok=True, mode=0o700)
        replace(folder / _STATE, records.encode(record))

    def keep(self, deployment: DeploymentId, files: Mapping[str, bytes]) -> dict[str, str]:
        """Write the files of a bundle, equal ones once, and return the name of each."""
        folder = self.folder(deployment) / _FILES
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept: dict[str, str] = {}
        for path, content in files.items():
            kept[path] = hashlib.sha256(content).hexdigest()
            if not (folder / kept[path]).exists():
                replace(folder / kept[path], content)
        return kept

    def forget_unused(self, record: Record) -> None:
        """Remove files that no revision has any more."""
        used = {name for revision in record.revisions for name in revision.files.values()}
        for file in (self.folder(record.deployment_id) / _FILES).iterdir():
            if file.name not in used:
                file.unlink()

    def files(self, record: Record, number: int) -> dict[str, bytes]:
        """Return the files of a revision.

        Raises:
            UnavailableError: one of them is gone, or cannot be read.
        """
        folder = self.folder(record.deployment_id) / _FILES
        try:
            return {path: (folder / name).read_bytes() for path, name in record.numbered(number).files.items()}
        except (OSError, KeyError) as problem:
            raise UnavailableError(f"the files of revision {number} cannot be read") from problem

    def discard(self, folder: Path) -> None:
        """Move a folder out of the way, at once; `empty_trash` removes it."""
        if folder.exists():
            folder.rename(self._trash / f"{folder.name}-{secrets.token_hex(8)}")

    def empty_trash(self) -> None:
        """Remove what was discarded; this may take long."""
        for folder in self._trash.iterdir():
            shutil.rmtree(folder, ignore_errors=True)


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner only.

    Raises:
        UnavailableError: the disk takes no more.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except OSError as problem:
        raise UnavailableError("the disk of the process runtime cannot be written now") from problem


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(descriptor)
                raise UnavailableError("the folder of the process runtime is used by another server") from None
            time.sleep(0.05)
        else:
            return descriptor


def _mark(path: Path) -> str:
    """Return what proves that a process is of this folder; see `shared.processes.leftovers`."""
    if not path.exists():
        replace(path, secrets.token_hex(16).encode())
    return path.read_text(encoding="ascii")
