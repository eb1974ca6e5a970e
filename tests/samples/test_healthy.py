"""The health check in a node's image, run beside a node as the engine runs it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.conformance

ADDER = "calculator/adder"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Take connections, and never say a word: what a node that hangs does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def check(prepare, name: str, **settings: object) -> subprocess.CompletedProcess[str]:
    arguments = prepare(name, settings)
    arguments["args"] = [*arguments["args"][:-1], "healthy.py"]
    return subprocess.run(**arguments, timeout=60, check=False)


def test_a_node_that_serves_is_healthy(prepare, start_node) -> None:
    with start_node(ADDER) as node:
        ended = check(prepare, ADDER, PORT=node.wait_for("serving")["port"])

    assert (ended.returncode, ended.stdout) == (0, "")


def test_a_proxy_is_not_asked(prepare, start_node) -> None:
    with start_node(ADDER) as node:
        ended = check(prepare, ADDER, PORT=node.wait_for("serving")["port"], http_proxy="http://127.0.0.1:9")

    assert (ended.returncode, ended.stdout) == (0, "")


def test_a_port_that_is_open_and_silent_is_not_healthy(prepare, silent_port) -> None:
    ended = check(prepare, ADDER, PORT=silent_port)

    assert (ended.returncode, ended.stdout) == (
        1,
        f"expected a gRPC server at 127.0.0.1:{silent_port}, found none in 4 s\n",
    )


def test_a_job_is_healthy_as_long_as_it_runs(prepare) -> None:
    ended = check(prepare, "word-count/seed")

    assert (ended.returncode, ended.stdout) == (0, "")
