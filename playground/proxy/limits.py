"""How long anybody may take, and how much may come at once. Only tests choose others than these."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """All in seconds but for the sizes."""

    head_seconds: float = 15.0
    """For a whole request head; a connection may also be idle for so long between two requests, and is closed first
    when others need its place."""
    idle_seconds: float = 60.0
    """In which a visitor or a web UI must send or take something of a body that is under way."""
    connect_seconds: float = 5.0
    answer_seconds: float = 120.0
    """From the last of a request to the head of its answer."""
    silence_seconds: float = 900.0
    """Between two pieces of an answer, or of a WebSocket in either direction: what is quiet for longer is forgotten."""
    ask_seconds: float = 10.0
    """For the runtime to say where a web UI is."""
    recheck_seconds: float = 2.0
    """Between two looks at whether those who are connected still may."""
    head_bytes: int = 32 * KIB
    answer_head_bytes: int = 64 * KIB
    most_fields: int = 80
    """Of a head."""
