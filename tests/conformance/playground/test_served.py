"""The real server with real samples: a bundle is pushed, becomes ready, runs, is looked into, stopped and deleted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from support.playground import ADA, EVE, OPERATOR, bearer, zipped
from support.playground_server import Server, eventually


@contextmanager
def served(table: Path, folder: Path, **environ: str) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("images.json", "nodes"):
        (folder / name).symlink_to(table / name)
    server = Server(folder, **environ)
    try:
        eventually(lambda: server.status("/readyz") == 200)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    environ = {
        "SLIPWAY_DRAIN_SECONDS": "0",
        "SLIPWAY_THREADS": "8",
        "SLIPWAY_PLAYGROUND_STREAMS_PER_USER": "4",
        "SLIPWAY_OPERATORS": OPERATOR,
    }
    with served(table, tmp_path_factory.mktemp("served"), **environ) as running:
        yield running


@pytest.fixture(scope="module")
def stream(server: Server) -> Iterator[str]:
    """Give the path of a deployment that is ready, and whose source does not end."""
    path = server.push(zipped(INTERVAL_MS=20))
    eventually(lambda: server.ask("GET", path).json()["state"] == "ready")
    yield path
    assert server.ask("DELETE", f"{path}?data=true").status_code == 202


def let_go(server: Server, *answers: requests.Response) -> None:
    """Close what is open, and wait until the server has noticed."""
    for answer in answers:
        answer.close()
    eventually(lambda: server.ask("GET", "/v1/operator", OPERATOR).json()["streams"]["open"] == 0, 8)


@contextmanager
def events(server: Server, path: str, principal: str = ADA) -> Iterator[Iterator[tuple[str, Any]]]:
    with requests.get(f"{server.url}{path}/events", headers=bearer(principal), stream=True, timeout=30) as answer:
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        yield parsed(answer)


def parsed(answer: requests.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines(chunk_size=1):
        if line.startswith(b"event: "):
            name = line.removeprefix(b"event: ").decode()
        elif line.startswith(b"data: "):
            yield name, json.loads(line.removeprefix(b"data: "))


def test_a_push_becomes_ready_while_somebody_watches_and_is_gone_when_deleted(server: Server) -> None:
    path = server.push(zipped("sentiment"))

    with events(server, path) as told:
        states = []
        for name, value in told:
            if name == "deployment":
                states.append(value["state"])
            if states[-1:] == ["ready"]:
                break
        assert server.ask("DELETE", path).status_code == 202
        last = [name for name, _ in told][-1]

    assert states[0] in {"queued", "starting"}
    assert last == "gone"
    assert server.ask("GET", path).status_code == 404


def test_a_run_s_figures_come_once_a_second(server: Server, stream: str) -> None:
    started = server.ask("POST", f"{stream}/run").json()["run"]

    with events(server, stream) as told:
        rates = next(
            value
            for name, value in told
            if name == "statistics" and any(edge["messagesPerSecond"] > 0 for edge in value["edges"])
        )

    assert started["state"] == "running"
    assert rates["available"]
    assert {(edge["source"], edge["target"]) for edge in rates["edges"]} >= {("sensor", "detector")}
    assert {operation["node"] for operation in rates["operations"]} >= {"sensor", "detector", "dashboard"}


def test_a_second_click_starts_no_second_run(server: Server, stream: str) -> None:
    first = server.ask("POST", f"{stream}/run").json()["run"]

    assert server.ask("POST", f"{stream}/run").json()["run"]["startedAt"] == first["startedAt"]


def test_a_sample_shows_messages_as_json(server: Server, stream: str) -> None:
    server.ask("POST", f"{stream}/run")
    edge = server.ask("GET", f"{stream}/statistics").json()["edges"][0]
    name = f"{edge['source']}.{edge['sourceOperation']}:{edge['target']}.{edge['targetOperation']}"

    found = server.ask("GET", f"{stream}/sample", params={"edge": name, "count": "3"}).json()["messages"]

    assert len(found) == 3
    assert all(json.loads(message["text"]) for message in found)


def test_an_edge_that_there_is_not_has_no_messages(server: Server, stream: str) -> None:
    server.ask("POST", f"{stream}/run")

    assert server.ask("GET", f"{stream}/sample", params={"edge": "a.b:c.d"}).status_code == 404


def test_logs_are_followed_while_they_are_written(server: Server, stream: str) -> None:
    server.ask("POST", f"{stream}/run")
    url = f"{server.url}{stream}/nodes/dashboard/logs?follow=true&tail=0"

    with requests.get(url, headers=bearer(), stream=True, timeout=30) as answer:
        lines = [line for line, _ in zip(answer.iter_lines(chunk_size=1), range(3), strict=False)]

    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert all(json.loads(line)["event"] for line in lines)


def test_the_last_lines_of_a_log_are_returned(server: Server, stream: str) -> None:
    answer = server.ask("GET", f"{stream}/nodes/dashboard/logs?tail=2")

    assert 2 <= len(answer.text.splitlines()) < 20  # it is being written meanwhile


def test_a_stopped_run_runs_again(server: Server, stream: str) -> None:
    server.ask("POST", f"{stream}/run")

    stopped = server.ask("POST", f"{stream}/stop", json={"drain": True}).json()["runs"]
    again = server.ask("POST", f"{stream}/run").json()["run"]

    assert [run["state"] for run in stopped] == ["stopped"]
    assert (again["label"], again["state"]) == ("playground", "running")


def test_files_go_into_the_shared_folder_and_come_out(server: Server) -> None:
    path = server.push(zipped("word-count"))
    eventually(lambda: server.ask("GET", path).json()["state"] == "ready")
    folder = f"{path}/shared-folder"

    put = server.ask("PUT", f"{folder}/in/ä b.txt", data=b"some words")
    listed = server.ask("GET", f"{folder}/in/").json()["entries"]
    read = server.ask("GET", f"{folder}/in/%C3%A4%20b.txt")
    removed = server.ask("DELETE", f"{folder}/in")
    server.ask("DELETE", f"{path}?data=true")

    assert (put.status_code, removed.status_code, read.content) == (204, 204, b"some words")
    assert [(entry["name"], entry["size"], entry["folder"]) for entry in listed] == [("ä b.txt", 10, False)]
    assert read.headers["Content-Disposition"] == "attachment; filename=\"_ b.txt\"; filename*=UTF-8''%C3%A4%20b.txt"


def test_whoever_goes_away_gives_the_stream_back(server: Server, stream: str) -> None:
    # Its log has a line and then no more: nothing is sent that could fail.
    quiet = f"{server.url}{stream}/nodes/orchestrator/logs?follow=true&tail=1"

    def opened() -> requests.Response:
        return requests.get(quiet, headers=bearer(), stream=True, timeout=30)

    let_go(server)
    held = [opened() for _ in range(4)]
    refused = opened()
    let_go(server, *held)
    again = opened()
    let_go(server, again)

    assert [answer.status_code for answer in (*held, refused, again)] == [200, 200, 200, 200, 429, 200]


def test_streams_never_take_the_last_threads(server: Server, stream: str) -> None:
    let_go(server)
    other = server.push(zipped("sentiment"), EVE)
    held = []
    refused = []
    for path, principal in ((stream, ADA), (other, EVE)):
        for _ in range(6):
            answer = requests.get(f"{server.url}{path}/events", headers=bearer(principal), stream=True, timeout=30)
            (held if answer.status_code == 200 else refused).append(answer)

    statuses = {answer.status_code for answer in refused}
    ordinary = [server.ask("GET", stream).status_code for _ in range(20)]
    let_go(server, *held, *refused)
    server.ask("DELETE", other, EVE)

    assert len(held) <= 6
    assert statuses == {429, 503}
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert set(ordinary) == {200}


def test_a_stream_ends_when_the_server_stops(table: Path, tmp_path: Path) -> None:
    with served(table, tmp_path / "runtime", SLIPWAY_DRAIN_SECONDS="1") as server:
        path = server.push(zipped("sentiment"))
        with events(server, path) as told:
            next(told)
            server.process.send_signal(signal.SIGTERM)
            names = [name for name, _ in told]
        unready = server.status("/readyz")

    assert "gone" not in names
    assert unready in {0, 503}


def test_without_settings_the_server_does_not_start() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "playground.server"], env={}, capture_output=True, text=True, check=False, timeout=60
    )

    assert run.returncode == 2
    assert "SLIPWAY_PLAYGROUND_RUNTIME: required" in run.stderr
    assert "Traceback" not in run.stderr
