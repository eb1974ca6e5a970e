"""What stands between `{{` and `}}` in a document, wherever it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_TAG = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference, and where it stands."""

    text: str
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        """`tasks.a.ip` → `("tasks", "a", "ip")`."""
        return tuple(self.text.split("."))


def references(value: Any, path: str) -> Iterator[Reference]:
    """Yield every reference in a JSON-like value; one that is not closed has what follows it."""
    for place, text in texts(value, path):
        if "{{" not in text:
            continue
        for found in _TAG.finditer(text):
            yield Reference(found[1].strip(), place)
        rest = _TAG.sub("", text)
        if "{{" in rest:
            yield Reference(rest[rest.index("{{") :][:40], place)


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of every text in a JSON-like value, keys included."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key, path)
            yield from texts(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from texts(inner, f"{path}[{number}]")
