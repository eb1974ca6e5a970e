"""How a dry run is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say; all but the first two change how long a run takes, never what it does."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of the workflow, over those in the package."""
    secrets: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict, repr=False)
    """Name → key → value, in place of the Secrets of a namespace."""
    hold_seconds: float = 1.0
    """After which what waits for a person goes on."""
    longest_wait_seconds: float | None = None
    """Of the waits between two tries; None: as the package says."""
    within_seconds: float | None = None
    """After which the run is ended, and has failed; None: it may go on for ever."""
