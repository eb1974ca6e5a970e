"""What a driver works with: the orchestrator's settings, and a folder of its own for messages on disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator import dead_letters, trust
from orchestrator.assembly import RunOptions
from orchestrator.budget import Budget
from orchestrator.connections import ConnectionOptions
from orchestrator.settings import Settings
from shared.errors import SettingsError


@dataclass(frozen=True, slots=True)
class DriverOptions:
    """How nodes are called, and what messages on disk may take."""

    connection: ConnectionOptions
    run: RunOptions


@contextmanager
def opened(settings: Settings) -> Iterator[DriverOptions]:
    """Make the folder, and remove it in the end unless undelivered messages are parked in it.

    Raises:
        SettingsError: the folder cannot be made, or the files for TLS do not fit together.
    """
    tls = trust.read(settings.tls_authority, settings.tls_certificate, settings.tls_key)
    try:
        settings.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="driver-", dir=settings.folder))
    except OSError as problem:
        raise SettingsError("SLIPWAY_DATA_DIRECTORY: expected a folder that can be written to") from problem
    run = RunOptions(
        settings.queue_messages,
        settings.queue_bytes,
        settings.deadline_seconds,
        folder,
        Budget(settings.memory_bytes),
        Budget(settings.disk_bytes),
    )
    try:
        yield DriverOptions(ConnectionOptions(settings.message_bytes, settings.keepalive_seconds, tls), run)
    finally:
        if not (folder / dead_letters.FOLDER).exists():
            shutil.rmtree(folder, ignore_errors=True)
