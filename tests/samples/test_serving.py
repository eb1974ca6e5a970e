"""What all nodes have in common: start, settings, large messages, the log, and a quick end."""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import pytest

pytestmark = pytest.mark.conformance

ADDER = "calculator/adder"


def together(*actions: Callable[[], float]) -> list[float]:
    with ThreadPoolExecutor(len(actions)) as pool:
        return [future.result() for future in [pool.submit(action) for action in actions]]


def test_every_node_ends_soon_and_with_success_on_sigterm(assembling, start_node, tmp_path) -> None:
    names = [name for name in assembling.names() if name != "word-count/seed"]
    with ExitStack() as stack:
        nodes = [stack.enter_context(start_node(name, SHARED_FOLDER_PATH=tmp_path)) for name in names]
        for node in nodes:
            node.wait_for("serving")
        seconds = [node.terminate() for node in nodes]
        codes = {name: node.process.returncode for name, node in zip(names, nodes, strict=True)}

    assert codes == dict.fromkeys(names, 0)
    assert len(codes) == 14
    assert max(seconds) < 10


def test_open_calls_end_with_unavailable_when_their_node_stops(start_node) -> None:
    streams = ("sensor-stream/sensor", "sensor-stream/detector", "sensor-stream/dashboard")
    to_detector, to_dashboard = queue.SimpleQueue(), queue.SimpleQueue()
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        nodes = [
            stack.enter_context(start_node(name, INTERVAL_MS=60_000)) for name in (*streams, "code-breaker/player")
        ]
        sensor, detector, dashboard, player = nodes
        readings = sensor.call("sense", sensor.message("Empty"))
        next(readings)
        judgements = detector.call("detect", iter(to_detector.get, None))
        to_detector.put(detector.message("Reading"))
        next(judgements)
        shown = pool.submit(dashboard.call, "show", iter(to_dashboard.get, None))
        to_dashboard.put(dashboard.message("Judgement"))
        dashboard.wait_for("reading_shown")
        nothing = player.message("google.protobuf.Empty")
        player.call("propose", nothing)
        proposed = pool.submit(player.call, "propose", nothing)
        player.wait_for("verdicts_awaited")

        seconds = together(*(node.terminate for node in nodes))
        ends = [pool.submit(next, readings), pool.submit(next, judgements), shown, proposed]
        codes = [end.exception().code() for end in ends]
        to_detector.put(None)
        to_dashboard.put(None)

        assert codes == [grpc.StatusCode.UNAVAILABLE] * 4
        assert [node.process.returncode for node in nodes] == [0] * 4
        assert max(seconds) < 5  # half a second of grace; the rest is for machines that do much else


@pytest.mark.parametrize(("name", "variable"), [(ADDER, "PORT"), ("sensor-stream/dashboard", "WEB_UI_PORT")])
def test_a_port_that_is_taken_stops_the_start(run_node, name, variable) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run_node(name, **{variable: taken.getsockname()[1]})

    assert ended.returncode == 1
    assert f"{variable}: expected a free port" in ended.stdout
    assert "Traceback" not in ended.stdout


@pytest.mark.parametrize(
    ("name", "variable", "value", "message"),
    [
        (ADDER, "PORT", "http", "PORT: expected int, found 'http'"),
        ("sensor-stream/dashboard", "POINTS", "0", "POINTS: expected a number of at least 1, found '0'"),
        ("sensor-stream/detector", "THRESHOLD", "nan", "THRESHOLD: expected a number of at least 0, found 'nan'"),
        ("code-breaker/place-judge", "SECRET", "12", "SECRET: expected four digits"),
    ],
)
def test_a_bad_setting_stops_the_start_with_its_name(run_node, name, variable, value, message) -> None:
    ended = run_node(name, **{variable: value})

    assert ended.returncode == 1
    assert ended.stdout == f"{message}\n"
