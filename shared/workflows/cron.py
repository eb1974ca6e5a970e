"""Cron expressions as Argo and Kubeflow read them: five fields, or one of a few words. One that they refuse would never run."""

from __future__ import annotations

import re
from collections.abc import Mapping

WORDS = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_Words = Mapping[str, int]
_FIELDS: tuple[tuple[str, int, int, _Words], ...] = (
    ("a minute", 0, 59, {}),
    ("an hour", 0, 23, {}),
    ("a day of the month", 1, 31, {}),
    ("a month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("a day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_PART = re.compile(r"(?P<all>[*?])|(?P<first>[0-9A-Z]+)(?:-(?P<last>[0-9A-Z]+))?")


def problem(expression: str) -> str:
    """Return what is wrong with an expression; empty when engines take it."""
    if expression.startswith("@"):
        return "" if expression in WORDS else f"expected one of {', '.join(sorted(WORDS))}"
    texts = expression.split(" ")
    if len(texts) != len(_FIELDS):
        return f"expected {len(_FIELDS)} fields"
    for text, (name, least, most, words) in zip(texts, _FIELDS, strict=True):
        for part in text.split(","):
            if not _fits(part, least, most, words):
                return f"expected {name} from {least} to {most}"
    return ""


def _fits(part: str, least: int, most: int, words: _Words) -> bool:
    what, slash, step = part.partition("/")
    found = _PART.fullmatch(what.upper())
    if found is None or (slash and not 0 < _number(step, {}) <= most):
        return False
    if found["all"]:
        return True
    first = _number(found["first"], words)
    last = _number(found["last"], words) if found["last"] else first
    return least <= first <= last <= most


def _number(text: str, words: _Words) -> int:
    """Return the number, or one that is never in a field."""
    return words.get(text, int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else -1)  # noqa: PLR2004 - digits
