"""YAML that a stranger wrote, read within limits: whatever costs more than its size is refused before it is built.

A few lines of aliases can stand for more values than any machine holds. Where they are allowed, an alias counts as all that
it repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_DEPTH = 30  # a pod template is 12 deep

_NO_YAML = "YAML", "something else"


class YamlTextError(ValueError):
    """The text is no YAML that we read."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


class YamlReader:
    """Reads files within one limit for all of them."""

    def __init__(self, *, max_bytes: int, max_events: int, max_depth: int = MAX_DEPTH, aliases: bool = False) -> None:
        """Take the limits, and whether values may have aliases; texts have none.

        A scalar is an event, each end of a list or mapping is one, and a Deployment has 150.
        """
        self._max_bytes = self._bytes_left = max_bytes
        self._max_events = self._events_left = max_events
        self._max_depth = max_depth
        self._aliases = aliases

    def texts(self, data: bytes) -> list[Any]:
        """Return the documents of a file; every scalar is a text, so that `8` stays `8` and no tag means anything.

        Raises:
            YamlTextError: it is no YAML, or beyond a limit.
        """
        # Lists and mappings that are still open, the documents themselves first; keys and values of a mapping alternate.
        unfinished: list[list[Any]] = [[]]
        for event in self._events(data, aliases=False):
            if isinstance(event, yaml.ScalarEvent):
                unfinished[-1].append(event.value)
            elif isinstance(event, yaml.CollectionStartEvent):
                unfinished.append([])
            elif isinstance(event, yaml.SequenceEndEvent):
                items = unfinished.pop()
                unfinished[-1].append(items)
            elif isinstance(event, yaml.MappingEndEvent):
                items = unfinished.pop()
                unfinished[-1].append(_mapping(items))
        return unfinished[0]

    def values(self, data: bytes) -> list[Any]:
        """Return the documents of a file, with numbers, booleans and nulls where YAML 1.1 sees them.

        Raises:
            YamlTextError: it is no YAML, or beyond a limit.
        """
        for _ in self._events(data, aliases=self._aliases):
            pass
        try:
            return list(yaml.load_all(data.decode(), Loader=yaml.CSafeLoader))
        except (yaml.YAMLError, ValueError) as problem:  # a date that no calendar has is a ValueError
            raise YamlTextError(*_NO_YAML) from problem

    def _events(self, data: bytes, *, aliases: bool) -> Iterator[yaml.Event]:
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise YamlTextError(f"at most {self._max_bytes} bytes of YAML", "more")
        meter = _Meter()
        try:
            for event in yaml.parse(data.decode(), Loader=yaml.CBaseLoader):
                if not aliases and isinstance(event, yaml.AliasEvent):
                    raise YamlTextError("YAML without aliases", "one")
                depth = meter.add(event)
                if meter.events > self._events_left:
                    raise YamlTextError(f"at most {self._max_events} YAML events", "more")
                if depth > self._max_depth:
                    raise YamlTextError(f"at most {self._max_depth} levels of nesting", "more")
                yield event
        except (yaml.YAMLError, UnicodeDecodeError) as problem:
            raise YamlTextError(*_NO_YAML) from problem
        finally:
            self._events_left -= meter.events


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    anchor: str | None
    events_before: int
    height: int = 1
    """Levels of nesting, with its own."""


class _Meter:
    """Counts events and levels of nesting; an alias adds those of what it repeats."""

    def __init__(self) -> None:
        self.events = 0
        self._open: list[_Open] = []
        self._repeated: dict[str, tuple[int, int]] = {}
        """Events and levels by anchor."""

    def add(self, event: yaml.Event) -> int:
        """Take the next event; return on how many levels it lies, or reaches down to."""
        self.events += 1
        if isinstance(event, yaml.CollectionStartEvent):
            self._open.append(_Open(event.anchor, self.events - 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            if ended.anchor:
                self._repeated[ended.anchor] = self.events - ended.events_before, ended.height
            self._hold(ended.height)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._repeated:
                raise YamlTextError("an alias of what stands before it", "another")
            events, levels = self._repeated[event.anchor]
            self.events += events
            self._hold(levels)
            return len(self._open) + levels
        elif isinstance(event, yaml.ScalarEvent) and event.anchor:
            self._repeated[event.anchor] = 1, 0
        return len(self._open)

    def _hold(self, levels: int) -> None:
        if self._open:
            self._open[-1].height = max(self._open[-1].height, levels + 1)


def _mapping(items: list[Any]) -> dict[str, Any]:
    try:
        return dict(zip(items[::2], items[1::2], strict=True))
    except TypeError as problem:  # a list or a mapping is the key
        raise YamlTextError(*_NO_YAML) from problem
