"""What the dashboard shows, as text. Pure: points in, HTML, SVG or JSON out; everything from outside is escaped here."""

import dataclasses
import html
import json
import math
from collections.abc import Sequence

from board import Point

WIDTH, HEIGHT, MARGIN = 800, 240, 10  # units of the drawing
NEWEST = 8  # rows of the table
LARGEST = 1e100  # beyond it, differences could overflow


def live(points: Sequence[Point]) -> str:
    """Return the part of the page that changes: a sentence, the chart and the newest readings."""
    anomalies = sum(point.anomaly for point in points)
    rows = "\n".join(_row(point) for point in reversed(points[-NEWEST:]))
    return (
        f'<p role="status">{len(points)} readings, {anomalies} anomalies</p>\n'
        f"{chart(points)}\n"
        "<table><thead><tr><th>Number</th><th>Sensor</th><th>Value</th><th>Mean</th><th>Anomaly</th></tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>\n"
    )


def chart(points: Sequence[Point]) -> str:
    """Return an SVG drawing of the values as a line, with a dot on each anomaly. What is not finite is not drawn."""
    drawn = [(step, point) for step, point in enumerate(points) if abs(point.value) < LARGEST]
    values = [point.value for _, point in drawn] or [0.0]
    low, span = min(values), (max(values) - min(values)) or 1.0

    def at(step: int, point: Point) -> tuple[float, float]:
        x = MARGIN + (WIDTH - 2 * MARGIN) * step / max(len(points) - 1, 1)
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (point.value - low) / span
        return round(x, 1), round(y, 1)

    places = [(point, at(step, point)) for step, point in drawn]
    line = " ".join(f"{x},{y}" for _, (x, y) in places)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="5"/>' for point, (x, y) in places if point.anomaly)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="values from {low:.1f} to {max(values):.1f}">'
        f'<polyline points="{line}"/>{dots}</svg>'
    )


def as_json(points: Sequence[Point]) -> str:
    """Return the points as a JSON array; numbers that JSON does not have become null."""
    return json.dumps([{key: _jsonable(value) for key, value in dataclasses.asdict(point).items()} for point in points])


def _row(point: Point) -> str:
    mark = "yes" if point.anomaly else ""
    name = html.escape(point.sensor)
    return f"<tr><td>{point.number}</td><td>{name}</td><td>{point.value:.2f}</td><td>{point.mean:.2f}</td><td>{mark}</td></tr>"


def _jsonable(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
