"""One node over all the processes that it has had: started, watched, started again after a crash, ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from playground.runtime.deployment import NodeStatus
from playground.runtime.kept import one_line
from shared.processes import ports
from shared.processes.log import Log
from shared.processes.process import Command, Process, start
from shared.processes.pump import Pump

MAX_BACKOFF_SECONDS = 60.0
FIRST_BACKOFF_SECONDS = 0.25
STEADY_SECONDS = 60.0  # who was ready so long begins anew with the shortest wait
MANY_CRASHES = 4  # in a row, without having been ready: something has to be changed
JOB_TRIES = 4  # as the bundles' Jobs: three more after the first
SLOW_SECONDS = 15.0
CHECK_SECONDS = 0.3  # between two tries whether it answers; quicker in the first second
OUTPUT_SECONDS = 0.5  # for the last words of a process that has ended
LAST_WORDS = 3


class Phase(StrEnum):
    """Where a node is; the text is for people."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"
    STOPPING = "stopping"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker runs."""

    name: str
    image: str
    command: Command
    port: int
    grace_seconds: float
    is_job: bool = False
    is_called: bool = True
    web_port: int | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports that are set aside for it."""
        return (self.port,) if self.web_port is None else (self.port, self.web_port)


Note = Callable[..., None]
"""Takes an event's text, and `is_warning`."""


class Worker:
    """Runs one task. One thread steps it; see `Place`."""

    def __init__(self, task: Task, log: Log, pump: Pump, note: Note, *, is_completed: bool = False) -> None:
        self.task = task
        self.phase = Phase.COMPLETED if is_completed else Phase.WAITING
        self.restarts = 0
        self.crashes = 0
        """In a row."""
        self._log, self._pump, self._note = log, pump, note
        self._process: Process | None = None
        self._reason = ""
        self._since = 0.0
        """When the phase began; all such times are monotonic."""
        self._next_start = 0.0
        self._next_check = 0.0
        self._ended_at: float | None = None
        self._kill_at: float | None = None
        self._is_asked = False

    @property
    def is_alive(self) -> bool:
        """It has a process."""
        return self._process is not None

    @property
    def is_done(self) -> bool:
        """Nothing about it keeps its deployment from being ready."""
        return self.phase in {Phase.READY, Phase.COMPLETED}

    @property
    def has_failed(self) -> bool:
        """It will not mend itself."""
        return self.phase is Phase.FAILED or self.crashes >= MANY_CRASHES

    def status(self) -> NodeStatus:
        """Return what the server sees."""
        process = self._process
        return NodeStatus(
            name=self.task.name,
            image=self.task.image,
            phase=self.phase.value,
            is_ready=self.phase is Phase.READY,
            restarts=self.restarts,
            started_at=process.started_at if process else None,
            reason=self._reason or self._slowness(),
            has_web_ui=self.task.web_port is not None,
        )

    def step(self, now: float) -> bool:
        """Do what is due, and tell whether anything has changed."""
        before = (self.phase, self.restarts, self._reason)
        if self._process is None:
            if self.phase in {Phase.WAITING, Phase.CRASHED} and now >= self._next_start:
                self._begin(now)
        elif (status := self._ended(now)) is not None:
            self._end(status, now)
        else:
            self._watch(now)
        return before != (self.phase, self.restarts, self._reason)

    def stop(self, now: float, *, gently: bool) -> None:
        """Have the process ended; call it again until `is_alive` is false."""
        if self._process is not None:
            self._ask(now, gently=gently)
            if self._ended(now) is not None:
                self._process = None
                self._is_asked, self._kill_at = False, None
        if self._process is None and self.phase is not Phase.COMPLETED:
            self._turn(Phase.WAITING, now)

    def restart(self, now: float) -> None:
        """Start again: a fresh process, and a completed job once more."""
        self.crashes = 0
        self._next_start = 0.0
        if self._process is None:
            self._turn(Phase.WAITING, now)
        else:
            self._ask(now, gently=True)

    def _begin(self, now: float) -> None:
        self.restarts += self.crashes > 0
        try:
            self._process = start(self.task.command, self._log, self._pump)
        except OSError as problem:
            self._crash(f"cannot be started: {problem.strerror}", now)
            return
        self._ended_at = self._kill_at = None
        self._is_asked = False
        self._turn(Phase.STARTING, now)

    def _ended(self, now: float) -> int | None:
        """Return the exit status once the last words of the process are in the log too."""
        if self._process is None or (status := self._process.status) is None:
            return None
        self._ended_at = self._ended_at or now
        has_said_all = self._process.output_ended.is_set() or now > self._ended_at + OUTPUT_SECONDS
        return status if has_said_all else None

    def _end(self, status: int, now: float) -> None:
        process, self._process = self._process, None
        if self._is_asked:
            self._turn(Phase.WAITING, now)
        elif status == 0 and (self.task.is_job or not self.task.is_called):
            self._turn(Phase.COMPLETED, now)
            self._note("has done its work")
        else:
            said = self._log.tail(LAST_WORDS, after=process.log_place if process else 0)
            self._crash(f"{_words(status)}; its last words: {' ⏎ '.join(said)}" if said else _words(status), now)

    def _crash(self, what: str, now: float) -> None:
        if self.phase is Phase.READY and now - self._since > STEADY_SECONDS:
            self.crashes = 0
        self.crashes += 1
        wait = min(FIRST_BACKOFF_SECONDS * 2 ** (self.crashes - 1), MAX_BACKOFF_SECONDS)
        self._next_start = now + wait
        has_given_up = self.task.is_job and self.crashes >= JOB_TRIES
        self._turn(Phase.FAILED if has_given_up else Phase.CRASHED, now)
        self._reason = one_line(what)
        self._note(self._reason, is_warning=True)

    def _watch(self, now: float) -> None:
        if self._kill_at is not None:
            self._ask(now, gently=True)
        elif self.phase is Phase.STARTING and now >= self._next_check and self._is_ready():
            self._turn(Phase.READY, now)
        elif self.phase is Phase.STARTING and now >= self._next_check:
            self._next_check = now + (CHECK_SECONDS if now - self._since > 1 else 0)
        elif self.phase is Phase.READY and self.crashes and now - self._since > STEADY_SECONDS:
            self.crashes = 0

    def _is_ready(self) -> bool:
        return not self.task.is_job and (not self.task.is_called or ports.answers(self.task.port))

    def _ask(self, now: float, *, gently: bool) -> None:
        assert self._process is not None  # noqa: S101 - for the type checker: callers have looked
        if not self._is_asked:
            self._is_asked = True
            self._kill_at = now + self.task.grace_seconds
            self._process.terminate()
            self._turn(Phase.STOPPING, now)
        if not gently or now >= (self._kill_at or now):
            self._process.kill()

    def _turn(self, phase: Phase, now: float) -> None:
        if phase is not self.phase:
            self.phase, self._since = phase, now
        self._next_check = 0.0
        if phase is not Phase.STARTING or not self.crashes:
            self._reason = ""

    def _slowness(self) -> str:
        if self.phase is Phase.STARTING and time.monotonic() - self._since > SLOW_SECONDS and not self.task.is_job:
            return f"runs, but takes no calls on port {self.task.port} yet"
        return ""


def _words(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
