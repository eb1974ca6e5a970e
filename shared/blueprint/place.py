"""A JSON object and where it stands: gives typed values out of it and collects what does not fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from shared.blueprint.collector import Collector
from shared.blueprint.limits import MAX_TEXT, Budget
from shared.findings import quoted

# Control characters, line ends, half surrogate pairs, and what turns the direction of writing.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Place:
    """One JSON object. An absent member and null are the same: the writers of blueprints do not tell them apart."""

    value: dict[str, Any]
    path: str
    findings: Collector

    def text(self, key: str, *, limit: int = MAX_TEXT) -> str:
        """Return a member that is text; empty when it is absent or no text."""
        value = self.value.get(key)
        if type(value) is str and len(value) <= limit and value.isprintable():
            return value
        return self._unusual_text(key, value, limit)

    def flag(self, key: str) -> bool:
        """Return a member that is true or false; false when it is absent."""
        value = self.value.get(key)
        if value is True or value is False or value is None:
            return value is True
        if isinstance(value, str) and value.casefold() in {"true", "false"}:
            self.findings.note("flag-is-text", f"{self.path}.{key}", expected="true or false", found=quoted(value))
            return value.casefold() == "true"
        self._wrong(key, "true or false", value)
        return False

    def member(self, key: str) -> Place | None:
        """Return a member that is an object; None when it is absent or no object."""
        value = self.value.get(key)
        if isinstance(value, dict):
            return Place(value, f"{self.path}.{key}", self.findings)
        if value is not None:
            self._wrong(key, "an object", value)
        return None

    def members(self, key: str, budget: Budget) -> list[Place]:
        """Return the objects in a member that is a list, as many as the budget allows."""
        value = self.value.get(key)
        if isinstance(value, list):
            return self._entries(f"{self.path}.{key}", value, budget)
        if value is not None:
            self._wrong(key, "a list", value)
        return []

    def missing(self, key: str, code: str, expected: str) -> None:
        """Collect the error that a member which must be there is absent or empty."""
        if self.value.get(key) in (None, ""):
            found = "nothing" if self.value.get(key) is None else "empty text"
            self.findings.error(code, f"{self.path}.{key}", expected=expected, found=found)

    def _entries(self, path: str, entries: list[Any], budget: Budget) -> list[Place]:
        granted = budget.take(len(entries))
        if granted < len(entries):
            counted = budget.counted
            code = f"too-many-{counted.replace(' ', '-')}"
            self.findings.error(code, path, expected=f"at most {budget.limit} {counted}", found="more")
        places = []
        for index, entry in enumerate(entries[:granted]):
            if isinstance(entry, dict):
                places.append(Place(entry, f"{path}[{index}]", self.findings))
            else:
                self.findings.error("wrong-type", f"{path}[{index}]", expected="an object", found=described(entry))
        return places

    def _unusual_text(self, key: str, value: object, limit: int) -> str:
        if not isinstance(value, str):
            if value is not None:
                self._wrong(key, "text", value)
            return ""
        path = f"{self.path}.{key}"
        if len(value) > limit:
            self.findings.error("text-too-long", path, expected=f"at most {limit} characters", found=f"{len(value)}")
        if not is_showable(value):
            self.findings.error(
                "text-unshowable", path, expected="text without control characters", found=quoted(value)
            )
        return showable(value[:limit])

    def _wrong(self, key: str, expected: str, value: object) -> None:
        self.findings.error("wrong-type", f"{self.path}.{key}", expected=expected, found=described(value))


def is_showable(text: str) -> bool:
    """Tell whether a text is one line that reads as it is written; odd spaces and joined emoji are the author's choice."""
    return text.isprintable() or not _UNSHOWABLE.search(text)


def showable(text: str) -> str:
    """Return the text with U+FFFD for every character that keeps it from being shown."""
    return text if text.isprintable() else _UNSHOWABLE.sub("\ufffd", text)


def described(value: object) -> str:
    """Say what kind of JSON value was found."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return f"text {quoted(value)}" if isinstance(value, str) else quoted(value)
