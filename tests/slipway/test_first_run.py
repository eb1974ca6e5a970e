"""The demo's last act when it does not go as it should."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from shared.errors import UnavailableError
from shared.solution import Ids
from slipway import first_run
from slipway.client import Client, Pushed
from slipway.first_run import FirstRun, InterruptedRunError
from slipway.platform import on_this_machine, ports_needed
from slipway.processes import Running

NODE = {"name": "sensor", "phase": "crashed"}
EDGE = {"source": "detector", "target": "dashboard", "messages": "3"}


class Playground:
    """A playground that says what a test wants of one deployment."""

    def __init__(self, folder: Path, state: str, *edges: dict[str, str]) -> None:
        self.platform = on_this_machine(data=folder, ports=list(range(5000, 5000 + ports_needed())))
        self._about = {"state": state, "reason": "sensor ended with status 1", "nodes": [NODE]}
        self._edges = edges

    def push(self, ids: Ids, options: dict[str, Any]) -> Pushed:
        return Pushed(f"{ids.solution_id}-0", "http://127.0.0.1:5006/deployments/x/visit?code=y")

    def wake(self, deployment: str) -> None:
        pass

    def deployment(self, deployment: str, part: str = "") -> dict[str, Any]:
        return {"edges": self._edges} if part else self._about


class Services:
    """Services that run, or one of which has ended."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem

    def check(self) -> None:
        if self.problem:
            raise UnavailableError(self.problem)


def run(playground: Playground, services: Services | None = None, *, is_stopped: bool = False) -> None:
    stopped = threading.Event()
    if is_stopped:
        stopped.set()
    FirstRun(cast("Client", playground), cast("Running", services or Services()), stopped).show()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_run, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(first_run, "POLL_SECONDS", 0.01)


def test_messages_at_the_sink_end_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(Playground(tmp_path, "ready", EDGE))

    assert capsys.readouterr().out.endswith(
        "    sensor: crashed\n  messages come to dashboard from detector: 3 so far\n"
    )


def test_a_pipeline_that_does_not_become_ready_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="is not ready after 0 s: failed sensor ended with status 1"):
        run(Playground(tmp_path, "failed"))


@pytest.mark.parametrize("edges", [[], [EDGE | {"messages": "0"}], [EDGE | {"target": "detector"}]])
def test_a_pipeline_without_messages_at_the_sink_is_no_success(tmp_path: Path, edges: list[dict[str, str]]) -> None:
    with pytest.raises(UnavailableError, match="has brought no message to dashboard"):
        run(Playground(tmp_path, "ready", *edges))


def test_a_service_that_ends_meanwhile_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="playground ended with status 1"):
        run(Playground(tmp_path, "starting"), Services("playground ended with status 1"))


def test_nobody_has_to_wait_who_does_not_want_to(tmp_path: Path) -> None:
    with pytest.raises(InterruptedRunError):
        run(Playground(tmp_path, "starting"), is_stopped=True)
