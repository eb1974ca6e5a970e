"""Settings: one frozen dataclass per service, read from the environment once at start.

A field made with `setting(…)` knows its variable, how to read it and what it means; the README's table is generated
from the same declaration. A variable may also be given as `<VARIABLE>_FILE`, the path of a file that holds the value.
What several services need is a section of its own: a field made with `section(…)` holds it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any, TypeVar

from shared.errors import SettingsError

T = TypeVar("T")

MIN_KEY_BYTES = 32

_VARIABLE = "variable"
_PARSE = "parse"
_HELP = "help"
_SHOWN = "shown"
_SECTION = "section"


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
    variable: str,
    text: str,
    *,
    parse: Callable[[str], Any] = str,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    shown: str | None = None,
) -> Any:
    """Declare a field read from `variable`.

    Args:
        variable: name of the environment variable.
        text: what it means, with the unit; one sentence for the README's table.
        parse: turns the text into the value; raises ValueError whose message says the expected form.
        default: the value when the variable is unset or empty; without one it is required.
        default_factory: makes that value instead, such as a random key.
        shown: how the default reads in the table, where `str(default)` does not say it.
    """
    metadata = {_VARIABLE: variable, _PARSE: parse, _HELP: text, _SHOWN: shown}
    # The two defaults exclude each other; dataclasses says so itself.
    return dataclasses.field(default=default, default_factory=default_factory, metadata=metadata)


def section(settings: type[Any]) -> Any:
    """Declare a field that holds other settings, read from the same environment."""
    return dataclasses.field(metadata={_SECTION: settings})


def load(settings: type[T], environ: Mapping[str, str]) -> T:
    """Build `settings` from `environ`, sections included. `__post_init__` may refuse what does not go together.

    Raises:
        SettingsError: naming every variable that is missing or malformed, never a value.
    """
    problems: list[str] = []
    loaded = _load(settings, environ, problems)
    if loaded is None:
        raise SettingsError("; ".join(problems))
    return loaded


def table(settings: type[Any]) -> str:
    """Return the Markdown table of a service's settings."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for field in _fields(settings):
        if _is_required(field):
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


def shared_key(text: str) -> Secret:
    """Read a key that two services share."""
    if len(text.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"expected at least {MIN_KEY_BYTES} bytes of random text")
    return Secret(text)


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a reader of one word out of `choices`."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return text

    return parse


def _load(settings: type[T], environ: Mapping[str, str], problems: list[str]) -> T | None:
    values: dict[str, Any] = {}
    known = len(problems)
    for field in dataclasses.fields(settings):  # type: ignore[arg-type]  # mypy cannot say "a dataclass" of a type
        if _SECTION in field.metadata:
            values[field.name] = _load(field.metadata[_SECTION], environ, problems)
        elif _VARIABLE in field.metadata:
            values.update(_read(field, environ, problems))
    if len(problems) > known:
        return None
    try:
        return settings(**values)
    except (ValueError, SettingsError) as problem:
        problems.append(str(problem))
        return None


def _read(field: Field[Any], environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """Return the field's value by its name, or nothing where the default holds or a problem was added."""
    variable = field.metadata[_VARIABLE]
    try:
        text = _text(variable, environ)
        if text:
            return {field.name: field.metadata[_PARSE](text)}
        if _is_required(field):
            problems.append(f"{variable}: required ({field.metadata[_HELP]})")
    except ValueError as problem:
        problems.append(f"{variable}: {problem}")
    return {}


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _fields(settings: type[Any]) -> tuple[Field[Any], ...]:
    """Return the fields that have a variable, those of sections in their place."""
    found: list[Field[Any]] = []
    for field in dataclasses.fields(settings):
        if _SECTION in field.metadata:
            found.extend(_fields(field.metadata[_SECTION]))
        elif _VARIABLE in field.metadata:
            found.append(field)
    return tuple(found)


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
