"""How people watch nodes come up: a line per node, as a table that is drawn again or as plain lines of what changed. Pure."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import List, Tuple

from shared.finishing.readiness import FAILED, READY, NodeState

HEAD = ("NODE", "IMAGE", "PHASE", "READY", "RESTARTS", "AGE")
# An image's tag is at its end and tells versions apart: what is too long is cut at the front.
IMAGE_WIDTH = 48
MINUTE, HOUR, DAY = 60, 3600, 86400


def table(states: List[NodeState], *, now: datetime, width: int, height: int) -> List[str]:
    """Return the table, at most `height` lines of less than `width` characters; what is ready gives way first."""
    shown, hidden = _chosen(states, height - 1)
    rows = [HEAD, *(_row(state, now) for state in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width_) for cell, width_ in zip(row, widths)).rstrip() for row in rows]
    if hidden:
        lines.append(f"and {len(hidden)} more, {len([s for s in hidden if s.state == READY])} of them ready")
    return [line[: width - 1] for line in lines]


def plain_line(state: NodeState, *, now: datetime) -> str:
    """Return one node as a line that makes sense by itself."""
    name, image, phase, ready, restarts, age = _row(state, now)
    again = f", {restarts} restarts" if state.restarts else ""
    return f"{name}: {phase}, {ready} ready{again}, {age} ({image})"


def news(before: List[NodeState], now: List[NodeState]) -> List[NodeState]:
    """Return the nodes of which something changed that people want to know; the age is not."""
    known = {state.name: _telling(state) for state in before}
    return [state for state in now if known.get(state.name) != _telling(state)]


def summary(states: List[NodeState]) -> str:
    """Return `3 of 4 nodes ready`."""
    ready = len([state for state in states if state.state == READY])
    failed = len([state for state in states if state.state == FAILED])
    return f"{ready} of {len(states)} nodes ready" + (f", {failed} failed" if failed else "")


def age_seconds(since: str, now: datetime) -> int:
    """Return the seconds since an RFC 3339 time in UTC, 0 for none; clocks that disagree give no negative age."""
    if not since:
        return 0
    began = datetime.strptime(since[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return max(0, int((now - began).total_seconds()))


def age_text(seconds: int) -> str:
    """Return `45s`, `3m05s`, `2h10m` or `4d`."""
    if seconds < MINUTE:
        return f"{seconds}s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m{seconds % MINUTE:02d}s"
    if seconds < DAY:
        return f"{seconds // HOUR}h{seconds % HOUR // MINUTE:02d}m"
    return f"{seconds // DAY}d"


def _row(state: NodeState, now: datetime) -> Tuple[str, ...]:
    image = state.image if len(state.image) <= IMAGE_WIDTH else "..." + state.image[3 - IMAGE_WIDTH :]
    age = age_text(age_seconds(state.since, now)) if state.since else "-"
    return state.name, image, state.phase, f"{state.ready}/{state.wanted}", str(state.restarts), age


def _chosen(states: List[NodeState], room: int) -> Tuple[List[NodeState], List[NodeState]]:
    if len(states) <= room:
        return states, []
    # One line is for what is left out.
    first = sorted(states, key=lambda state: state.state == READY)[: max(1, room - 1)]
    return [state for state in states if state in first], [state for state in states if state not in first]


def _telling(state: NodeState) -> Tuple[str, int, int, str]:
    return state.phase, state.ready, state.restarts, state.state
