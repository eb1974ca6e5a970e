"""What happens, told to whoever observes: each observer has a bounded buffer and learns how much it missed.

An event costs nothing but a look at a flag while nobody wants it; payloads are rendered for a subscriber only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import re2

from shared.errors import InvalidRequestError, UnavailableError

MAX_OBSERVERS = 100
MAX_PATTERN = 1000
BUFFER_EVENTS = 10_000
BUFFER_BYTES = 16 << 20
ALL_BUFFERS_BYTES = 64 << 20
"""Of all observers together: the more there are, the less each may leave unread."""
MESSAGE_EVENTS = (
    "RPC.call",
    "RPC.finished",
    "distributing output message",
    "distributing streaming output",
    "queue.added",
    "queue.consumed",
    "queue.discarded",
)
"""Those that happen once per message."""
ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    name: str
    component: str = ORCHESTRATOR
    run: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes that the event takes in a buffer, about."""
        return 200 + sum(len(key) + len(value) for key, value in self.detail.items())


class Observer:
    """One subscriber: its patterns, its buffer and what it missed."""

    def __init__(self, name: str, component: str) -> None:
        self._name = _pattern(name, "name_regex")
        self._component = _pattern(component, "component_regex")
        self._buffer: deque[Event] = deque()
        self._size = 0
        self._missed = 0
        self._arrived = asyncio.Event()
        self._most_bytes = BUFFER_BYTES

    def wants(self, name: str) -> bool:
        """Say whether events of this name are of interest."""
        return self._name.match(name) is not None

    def take(self, event: Event) -> None:
        """Put the event into the buffer if it fits the patterns; the oldest make room."""
        if not self.wants(event.name) or self._component.match(event.component) is None:
            return
        self._buffer.append(event)
        self._size += event.size
        self._make_room()
        self._arrived.set()

    def limit(self, most_bytes: int) -> None:
        """Say how much may lie unread from now on."""
        self._most_bytes = most_bytes
        self._make_room()

    def _make_room(self) -> None:
        while len(self._buffer) > BUFFER_EVENTS or (self._size > self._most_bytes and len(self._buffer) > 1):
            self._size -= self._buffer.popleft().size
            self._missed += 1

    async def next(self) -> Event:
        """Return the next event, preceded by one that tells how many were missed."""
        while not self._buffer:
            self._arrived.clear()
            await self._arrived.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return Event("observer.missed", detail={"events": str(missed)})
        event = self._buffer.popleft()
        self._size -= event.size
        return event


class Events:
    """All observers."""

    def __init__(self) -> None:
        self._observers: set[Observer] = set()
        self._listeners: list[Callable[[], None]] = []
        self._wants_messages: frozenset[str] = frozenset()

    @property
    def message_names(self) -> frozenset[str]:
        """The events about single messages that somebody wants."""
        return self._wants_messages

    def wanted(self, name: str) -> bool:
        """Say whether somebody wants events of this name."""
        return any(observer.wants(name) for observer in self._observers)

    def emit(self, name: str, component: str = ORCHESTRATOR, run: str = "", **detail: str) -> None:
        """Tell everybody."""
        if self._observers:
            event = Event(name, component, run, detail)
            for observer in self._observers:
                observer.take(event)

    def subscribe(self, name: str, component: str) -> Observer:
        """Add an observer of events whose name and component start with these patterns (RE2); empty: all.

        Raises:
            InvalidRequestError: a pattern is no regular expression of RE2, or too long.
            UnavailableError: there are too many observers.
        """
        if len(self._observers) >= MAX_OBSERVERS:
            raise UnavailableError(f"expected at most {MAX_OBSERVERS} observers")
        observer = Observer(name, component)
        self._observers.add(observer)
        self._changed()
        return observer

    def unsubscribe(self, observer: Observer) -> None:
        """Remove an observer."""
        self._observers.discard(observer)
        self._changed()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call the listener whenever what is wanted may have changed."""
        self._listeners.append(listener)

    def _changed(self) -> None:
        share = min(BUFFER_BYTES, ALL_BUFFERS_BYTES // max(1, len(self._observers)))
        for observer in self._observers:
            observer.limit(share)
        self._wants_messages = frozenset(name for name in MESSAGE_EVENTS if self.wanted(name))
        for listener in self._listeners:
            listener()


def _pattern(text: str, field_name: str) -> re2._Regexp:
    if len(text) > MAX_PATTERN:
        raise InvalidRequestError(f"{field_name}: expected at most {MAX_PATTERN} characters, found {len(text)}")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20  # bytes; messages wait while a pattern is compiled
    try:
        return re2.compile(text, options)
    except re2.error as problem:
        raise InvalidRequestError(
            f"{field_name}: expected a regular expression of RE2 that is not too large"
        ) from problem
