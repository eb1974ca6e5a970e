"""Settings: one frozen dataclass per service, read from the environment once at start.

A field made with `setting(…)` knows its variable, how to read it and what it means; the README's table is generated
from the same declaration. A variable may also be given as `<VARIABLE>_FILE`, the path of a file that holds the value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import SettingsError

T = TypeVar("T")

_VARIABLE = "variable"
_PARSE = "parse"
_HELP = "help"
_SHOWN = "shown"


class Secret:
    """A value that must not be shown: `repr` and `str` mask it, `reveal` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def setting(
    variable: str, text: str, *, parse: Callable[[str], Any] = str, default: Any = MISSING, shown: str | None = None
) -> Any:
    """Declare a field read from `variable`.

    Args:
        variable: name of the environment variable.
        text: what it means, with the unit; one sentence for the README's table.
        parse: turns the text into the value; raises ValueError whose message says the expected form.
        default: the value when the variable is unset or empty; without one it is required.
        shown: how the default reads in the table, where `str(default)` does not say it.
    """
    metadata = {_VARIABLE: variable, _PARSE: parse, _HELP: text, _SHOWN: shown}
    return dataclasses.field(default=default, metadata=metadata)


def load(settings: type[T], environ: Mapping[str, str]) -> T:
    """Build `settings` from `environ`.

    Raises:
        SettingsError: naming every variable that is missing or malformed, never a value.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in _fields(settings):
        try:
            text = _text(field.metadata[_VARIABLE], environ)
            if text:
                values[field.name] = field.metadata[_PARSE](text)
            elif field.default is MISSING:
                problems.append(f"{field.metadata[_VARIABLE]}: required ({field.metadata[_HELP]})")
        except ValueError as problem:
            problems.append(f"{field.metadata[_VARIABLE]}: {problem}")
    if problems:
        raise SettingsError("; ".join(problems))
    return settings(**values)


def table(settings: type[Any]) -> str:
    """Return the Markdown table of a service's settings."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for field in _fields(settings):
        if field.default is MISSING:
            default = "*required*"
        else:
            shown = field.metadata[_SHOWN]
            default = shown if shown is not None else _shown(field.default)
        rows.append(f"| `{field.metadata[_VARIABLE]}` | {default} | {field.metadata[_HELP]} |")
    return "\n".join(rows) + "\n"


def boolean(text: str) -> bool:
    """Read `1/true/yes/on` and `0/false/no/off`."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def integer(*, least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers in a range."""

    def parse(text: str) -> int:
        if not text.strip().isascii() or not text.strip().isdigit() or not least <= int(text) <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return int(text)

    return parse


def words(text: str) -> tuple[str, ...]:
    """Read a list separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one word out of `choices`."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text

    return parse


def _fields(settings: type[Any]) -> tuple[Field[Any], ...]:
    return tuple(field for field in dataclasses.fields(settings) if _VARIABLE in field.metadata)


def _text(variable: str, environ: Mapping[str, str]) -> str:
    path = environ.get(f"{variable}_FILE", "")
    if not path:
        return environ.get(variable, "")
    if environ.get(variable):
        raise ValueError(f"set either {variable} or {variable}_FILE, not both")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as problem:
        raise ValueError(f"the file named by {variable}_FILE cannot be read") from problem


def _shown(default: Any) -> str:
    if default is None or default in ("", ()):
        return "–"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`{','.join(map(str, default))}`"
    return f"`{default}`"
