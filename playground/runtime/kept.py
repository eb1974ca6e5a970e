"""What every runtime keeps of a deployment in the same words: what is wanted of it, whose it is, what happened to it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from playground.runtime.deployment import Event
from shared.principal import Principal

_MAX_TEXT = 1000


class Goal(StrEnum):
    """What its owner wants of it."""

    RUN = "run"
    SLEEP = "sleep"
    GO = "go"
    """Be deleted."""


class KeptOwner(msgspec.Struct, frozen=True):
    """A principal as JSON."""

    id: str
    user_id: str | None
    is_operator: bool

    @property
    def principal(self) -> Principal:
        """The owner."""
        return Principal(self.id, self.user_id, self.is_operator)


class KeptEvent(msgspec.Struct, frozen=True):
    """An event as JSON."""

    at: float
    text: str
    node: str
    is_warning: bool

    @property
    def event(self) -> Event:
        """What the server sees of it."""
        return Event(self.at, self.text, self.node, self.is_warning)


def one_line(text: str) -> str:
    """Return the text without control characters; what a node says reaches a terminal and a page."""
    cleaned = "".join(character if character.isprintable() else " " for character in text)
    return cleaned if len(cleaned) <= _MAX_TEXT else cleaned[: _MAX_TEXT - 1] + "…"
