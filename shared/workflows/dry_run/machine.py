"""The processes of one dry run: started, watched, and ended with everything they started, however the run ends."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.processes import environment, leftovers, process
from shared.processes.log import Log
from shared.processes.process import Command, Process
from shared.processes.pump import Pump
from shared.workflows.dry_run.outcome import PackageError

GRACE_SECONDS = 3.0
OUTPUT_SECONDS = 0.5
LAST_WORDS = 5
_POLL_SECONDS = 0.02
_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class Running:
    """A process and its log."""

    process: Process
    log: Log

    async def ended(self) -> int:
        """Wait for the end and return the status."""
        while (status := self.process.status) is None:  # noqa: ASYNC110 - the kernel tells nobody else
            await asyncio.sleep(_POLL_SECONDS)
        return status

    @property
    def last_words(self) -> str:
        """The end of what it wrote, on one line; of a line of JSON what it gives as the reason."""
        self.process.output_ended.wait(OUTPUT_SECONDS)
        return self.last_line

    @property
    def last_line(self) -> str:
        """The same while it runs."""
        lines = [line.strip() for line in self.log.tail(LAST_WORDS, after=self.process.log_place) if line.strip()]
        return _reason(lines[-1])[:_LONGEST_LINE] if lines else ""


def _reason(line: str) -> str:
    try:
        found = json.loads(line)
    except ValueError:
        return line
    reason = found.get("reason") if isinstance(found, dict) else None
    return reason if isinstance(reason, str) else line


def _check(texts: Sequence[str], name: str) -> None:
    try:
        is_told = not any(b"\0" in os.fsencode(text) for text in texts)
    except UnicodeEncodeError:
        is_told = False
    if not is_told:
        raise PackageError(f"{name}: expected arguments and variables without NUL and half characters")


def _started(command: Command, log: Log, pump: Pump, name: str) -> Process:
    try:
        return process.start(command, log, pump)
    except OSError as problem:
        if problem.errno != errno.E2BIG:
            raise
        raise PackageError(f"{name}: expected shorter arguments and variables: {problem.strerror}") from problem


class Machine:
    """Runs programs in a folder; use it in a `with` block, in a thread that lives as long."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = secrets.token_hex(16)
        self._pump = Pump()
        self._running: list[Running] = []
        self._logs: dict[Path, Log] = {}
        self._is_in_haste = False
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process, those too that left their group."""
        self.kill()
        for running in self._running:
            running.process.end(0.0)
        leftovers.end(self._mark)
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.communicate()
        self._pump.close()
        for log in self._logs.values():
            log.close()

    def terminate(self) -> None:
        """Ask every program to end, so that their graces are one."""
        for running in self._running:
            running.process.terminate()

    def kill(self) -> None:
        """End every program, and give none a grace any more."""
        self._is_in_haste = True
        for running in self._running:
            running.process.kill()

    def start(self, name: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Running:
        """Start a program; its output goes to `logs/<name>.log`.

        Raises:
            PackageError: no program of this machine can be told one of the texts.
            OSError: this machine has no room for another process.
        """
        _check([*arguments, *variables.values()], name)
        home = self.folder / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        told = {
            **variables,
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONUNBUFFERED": "1",
            leftovers.VARIABLE: self._mark,
        }
        path = self.folder / "logs" / f"{name}.log"
        if path not in self._logs:
            self._logs[path] = Log(path)
        command = Command(tuple(arguments), folder, environment.allowed(told, environ=os.environ))
        if self._keeper is None:
            self._keeper = leftovers.keeper(self._mark)
        running = Running(_started(command, self._logs[path], self._pump, name), self._logs[path])
        self._running.append(running)
        return running

    async def end(self, running: Running) -> int:
        """Ask a program to end, kill it after the grace, and return its status."""
        running.process.terminate()
        try:
            async with asyncio.timeout(0 if self._is_in_haste else GRACE_SECONDS):
                return await running.ended()
        except TimeoutError:
            return running.process.end(0.0)
