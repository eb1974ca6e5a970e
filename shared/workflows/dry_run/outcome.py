"""What a dry run tells while it goes on, and what came of it: a line for each change, a status for each task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.errors import SlipwayError

CUT = "it was ended while it ran"
"""What is said of a task that a deadline, or a person, cut off."""


DEEPEST = 20
"""Graphs within graphs: a package whose graphs hold each other would go on for ever."""


class PackageError(SlipwayError):
    """The package asks for something that a dry run does not do, or that no engine would take; the message names it."""

    status = 422
    code = "package"
    exit_code = 2


class NotReadyError(Exception):
    """A service did not come up; the message says why."""


class Status(StrEnum):
    """What became of a task; the words are Argo's."""

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    """Its program ended otherwise than well, or took too long."""
    ERROR = "Error"
    """The engine could not do its part: a file that should be there is not."""
    OMITTED = "Omitted"
    """What it depends on did not come out so that it should run."""
    DAEMONED = "Daemoned"
    """It was ready, and ran as long as its scope."""

    @property
    def is_good(self) -> bool:
        """Whether what follows by default may run."""
        return self in {Status.SUCCEEDED, Status.DAEMONED}

    @property
    def is_bad(self) -> bool:
        """Whether it makes its scope fail."""
        return self in {Status.FAILED, Status.ERROR}


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """One task."""

    path: str
    """Where it stands: `pipeline/numbers-draw`."""
    status: Status
    reason: str = ""
    tries: int = 1
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        told: dict[str, Any] = {"task": self.path, "status": self.status.value, "tries": self.tries}
        return told | {"seconds": round(self.seconds, 3)} | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole run."""

    engine: str
    """`argo` or `kubeflow`."""
    name: str
    status: Status
    reason: str
    tasks: tuple[TaskOutcome, ...]
    left_out: tuple[str, ...]
    """What of the package has no effect here, in words."""

    def to_json(self) -> dict[str, Any]:
        """Return it as `--json` shows it."""
        return {
            "engine": self.engine,
            "name": self.name,
            "status": self.status.value,
            "reason": self.reason,
            "tasks": [task.to_json() for task in self.tasks],
            "leftOut": list(self.left_out),
        }


Say = Callable[[str], None]
"""Takes one line for whoever watches."""
