"""`{{…}}` in the texts of a template: what our emitters write, replaced; anything else is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError

_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
Look = Callable[[str], str | None]
"""Returns what a name stands for, or None."""


def filled(value: Any, look: Look, path: str) -> Any:
    """Return a value of JSON with every tag in its texts replaced, once: what comes in is not looked at again.

    Raises:
        PackageError: a name stands for nothing.
    """
    if isinstance(value, str):
        return _TAG.sub(lambda match: _value(match[1].strip(), look, path), value)
    if isinstance(value, list):
        return [filled(each, look, f"{path}[{index}]") for index, each in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: filled(each, look, f"{path}.{key}") for key, each in value.items()}
    return value


def _value(name: str, look: Look, path: str) -> str:
    if name.startswith("="):
        raise PackageError(f"{path}: a dry run does not carry out expressions, found {quoted(name)}")
    found = look(name)
    if found is None:
        raise PackageError(f"{path}: {{{{{name[:100]}}}}} stands for nothing here")
    return found


def scope(values: Mapping[str, str], outer: Look | None = None) -> Look:
    """Return what looks into these names, then into the outer ones."""

    def look(name: str) -> str | None:
        return values[name] if name in values else outer(name) if outer else None

    return look
