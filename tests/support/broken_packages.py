"""Documents in which one value is something else: what a package may be like when nobody of ours has written it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 10**40, float("inf"), "", "x", "\0", "../../x", "/../x", "{{x}}", "{{=1}}"),
    *([], [5], [None], [[]], {}, {"a": 1}, {5: [{}]}, {"name": "x"}, [{"name": "x"}], {"x": {}}),
    *(dt.date(2020, 1, 1), b"\xff"),
)
"""What may stand in place of any value."""
Place = tuple[Any, ...]


def places(document: Any, before: Place = ()) -> Iterator[Place]:
    """Yield where the values of a document stand, in their order."""
    yield before
    if isinstance(document, Mapping):
        for key, each in document.items():
            yield from places(each, (*before, key))
    elif isinstance(document, list):
        for index, each in enumerate(document):
            yield from places(each, (*before, index))


def with_value(document: Any, place: Place, value: Any) -> Any:
    """Return a copy of a document with another value at a place, which may be a new one in a mapping."""
    if not place:
        return value
    key, *rest = place
    changed = with_value(document[key], tuple(rest), value) if rest else value
    if isinstance(document, list):
        return [changed if index == key else each for index, each in enumerate(document)]
    return {**document, key: changed}


def broken(document: Any, *, every: int) -> Iterator[Any]:
    """Yield copies of a document, one for every so many places, each with another value there."""
    for number, place in enumerate(list(places(document))[::every]):
        yield with_value(document, place, VALUES[number % len(VALUES)])
