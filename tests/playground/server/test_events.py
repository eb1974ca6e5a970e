"""A stream of events: everything at once, changes only after that, and an end that is never missed."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import playground
from support.playground import ADA, EVE, Failing, bundle

from playground.runtime.deployment import DeploymentId, Push
from playground.runtime.process.runtime import ProcessRuntime
from playground.server import events
from playground.server.app import make_desk
from playground.server.callers import Caller
from playground.server.events import EventStream
from shared.errors import UnavailableError
from shared.principal import Principal


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a round take a fifth of a second."""
    monkeypatch.setattr(events, "TICK_SECONDS", 0.2)
    monkeypatch.setattr(events, "REST_SECONDS", 0.02)


@pytest.fixture
def made(runtime: ProcessRuntime) -> DeploymentId:
    built = bundle()
    return runtime.create(Push(Principal(ADA), "sensor-stream", built.ids, built.digest, built.sealed))[0].id


def stream(
    runtime: Any, folder: Path, deployment: DeploymentId, *, principal: str = ADA, seconds: float = 60, rounds: int = 99
) -> EventStream:
    """Return a stream whose listener goes away after some rounds."""
    left = iter(range(rounds))
    caller = Caller(Principal(principal), time.time() + seconds)
    desk = make_desk(playground.settings(folder), runtime)
    return EventStream(desk, caller, deployment, lambda: next(left, None) is None)


def told(pieces: Iterator[bytes]) -> list[tuple[str, Any]]:
    lines = [piece.decode().splitlines() for piece in pieces if piece.startswith(b"event: ")]
    return [(head.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for head, data, *_ in lines]


def test_everything_is_told_at_once_and_nothing_twice(
    runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId
) -> None:
    names = [name for name, _ in told(iter(stream(runtime, tmp_path, made, rounds=2)))]

    assert names[:3] == ["deployment", "happened", "statistics"]
    assert names.count("statistics") == 1


def test_a_change_is_told(runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId) -> None:
    pieces = iter(stream(runtime, tmp_path, made, rounds=3))
    first = told(itertools.islice(pieces, 4))
    runtime.sleep(made)

    rest = told(pieces)

    assert first[0][1]["state"] == "queued"
    assert next(value for name, value in rest if name == "deployment")["state"] == "asleep"
    assert "was put to sleep" in [event["text"] for name, value in rest if name == "happened" for event in value]


def test_a_deployment_that_is_deleted_is_gone(runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId) -> None:
    pieces = iter(stream(runtime, tmp_path, made))
    next(pieces)
    runtime.delete(made)

    assert told(pieces)[-1] == ("gone", {})


def test_another_s_deployment_is_gone_from_the_beginning(
    runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId
) -> None:
    assert told(iter(stream(runtime, tmp_path, made, principal=EVE))) == [("gone", {})]


def test_it_ends_with_the_proof_of_who_listens(runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId) -> None:
    begun = time.monotonic()

    names = [name for name, _ in told(iter(stream(runtime, tmp_path, made, seconds=0.5)))]

    assert time.monotonic() - begun < 5
    assert "gone" not in names


def test_an_outage_is_told_once_and_waited_for(runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId) -> None:
    failing = Failing(runtime, get=UnavailableError("the cluster does not answer"))

    found = told(iter(stream(failing, tmp_path, made, rounds=2)))

    assert found == [("trouble", {"code": "unavailable", "detail": "the cluster does not answer"})]


def test_a_silent_stream_shows_that_it_lives(
    runtime: ProcessRuntime, tmp_path: Path, made: DeploymentId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.1)

    # In the first rounds the runtime may still say what the deployment waits for.
    pieces = list(stream(runtime, tmp_path, made, rounds=6))

    assert b": here\n\n" in pieces
