"""What stands between `{{` and `}}` in a document, wherever it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from shared.workflows.texts import LIVE

_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Reference(NamedTuple):
    """One reference, and where it stands."""

    text: str
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        """`tasks.a.ip` → `("tasks", "a", "ip")`."""
        return tuple(self.text.split("."))


def references(value: Any, path: str) -> Iterator[Reference]:
    """Yield every reference in a JSON-like value; one that is not closed has what follows it."""
    found: list[tuple[str, str]] = []
    _collect(value, path, found)
    for place, text in found:
        for tag in _TAG.finditer(text):
            yield Reference(tag[1].strip(), place)
        rest = _TAG.sub("", text)
        if LIVE in rest:
            yield Reference(rest[rest.index(LIVE) :][:40], place)


def _collect(value: Any, path: str, found: list[tuple[str, str]]) -> None:
    """Put path and text of every text with a reference into `found`, keys included. No iterator: most texts have none."""
    if isinstance(value, str):
        if LIVE in value:
            found.append((path, value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(key, str) and LIVE in key:
                found.append((path, key))
            # The path is worth making only where it may be needed.
            if not isinstance(inner, str) or LIVE in inner:
                _collect(inner, f"{path}.{key}", found)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            if not isinstance(inner, str) or LIVE in inner:
                _collect(inner, f"{path}[{number}]", found)
