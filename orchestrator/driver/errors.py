"""How a driver fails beyond the usual: a deadline has an exit status of its own, so that a workflow can tell it apart."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import SlipwayError


class DeadlineError(SlipwayError):
    """The time that was given has passed."""

    status = 504
    code = "deadline"
    exit_code: ClassVar[int] = 3


class RunFailedError(SlipwayError):
    """A call or a run ended otherwise than well."""

    status = 502
    code = "run_failed"
