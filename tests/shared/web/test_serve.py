"""The real server: it drains, counts, keeps quiet about requests, and does not wait for ever."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from support import service
from support.tokens import token

from shared.processes import ports

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[3]


class Served:
    """A running server."""

    def __init__(self, log: Path, port: int, metrics_port: int, **environ: str) -> None:
        self.port, self.metrics_port = port, metrics_port
        self.log = log
        self.url = f"http://127.0.0.1:{self.port}"
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
            "SLIPWAY_BIND": f"127.0.0.1:{self.port}",
            "SLIPWAY_METRICS_BIND": f"127.0.0.1:{self.metrics_port}",
            **environ,
        }
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "support.served"], env=variables, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    @property
    def metrics(self) -> list[str]:
        return requests.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=5).text.splitlines()

    def status(self, path: str, *, seconds: float = 5) -> int:
        """Return 0 where nobody answers."""
        try:
            return requests.get(self.url + path, timeout=seconds).status_code
        except (requests.ConnectionError, requests.Timeout):
            return 0

    def raw(self, request: bytes, *, ends: bool = False) -> bytes:
        """Return everything that the server answers to raw bytes until it closes; `ends` closes our half first."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            client.sendall(request)
            if ends:
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            return answer


@contextmanager
def served(log: Path, **environ: str) -> Iterator[Served]:
    own, metrics = ports.claimed(2)
    with own, metrics:
        server = Served(log, own.port, metrics.port, **environ)
        try:
            assert service.wait_until(lambda: server.status("/healthz") == 200), log.read_text(encoding="utf-8")
            yield server
        finally:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    log = tmp_path_factory.mktemp("server") / "log"
    with served(log, LANG="C", LC_ALL="C", TZ="Asia/Kathmandu") as running:
        yield running


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a server that waits so briefly for a request that only what needs this may ask it."""
    with served(tmp_path_factory.mktemp("hurried") / "log", RECEIVE_SECONDS="0.3") as running:
        yield running


def test_a_bundle_is_built_over_a_real_connection(server: Served):
    answer = requests.post(
        f"{server.url}/v1/bundles", headers=service.bearer(), json={"solutionId": "mine", "revisionId": "r1"}, timeout=5
    )

    assert (answer.status_code, answer.content[:2]) == (200, b"PK")


def test_metrics_count_all_workers_on_a_port_of_their_own(server: Served):
    for number in range(40):
        requests.get(f"{server.url}/getSolutionZip/nothing-{number}/r1", headers=service.bearer(), timeout=5)

    counted = [line for line in server.metrics if "getSolutionZip" in line and 'status="404"' in line]

    assert len(counted) == 1
    assert float(counted[0].rpartition(" ")[2]) >= 40
    assert server.status("/metrics") == 404


def test_metrics_do_not_grow_with_ids_callers_paths_and_methods(server: Served):
    with requests.Session() as client:
        for number in range(300):
            path = f"/getSolutionZip/s-{number}/r-{number}?jwtToken=t-{number}"
            client.request(f"M{number}" if number % 2 else "GET", server.url + path, timeout=5)

    # 20 lines for a route: its requests by method and status, and the buckets of its durations.
    assert len(server.metrics) < 200
    assert not [line for line in server.metrics if "s-7" in line or "M7" in line or "ada" in line]


def test_every_line_of_the_log_is_json_with_time_level_and_event(server: Served):
    lines = server.lines

    assert {"Starting gunicorn", "Listening at:"} <= {" ".join(line["event"].split()[:2]) for line in lines}
    assert all({"timestamp", "level", "event"} <= set(line) for line in lines)


def test_probes_are_not_in_the_log(server: Served):
    server.status("/readyz")

    assert not [line for line in server.lines if line.get("route") in {"/healthz", "/readyz"}]


def count(head: str, body: bytes = b"") -> bytes:
    return f"POST /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n\r\n".encode() + body


def test_a_chunked_body_over_the_limit_is_refused(server: Served):
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"

    answer = server.raw(count("Transfer-Encoding: chunked", chunk * 17 + b"0\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_of_the_limit_is_read(server: Served):
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"

    answer = server.raw(count("Transfer-Encoding: chunked", chunk * 16 + b"0\r\n\r\n"))

    assert answer.endswith(b"\r\n\r\n65536")


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: +5",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked, identity",
    ],
)
def test_a_request_with_two_lengths_is_never_two_requests(server: Served, head: str):
    answer = server.raw(count(head, b"0\r\n\r\nGET /slow?seconds=0 HTTP/1.1\r\nHost: x\r\n\r\n"))

    assert re.match(rb"HTTP/1\.1 (400|501) ", answer)
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Length: 100", b"x" * 99),
        ("Content-Length: 100", b""),
        ("Transfer-Encoding: chunked", b"5\r\nxxxxx\r\n"),
        ("Transfer-Encoding: chunked", b"5\r\nxx"),
        ("Transfer-Encoding: chunked", b"zz\r\nxx\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"-5\r\nxx\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", b"2\r\nxxxx\r\n0\r\n\r\n"),
    ],
)
def test_half_a_body_or_a_broken_one_is_400(server: Served, head: str, body: bytes):
    answer = server.raw(count(head, body), ends=True)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code": "invalid_request"' in answer


CANARY = token()[:200]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (f"GET /deploy/a/b?jwtToken={CANARY}\x01 x HTTP/1.1\r\n\r\n".encode(), 400),
        (f"GET /deploy/a/b?jwtToken={CANARY} HTTP/9.9\r\n\r\n".encode(), 400),
        (f"{CANARY} / HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 400),
        (f"GET /?{'x' * 8200}{CANARY} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 414),
        (f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {CANARY}{'x' * 20_000}\r\n\r\n".encode(), 431),
        (f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization {CANARY}\r\n\r\n".encode(), 400),
        (f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {CANARY}\x00\r\n\r\n".encode(), 400),
        (f"GET / HTTP/1.1\r\nHost: x\r\n{CANARY}: \r\n\r\n".encode(), 404),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 65 + f"c: {CANARY}\r\n\r\n".encode(), 431),
        (count(f"Transfer-Encoding: {CANARY}"), 501),
    ],
    ids=range(10),
)
def test_a_malformed_request_is_neither_repeated_nor_logged(server: Served, request_bytes: bytes, status: int):
    answer = server.raw(request_bytes.replace(b"Host: x", b"Host: x\r\nConnection: close"))

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"application/problem+json" in answer
    assert CANARY.encode() not in answer
    assert CANARY[:40] not in server.log.read_text(encoding="utf-8")


def test_a_token_of_the_greatest_length_fits_a_header(server: Served):
    head = f"GET /v1/deployer HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {'x' * 16_384}\r\n\r\n"

    assert server.raw(head.encode()).startswith(b"HTTP/1.1 401 ")


def test_clients_that_drip_are_cut_off(hurried: Served):
    begun = [b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: ", count("Content-Length: 100", b"x")]
    start = time.monotonic()

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda head: dripping(hurried.port, head), begun))

    assert not [answer for answer in answers if answer.startswith(b"HTTP/1.1 2")]
    assert time.monotonic() - start < 5


def dripping(port: int, begun: bytes) -> bytes:
    """Return the answer to a client that sends a byte now and then."""
    stopped = threading.Event()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(begun)
        thread = threading.Thread(target=drip, args=(client, stopped))
        thread.start()
        answer = client.recv(65536)
        stopped.set()
        thread.join()
    return answer


def drip(client: socket.socket, stopped: threading.Event) -> None:
    while not stopped.wait(0.2):
        try:
            client.send(b"x")
        except OSError:
            return


def test_a_slow_answer_is_not_cut_off_by_the_deadline_for_receiving(hurried: Served):
    assert requests.get(f"{hurried.url}/slow?seconds=1.6", timeout=10).text == "done"


def test_a_stopping_server_says_so_first_finishes_what_runs_and_exits_with_0(tmp_path: Path):
    with served(tmp_path / "log", SLIPWAY_DRAIN_SECONDS="2", SLIPWAY_WORKERS="1", HELD_IN=str(tmp_path)) as stopping:
        with ThreadPoolExecutor(1) as pool:
            building = pool.submit(requests.get, f"{stopping.url}/held", timeout=30)
            assert service.wait_until((tmp_path / "begun").exists)
            stopping.process.send_signal(signal.SIGTERM)
            unready = service.wait_until(lambda: stopping.status("/readyz") == 503)
            healthy = stopping.status("/healthz")
            # Only once the drain is over, or what was held would not outlast it.
            drained = service.wait_until(lambda: stopping.status("/healthz", seconds=0.3) == 0)
            (tmp_path / "go").touch()

        assert (unready, healthy, drained, building.result().text) == (True, 200, True, "done")
        assert stopping.process.wait(10) == 0
        assert [line["event"] for line in stopping.lines if line["event"].startswith("draining")] == ["draining_begun"]


def test_ctrl_c_ends_at_once_with_0_and_leaves_nothing_behind(tmp_path: Path):
    with served(tmp_path / "log", TMPDIR=str(tmp_path)) as stopping:
        stopping.process.send_signal(signal.SIGINT)

        assert stopping.process.wait(15) == 0
        assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_the_locale_and_time_zone_of_the_machine_do_not_matter(server: Served):
    requests.get(f"{server.url}/v1/deployer", headers={"X-Request-Id": "mine", **service.bearer()}, timeout=5)

    (line,) = [line for line in server.lines if line.get("request_id") == "mine"]
    assert abs(datetime.fromisoformat(line["timestamp"]).timestamp() - time.time()) < 60
    assert line["timestamp"].endswith("Z")
