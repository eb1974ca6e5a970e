"""The last readings, shared between the gRPC server that brings them and the web server that shows them."""

import threading
from collections import deque
from dataclasses import dataclass

LONGEST_NAME = 60  # characters of a sensor's name that are kept


@dataclass(frozen=True, slots=True)
class Point:
    """One judged reading."""

    number: int
    sensor: str
    value: float
    mean: float
    deviation: float
    anomaly: bool


class Board:
    """Keeps the last `size` points; any thread may add and read."""

    def __init__(self, size: int) -> None:
        self._points: deque[Point] = deque(maxlen=size)
        self._lock = threading.Lock()

    def add(self, point: Point) -> None:
        """Put `point` behind the others; the oldest falls out when there are too many."""
        with self._lock:
            self._points.append(point)

    def points(self) -> tuple[Point, ...]:
        """Return the points as they are now, oldest first."""
        with self._lock:
            return tuple(self._points)
