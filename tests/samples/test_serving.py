"""What all nodes have in common: start, settings, large messages, the log, and a quick end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import pytest

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
        seconds = together(*(node.terminate for node in nodes))
        codes = {name: node.process.returncode for name, node in zip(names, nodes, strict=True)}

    assert codes == dict.fromkeys(names, 0)
    assert len(codes) == 14
    assert max(seconds) < 2


def test_open_calls_end_with_unavailable_when_their_node_stops(start_node) -> None:
    with start_node("sensor-stream/sensor", INTERVAL_MS=60_000) as sensor, start_node("code-breaker/player") as player:
        stream = sensor.call("sense", sensor.message("Empty"))
        next(stream)
        nothing = player.message("google.protobuf.Empty")
        player.call("propose", nothing)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(player.call, "propose", nothing)
            player.wait_for("verdicts_awaited")
            seconds = together(sensor.terminate, player.terminate)
        with pytest.raises(grpc.RpcError) as end:
            next(stream)

        assert end.value.code() is waiting.exception().code() is grpc.StatusCode.UNAVAILABLE
        assert max(seconds) < 2
        assert (sensor.process.returncode, player.process.returncode) == (0, 0)


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
