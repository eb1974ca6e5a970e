"""What a template needs to be filled: names in, values out; and where files of a run lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.workflows.dry_run.outcome import Status


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a task gives its template."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a template gives to those after it."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """What a task gave; that of a daemon changes when it dies."""

    status: Status
    reason: str = ""
    outputs: Outputs = field(default_factory=Outputs)
    address: str = ""
    """Of a daemon."""
