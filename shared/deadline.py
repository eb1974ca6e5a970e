"""A point in time by which everything must be done.

One is made where a request enters and handed down, so that retries, pauses and calls in other threads share one budget
instead of adding up.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock."""

    at: float
    """Seconds, as `time.monotonic` counts."""

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; zero when it has passed."""
        return max(0.0, self.at - time.monotonic())

    @property
    def has_passed(self) -> bool:
        """True when nothing is left."""
        return self.remaining <= 0

    def sooner(self, seconds: float) -> Deadline:
        """Return this deadline, or the one that many seconds from now, whichever comes first."""
        return Deadline(min(self.at, time.monotonic() + seconds))
