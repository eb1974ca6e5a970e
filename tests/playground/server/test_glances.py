"""Figures for a page that is being made: whoever looks does not wait for an orchestrator."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from playground.runtime.deployment import State
from playground.server.glances import Glances, nothing

READY = SimpleNamespace(id="a", state=State.READY)
FIGURES = {**nothing(""), "available": True}


class Slow:
    """Figures that come when they are let go."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = threading.Event()
        self.gate = threading.Event()

    def statistics(self, _found: object) -> dict[str, Any]:
        self.asked += 1
        self.begun.set()
        self.gate.wait(10)
        return FIGURES


def test_figures_that_come_in_time_are_shown() -> None:
    pipelines = Slow()
    pipelines.gate.set()

    assert Glances(pipelines).statistics(READY) == FIGURES  # type: ignore[arg-type]


def test_a_page_does_not_wait_and_an_orchestrator_is_asked_once() -> None:
    pipelines = Slow()
    glances = Glances(pipelines, wait_seconds=0.01)  # type: ignore[arg-type]

    seen = [glances.statistics(READY) for _ in range(3)]  # type: ignore[arg-type]
    pipelines.begun.wait(10)  # a thread of the pool asks
    pipelines.gate.set()

    assert [each["available"] for each in seen] == [False, False, False]
    assert pipelines.asked == 1


def test_who_sleeps_is_not_asked() -> None:
    pipelines = Slow()

    seen = Glances(pipelines).statistics(SimpleNamespace(id="a", state=State.ASLEEP))  # type: ignore[arg-type]

    assert (seen["available"], pipelines.asked) == (False, 0)
