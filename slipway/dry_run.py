"""`slipway dry-run`: a workflow bundle, run on this machine before any cluster sees it."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from shared.errors import UnavailableError, UsageError
from shared.findings import quoted
from shared.workflows.dry_run import programs, running
from shared.workflows.dry_run.machine import Machine
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import Outcome, Say
from slipway import samples, source, terminal

_SIGNALLED = 128  # and the number of the signal, as shells say it


def run(arguments: argparse.Namespace) -> int:
    """Run the bundle; return 1 when it failed, 2 when it asks for what a dry run does not do."""
    files = source.bundle(arguments.bundle)
    options = Options(
        parameters=dict(map(_parameter, arguments.parameter)),
        secrets=_secrets(Path(arguments.secrets)) if arguments.secrets else {},
        hold_seconds=arguments.hold,
        longest_wait_seconds=arguments.max_wait,
        within_seconds=arguments.within,
    )
    say = terminal.complain if arguments.json else terminal.say
    with _folder(arguments.keep) as folder:
        table = programs.read(Path(arguments.images) if arguments.images else _samples(folder / "programs"))
        outcome = asyncio.run(_until_signal(files, table, folder, options, say))
    if isinstance(outcome, signal.Signals):
        terminal.complain(f"error: ended by {outcome.name}; nothing of it runs any more")
        return _SIGNALLED + outcome
    terminal.say(json.dumps(outcome.to_json()) if arguments.json else _summary(outcome))
    return 0 if outcome.status.is_good else 1


async def _until_signal(
    files: Mapping[str, bytes], table: programs.Programs, folder: Path, options: Options, say: Say
) -> Outcome | signal.Signals:
    """Run until the end, or until somebody ends us: then nothing of the run may stay. Who asks twice need not wait."""
    asked: list[signal.Signals] = []

    def ask(number: signal.Signals) -> None:
        asked.append(number)
        if len(asked) > 1:
            machine.kill()
            return
        say(f"{number.name}: ending what runs")
        machine.terminate()
        work.cancel()

    with Machine(folder) as machine:
        work = asyncio.ensure_future(running.on(machine, files, table, options, say))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ask, number)
        try:
            return await work
        except asyncio.CancelledError:
            return asked[0]


def _summary(outcome: Outcome) -> str:
    counts: dict[str, int] = {}
    for task in outcome.tasks:
        counts[task.status.value] = counts.get(task.status.value, 0) + 1
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    why = f": {outcome.reason}" if outcome.reason else ""
    return f"{outcome.name}: {outcome.status.value}{why} ({told})"


def _parameter(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise UsageError(f"--parameter: expected NAME=VALUE, found {quoted(text)}")
    return name, value


def _secrets(folder: Path) -> dict[str, dict[str, bytes]]:
    """Read `<Secret>/<key>` below a folder, as Secrets are mounted."""
    try:
        return {
            each.name: {file.name: file.read_bytes() for file in each.iterdir() if file.is_file()}
            for each in folder.iterdir()
            if each.is_dir()
        }
    except OSError as problem:
        raise UsageError(f"--secrets: expected a folder with <Secret>/<key>: {problem.strerror}") from problem


@contextmanager
def _folder(kept: str | None) -> Iterator[Path]:
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="slipway-dry-run-", ignore_cleanup_errors=True) as name:
            yield Path(name)
        return
    folder = Path(kept).resolve()
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"--keep: expected a new or empty folder, found {quoted(kept)}")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _samples(folder: Path) -> Path:
    """Put the nodes of our samples together, and return the folder of their table."""
    try:
        samples.write_programs(folder)
    except (OSError, subprocess.SubprocessError) as problem:
        raise UnavailableError("the nodes of our samples cannot be put together here: give --images") from problem
    return folder
