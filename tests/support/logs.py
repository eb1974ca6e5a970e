"""What a test logs, in memory, in the form that it has in operation."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from shared import telemetry


class Logs:
    """What was logged."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line as its object."""
        return [json.loads(line) for line in self.text.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of one event."""
        return [line for line in self.lines if line["event"] == name]


@contextmanager
def kept() -> Iterator[Logs]:
    """Keep what is logged meanwhile, and put everything back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    found = Logs()
    structlog.contextvars.clear_contextvars()
    telemetry.configure_logs(level="debug", stream=found.stream)
    try:
        yield found
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.contextvars.clear_contextvars()
        structlog.reset_defaults()
