"""Edges as lines: curves between neighbours, square ways around, a gap where one crosses another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.graph import live
from shared.graph.layout import Route
from shared.graph.live import Flow
from shared.graph.writing import length, safe
from shared.solution import Edge, Operation, Solution

TIP = 9.0  # length of an arrow's head
LEVEL = 0.05  # pixels: less is no slope
CORNER = 8.0  # radius


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as it will be written; several edges where operations are not shown."""

    edge: Edge
    words: str
    stream: bool

    def joined(self, before: Line) -> Line:
        """Return this line in place of another between the same nodes."""
        return Line(self.edge, f"{before.words}\n{self.words}", self.stream or before.stream)


def lines(solution: Solution, *, operations: bool) -> list[Line]:
    """Return the lines between nodes that are there; without operations one for each pair of nodes."""
    names = {node.name for node in solution.nodes}
    rows = {(node.name, operation.name): operation for node in solution.nodes for operation in node.operations}
    found: dict[tuple[str, ...], Line] = {}
    for edge in solution.edges:
        if edge.source in names and edge.target in names:
            line = _line(
                edge, rows.get((edge.source, edge.source_operation)), rows.get((edge.target, edge.target_operation))
            )
            pair = (edge.source, edge.target)
            key = (*pair, edge.source_operation, edge.target_operation) if operations else pair
            found[key] = line.joined(found[key]) if key in found else line
    return list(found.values())


def _line(edge: Edge, giver: Operation | None, taker: Operation | None) -> Line:
    stream = bool((giver and giver.output.stream) or (taker and taker.input.stream))
    words = f"{edge.source}.{edge.source_operation} → {edge.target}.{edge.target_operation}"
    message = f": {giver.output.name}" if giver and giver.output.name else ""
    return Line(edge, f"{words}{message}{', stream' if stream else ''}", stream)


def drawn(line: Line, route: Route, *, bridged: bool, short: float, flow: Flow | None = None) -> str:
    """Write a line with its tip.

    Args:
        line: the edge and its words.
        route: its way.
        bridged: leave a gap in the lines that it crosses.
        short: how much before the end of the route the tip ends.
        flow: what goes along it now.
    """
    x, y = route.points[-1][0] - short, route.points[-1][1]
    points = (*route.points[:-1], (x - TIP + 2.0, y))
    way = _square(points) if route.square else _curved(points)
    bridge = f'<path class="g-halo" pathLength="100" d="{way}"/>' if bridged else ""
    tip = f"M{length(x - TIP)} {length(y - TIP / 2)}L{length(x)} {length(y)}L{length(x - TIP)} {length(y + TIP / 2)}z"
    edge = line.edge
    ends = f"{edge.source}.{edge.source_operation}>{edge.target}.{edge.target_operation}"
    kind = f"g-edge{' g-stream' if line.stream else ''}{' g-moving' if flow and flow.is_moving else ''}"
    return (
        f'<g class="{kind}" data-edge="{safe(ends)}"><title>{safe(line.words)}</title>'
        f'{bridge}<path class="g-line" d="{way}"/><path class="g-tip" d="{tip}"/>'
        f"{live.figures(flow, route) if flow else ''}</g>"
    )


def _curved(points: Sequence[tuple[float, float]]) -> str:
    """Join points by curves that leave and arrive level; every second joint is a level line."""
    (x, y), *rest = points
    path = [f"M{length(x)} {length(y)}"]
    for number, (to_x, to_y) in enumerate(rest):
        is_level = abs(y - to_y) < LEVEL
        if is_level and number < len(rest) - 1 and abs(y - rest[number + 1][1]) < LEVEL:
            continue  # the next piece is level too: one line for both
        if is_level or number % 2:
            path.append(f"L{length(to_x)} {length(to_y)}")
        else:
            half = length((x + to_x) / 2)
            path.append(f"C{half} {length(y)} {half} {length(to_y)} {length(to_x)} {length(to_y)}")
        x, y = to_x, to_y
    return "".join(path)


def _square(points: Sequence[tuple[float, float]]) -> str:
    """Join points by level and upright lines with round corners."""
    path = [f"M{length(points[0][0])} {length(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        path.append(f"L{_near(corner, before)}Q{length(corner[0])} {length(corner[1])} {_near(corner, after)}")
    path.append(f"L{length(points[-1][0])} {length(points[-1][1])}")
    return "".join(path)


def _near(corner: tuple[float, float], other: tuple[float, float]) -> str:
    """Return the point a corner's radius away from a corner."""
    across, down = other[0] - corner[0], other[1] - corner[1]
    far = abs(across) + abs(down)
    part = min(CORNER, far / 2) / far if far else 0.0
    return f"{length(corner[0] + across * part)} {length(corner[1] + down * part)}"
