"""Mean and deviation of values that come one at a time, without keeping them (Welford's method)."""

import math
from dataclasses import dataclass


@dataclass(slots=True)
class RunningStatistics:
    """Grows by `add`; asks for constant memory however many values there are."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """Sum of the squared distances from the mean."""

    @property
    def deviation(self) -> float:
        """Standard deviation of the values so far; 0 before there are two."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else 0.0

    def add(self, value: float) -> None:
        """Take one more value in."""
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self.squares += distance * (value - self.mean)
