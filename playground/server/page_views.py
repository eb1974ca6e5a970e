"""What the pages show of a deployment, from the runtime's status and the figures of its run: words, lights, rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from playground.runtime.deployment import Deployment, NodeStatus, State
from shared.graph.live import Flow, Lamp, Light, Live
from shared.solution import Edge, Solution

LIGHTS: Mapping[State, Light] = {
    State.QUEUED: Light.STILL,
    State.STARTING: Light.BUSY,
    State.READY: Light.GOOD,
    State.ASLEEP: Light.STILL,
    State.FAILED: Light.BAD,
    State.DELETING: Light.BUSY,
}
ACTIVE = ("running", "paused", "draining")
_STILL = ("waiting", "stopped", "asleep", "not there")
_BAD = ("crash", "fail", "cannot", "refused", "missing")
MINUTE, HOUR, DAY = 60, 3600, 86_400
_THOUSAND, _KIB = 1000, 1024
_WIDTH = re.compile(r'<svg [^>]*\bwidth="([0-9.]+)"')


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node with what its operations tell."""

    status: NodeStatus
    light: Light
    last_error: str
    parked: int
    """Messages on disk that the node refused."""


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """An edge with its figures; nothing has run where they are empty."""

    edge: Edge
    messages: int
    per_second: float
    queued: int
    spilled: int
    """Messages that wait on disk."""
    dropped: int

    @property
    def key(self) -> str:
        """How samples name it."""
        edge = self.edge
        return f"{edge.source}.{edge.source_operation}:{edge.target}.{edge.target_operation}"

    @property
    def flow(self) -> Flow:
        """What the picture says of it; the page's script writes the same words."""
        waiting = f"{amount(self.queued)} waiting" if self.queued else ""
        return Flow(rate(self.per_second), waiting, is_moving=self.per_second > 0)


def nodes(found: Deployment, statistics: Mapping[str, Any]) -> list[NodeRow]:
    """Return the nodes in the order of the runtime."""
    errors: dict[str, str] = {}
    parked: dict[str, int] = {}
    for operation in statistics["operations"]:
        name = operation["node"]
        parked[name] = parked.get(name, 0) + operation["parked"]
        if operation["lastError"]:
            errors[name] = operation["lastError"]
    return [NodeRow(one, node_light(one), errors.get(one.name, ""), parked.get(one.name, 0)) for one in found.nodes]


def node_light(status: NodeStatus) -> Light:
    """Return the light of a node: a phase is words for people, and has no list that is complete."""
    return Light.GOOD if status.is_ready else _phase_light(status.phase)


@lru_cache(maxsize=256)  # a long list has thousands of nodes in few phases
def _phase_light(phase: str) -> Light:
    if phase == "completed":
        return Light.GOOD
    if any(word in phase for word in _BAD):
        return Light.BAD
    return Light.STILL if phase.startswith(_STILL) else Light.BUSY


def edges(solution: Solution | None, statistics: Mapping[str, Any]) -> list[EdgeRow]:
    """Return the edges in the order of the blueprint, with figures where there are any."""
    figures = {_edge(one): one for one in statistics["edges"]}
    known = dict.fromkeys(solution.edges if solution else ()) | dict.fromkeys(figures)
    return [_row(edge, figures.get(edge, {})) for edge in known]


def _edge(figures: Mapping[str, Any]) -> Edge:
    return Edge(figures["source"], figures["sourceOperation"], figures["target"], figures["targetOperation"])


def _row(edge: Edge, figures: Mapping[str, Any]) -> EdgeRow:
    return EdgeRow(
        edge,
        figures.get("messages", 0),
        figures.get("messagesPerSecond", 0.0),
        figures.get("queuedMessages", 0),
        figures.get("spilledMessages", 0),
        figures.get("dropped", 0),
    )


def live(node_rows: Sequence[NodeRow], edge_rows: Sequence[EdgeRow]) -> Live:
    """Return what the picture of the graph tells."""
    lamps = {row.status.name: Lamp(row.light, row.status.phase, _restarts(row.status)) for row in node_rows}
    return Live(lamps, {row.edge: row.flow for row in edge_rows})


def width(drawing: str) -> float:
    """Return how wide a picture wants to be, in pixels; 0 where there is none."""
    found = _WIDTH.match(drawing)
    return float(found[1]) if found else 0.0


def _restarts(status: NodeStatus) -> str:
    return f"↻ {status.restarts}" if status.restarts else ""


def total(rows: Sequence[EdgeRow]) -> str:
    """Return how fast messages go in all."""
    return rate(sum(row.per_second for row in rows)) or "0/s"


def rate(per_second: float) -> str:
    """Return a rate in few signs; empty where nothing goes."""
    if per_second <= 0:
        return ""
    if per_second >= 10 * _THOUSAND:
        return f"{per_second / _THOUSAND:.0f} k/s"
    digits = 2 if per_second < 0.1 else 1 if per_second < 10 else 0  # noqa: PLR2004 - two digits say enough
    return f"{per_second:.{digits}f}/s"


def amount(number: int) -> str:
    """Return a count with commas between thousands."""
    return f"{number:,}"


def size(number: int) -> str:
    """Return a number of bytes as people read it."""
    value, unit = float(number), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < _KIB:
            break
        value, unit = value / _KIB, larger
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def age(seconds: float) -> str:
    """Return how long something took or lies behind."""
    passed = int(max(0.0, seconds))
    if passed < MINUTE:
        return f"{passed} s"
    if passed < 2 * HOUR:
        return f"{passed // MINUTE} min"
    return f"{passed // HOUR} h" if passed < 2 * DAY else f"{passed // DAY} days"
