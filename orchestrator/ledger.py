"""Remembers on disk which runs are going on and what they have counted: a killed orchestrator can still account for them.

A file per run, written every second and removed at its end. What is found at the start belongs to runs that were cut
off; their counts are at most a second old.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path

import msgspec
import structlog

from orchestrator.run import Account, Run

_LOG = structlog.get_logger()


class LostRun(msgspec.Struct, frozen=True):
    """A run that was cut off with the orchestrator."""

    label: str
    started_at: float
    account: Account


class Ledger:
    """The files of the runs that are going on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, run: Run) -> None:
        """Note what the run has counted so far. A disk that cannot be written to is no reason to stop a run."""
        entry = {"label": run.label, "started_at": run.started_at, "account": asdict(run.account)}
        file = self._file(run.label)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(entry))
            fresh.replace(file)
        except OSError as problem:
            _LOG.warning("ledger_not_written", reason=problem.strerror)

    def remove(self, run: Run) -> None:
        """Forget a run that has ended and told its account."""
        self._file(run.label).unlink(missing_ok=True)

    def take(self) -> tuple[LostRun, ...]:
        """Return the runs that were cut off, and forget them; each is logged with what is known."""
        lost = []
        for file in sorted(self._folder.glob("*.json")):
            try:
                found = msgspec.json.decode(file.read_bytes(), type=LostRun)
            except (OSError, msgspec.DecodeError):
                continue
            finally:
                file.unlink(missing_ok=True)
            _LOG.error("run_cut_off", run=found.label, **asdict(found.account))
            lost.append(found)
        return tuple(lost)

    def _file(self, label: str) -> Path:
        # Labels come from outside: the file's name is made here.
        return self._folder / f"{hashlib.sha256(label.encode()).hexdigest()[:16]}.json"
