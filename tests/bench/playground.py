"""The playground's server with the process runtime: a crowd that pushes at once, and one that follows logs.

The nodes are small programs, so that the machine has room for fifty of them: what is measured is the server.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import requests
from support.playground import OPERATOR, ZIP, bearer, zipped
from support.playground_server import Server, eventually, small_table

from tests.bench.rows import Row

DEPLOYMENTS, OWNERS, FOLLOWERS = 50, 10, 20
LINES = 20
MOST_MIB = 250
NAMES = (
    "playground: 50 pushes at once, failures",
    "playground: 50 pushes at once, slowest answer",
    "playground: 50 pushes at once, all ready after",
    "playground: 20 follow logs, median delay of a line",
    "playground: 20 follow logs, slowest of 95 %",
    "playground: memory of the server, peak",
)


def rows() -> Iterator[Row]:
    """Yield what fifty deployments cost, then what their readers do; memory is the server's, without the nodes."""
    bundles = [zipped("sentiment", revision=str(number)) for number in range(DEPLOYMENTS)]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server:
        begin = time.perf_counter()
        with ThreadPoolExecutor(DEPLOYMENTS) as pool:
            answers = list(pool.map(lambda number: pushed(server, number, bundles[number]), range(DEPLOYMENTS)))
        paths = [f"/v1/deployments/{made}" for status, made, _ in answers if status == 202]
        eventually(lambda: states(server) == {"ready"}, 120)
        ready = time.perf_counter() - begin
        yield Row(NAMES[0], DEPLOYMENTS - len(set(paths)), "pushes", most=0)
        yield Row(NAMES[1], max(seconds for _, _, seconds in answers), "s")
        yield Row(NAMES[2], ready, "s")
        with ThreadPoolExecutor(FOLLOWERS) as pool:
            followed = list(pool.map(lambda number: delays(server, number, paths[number]), range(FOLLOWERS)))
        found = sorted(delay * 1000 for each in followed for delay in each)
        assert len(found) == FOLLOWERS * LINES
        yield Row(NAMES[3], statistics.median(found), "ms")
        yield Row(NAMES[4], found[len(found) * 95 // 100], "ms", most=1000)
        yield Row(NAMES[5], sum(map(peak, (server.process.pid, *server.workers))), "MiB", most=MOST_MIB)


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Run the server as an operator would, with room for all deployments."""
    small_table(folder, "slipway/sample-sentiment:1", running=DEPLOYMENTS, runningPerOwner=DEPLOYMENTS // OWNERS)
    server = Server(folder, SLIPWAY_OPERATORS=OPERATOR, SLIPWAY_LOG_LEVEL="warning")
    try:
        eventually(lambda: server.status("/readyz") == 200)
        yield server
    finally:
        server.stop()


def owner(number: int) -> str:
    """Return who pushes that bundle."""
    return f"owner-{number % OWNERS}@example.org"


def pushed(server: Server, number: int, data: bytes) -> tuple[int, str, float]:
    """Push a bundle; return the status, the id and the seconds."""
    begin = time.perf_counter()
    answer = server.ask("POST", "/v1/deployments", owner(number), data=data, headers=ZIP)
    return answer.status_code, answer.json().get("id", ""), time.perf_counter() - begin


def states(server: Server) -> set[str]:
    """Return the states that deployments are in."""
    return {each["state"] for each in server.ask("GET", "/v1/deployments", OPERATOR).json()["deployments"]}


def delays(server: Server, number: int, path: str) -> list[float]:
    """Follow a log for some lines; return how many seconds after it was written each arrived."""
    url = f"{server.url}{path}/nodes/sentiment/logs?follow=true&tail=0"
    with requests.get(url, headers=bearer(owner(number)), stream=True, timeout=30) as answer:
        lines = islice(answer.iter_lines(chunk_size=1), LINES)
        return [time.time() - float(line.split()[1]) for line in lines]


def peak(pid: int) -> float:
    """Return the highest resident memory of a process so far, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
