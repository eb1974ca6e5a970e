"""Findings: what was noticed about a solution, in a form that a person, a page and a program can use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad it is: an error stops the build, a warning changes the result, a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found about a solution."""

    severity: Severity
    code: str
    """Stable slug for programs, such as `image-missing`."""
    path: str
    """JSON path into `blueprint.json` (`$.nodes[2].image`), or a file of the solution (`microservice/a.proto`)."""
    expected: str
    found: str
    hint: str = ""
    """What the author can do about it."""

    def to_json(self) -> dict[str, str]:
        """Return the finding as it stands in `report.json` and in a 422 answer."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "path": self.path,
            "expected": self.expected,
            "found": self.found,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        """Read as one line of text."""
        text = f"{self.severity}: {self.path}: expected {self.expected}, found {self.found}"
        return f"{text} ({self.hint})" if self.hint else text


def error(code: str, path: str, *, expected: str, found: str, hint: str = "") -> Finding:
    """Return a finding that stops the build."""
    return Finding(Severity.ERROR, code, path, expected, found, hint)


def warning(code: str, path: str, *, expected: str, found: str, hint: str = "") -> Finding:
    """Return a finding about something that the result does not carry, or carries changed."""
    return Finding(Severity.WARNING, code, path, expected, found, hint)


def note(code: str, path: str, *, expected: str, found: str, hint: str = "") -> Finding:
    """Return a finding that only informs."""
    return Finding(Severity.NOTE, code, path, expected, found, hint)


def quoted(value: object, *, limit: int = 80) -> str:
    """Show a foreign value in a finding or a message: escaped, ASCII only, at most `limit` characters."""
    text = json.dumps(value, default=repr) if not isinstance(value, str) else json.dumps(value[: limit * 2])
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of one build, in the order they were made."""

    items: tuple[Finding, ...] = field(default=())

    def __add__(self, other: Findings | Iterable[Finding]) -> Findings:
        """Return both, duplicates once."""
        return Findings(tuple(dict.fromkeys((*self.items, *other))))

    def __iter__(self) -> Iterator[Finding]:
        """Iterate in order."""
        return iter(self.items)

    def __len__(self) -> int:
        """Count all findings."""
        return len(self.items)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop the build."""
        return tuple(f for f in self.items if f.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings about what the result lacks."""
        return tuple(f for f in self.items if f.severity is Severity.WARNING)

    @property
    def header(self) -> str:
        """The value of the HTTP header `Slipway-Findings`."""
        return f"errors={len(self.errors)}, warnings={len(self.warnings)}"

    def to_json(self) -> list[dict[str, str]]:
        """Return the list that 422 answers carry as `findings`."""
        return [f.to_json() for f in self.items]

    def report(self, **about: Any) -> bytes:
        """Return the bytes of `report.json`; `about` names the solution and the deployer."""
        document = {
            **about,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "notes": len(self.items) - len(self.errors) - len(self.warnings),
            "findings": self.to_json(),
        }
        return (json.dumps(document, indent=2) + "\n").encode()
