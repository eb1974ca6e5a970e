"""One process: started without a shell in a session of its own, and ended with everything that it started.

A process is waited for only after its whole group was killed. Until then its number cannot be given to anybody else,
so that a signal never reaches a stranger.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from shared.processes.log import Log
from shared.processes.pump import Pump

_LAUNCHER = str(Path(__file__).with_name("launcher.py"))
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Limits:
    """What one process may use; core dumps are never written, they hold secrets."""

    open_files: int = 4096
    memory_bytes: int | None = None
    """Of its own writable memory (RLIMIT_DATA): gRPC and Python reserve far more addresses than they use."""
    cpu_seconds: int | None = None

    @property
    def text(self) -> str:
        """The limits as the launcher reads them."""
        values = {
            "RLIMIT_CORE": 0,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_DATA": self.memory_bytes,
            "RLIMIT_CPU": self.cpu_seconds,
        }
        return json.dumps({name: value for name, value in values.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Command:
    """What to run."""

    arguments: tuple[str, ...]
    folder: Path
    """Where it runs."""
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    """All of it; nothing is inherited. See `shared.processes.environment`."""
    limits: Limits = Limits()


class Process:
    """A started process; made by `start`. Its methods may be called from any thread."""

    def __init__(self, child: subprocess.Popen[bytes], output_ended: threading.Event, log_place: int) -> None:
        self._child = child
        self.log_place = log_place
        """Where its output begins in the log."""
        self._lock = threading.Lock()
        self.started_at = time.time()
        self.output_ended = output_ended
        """Set when all that it wrote is in the log; a child that keeps the output open holds it back."""

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        return self._child.pid

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal, or None while it runs. What it left behind is killed first."""
        with self._lock:
            if self._child.returncode is None and _has_ended(self.pid):
                _signal_group(self.pid, signal.SIGKILL)
                self._child.wait()
            return self._child.returncode

    def terminate(self) -> None:
        """Ask the process and its children to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and its children."""
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float) -> int | None:
        """Return the exit status as soon as it has one; None after the time."""
        end = time.monotonic() + seconds
        while (status := self.status) is None and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
        return status

    def end(self, grace_seconds: float) -> int:
        """Ask it to end, kill it after the grace, and return its status."""
        self.terminate()
        status = self.wait(grace_seconds)
        while status is None:
            self.kill()
            status = self.wait(1.0)
        return status

    def _signal(self, number: signal.Signals) -> None:
        with self._lock:
            if self._child.returncode is None:
                _signal_group(self.pid, number)


def start(command: Command, log: Log, pump: Pump) -> Process:
    """Start a process whose output goes to `log`.

    On Linux it is killed when the calling thread ends, so that nothing outlives us: call it from a thread that lives as
    long as the process may.

    Raises:
        OSError: this machine has no room for another process.
    """
    log_place = log.begin()
    readable, writable = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603 - a list of arguments, never a shell
            [sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), command.limits.text, *command.arguments],
            stdin=subprocess.DEVNULL,
            stdout=writable,
            stderr=subprocess.STDOUT,
            cwd=command.folder,
            env=dict(command.environment),
            start_new_session=True,
        )
    except OSError:
        os.close(readable)
        raise
    finally:
        os.close(writable)
    return Process(child, pump.add(readable, log), log_place)


def _has_ended(pid: int) -> bool:
    """Tell without taking the status: the number stays the process's own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(pid: int, number: signal.Signals) -> None:
    # macOS says PermissionError of a group whose last member has ended.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
