"""The service under load: requests per second beside a bare Flask endpoint that zips the same files, and its memory."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared import tokens
from tests.bench import pipelines
from tests.bench.rows import Row, interleaved

NAMES = ("POST /v1/bundles, 3 nodes, 2 workers", "POST /v1/bundles, 30 nodes, 2 workers", "peak memory of a worker")
SIZES = (3, 30)
SECONDS = 2.0
CONNECTIONS = 8
LEAST_RATIO = 0.5
MOST_MIB = 120
SECRET = "a secret for measurements, as long as it has to be"
START_SECONDS = 20


def rows() -> Iterator[Row]:
    """Yield rates for a small and a larger pipeline, then the peak memory over both."""
    peak = 0.0
    for size in SIZES:
        with ExitStack() as stack:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            ours, worker = stack.enter_context(_ours(root, size))
            bare, _ = stack.enter_context(_bare(root))
            mine, theirs = interleaved(lambda: _rate(ours, _request(size)), lambda: _rate(bare, _request(size)))  # noqa: B023 - called at once
            peak = max(peak, worker())
        name = f"POST /v1/bundles, {size} nodes, 2 workers"
        yield Row(name, mine, "requests/s", theirs, "bare Flask zipping the same", least_ratio=LEAST_RATIO)
    yield Row("peak memory of a worker", peak, "MiB", most=MOST_MIB)


@contextmanager
def _ours(root: Path, size: int) -> Iterator[tuple[int, object]]:
    store = root / "solutions" / pipelines.IDS.solution_id / pipelines.IDS.revision_id
    for path, data in pipelines.folder(size).items():
        (store / path).parent.mkdir(parents=True, exist_ok=True)
        (store / path).write_bytes(data)
    port = _free_port()
    environment = {
        "SLIPWAY_BIND": f"127.0.0.1:{port}",
        "SLIPWAY_METRICS_BIND": f"127.0.0.1:{_free_port()}",
        "SLIPWAY_WORKERS": "2",
        "SLIPWAY_REQUESTS_PER_MINUTE": "0",
        "SLIPWAY_JWT_SECRET": SECRET,
        "SLIPWAY_PERSISTENCE": f"folder:{root / 'solutions'}",
        "SLIPWAY_ORCHESTRATOR_IMAGE": "registry.example.org:5000/slipway/orchestrator:1.0",
    }
    with _running([sys.executable, "-m", "kubernetes_client"], environment, port, root / "ours.log") as process:
        (root / "solution.zip").write_bytes(_answer(port, _request(size)))
        yield port, lambda: _peak_mib(process)


@contextmanager
def _bare(root: Path) -> Iterator[tuple[int, object]]:
    port = _free_port()
    options = ["--workers=2", "--worker-class=gthread", "--threads=4", "--keep-alive=75", "--log-level=error"]
    command = [sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", *options, "tests.bench.bare:app"]
    with _running(command, {"BARE_ZIP": str(root / "solution.zip")}, port, root / "bare.log") as process:
        yield port, process


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], port: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        end = time.monotonic() + START_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _request(size: int) -> bytes:
    del size  # both pipelines have the same ids, each in a store of its own
    claims = {"principal": "bench@example.org", "now": int(time.time()), "lifetime": 3600}
    token = tokens.development_token(SECRET.encode(), **claims)
    body = json.dumps({"solutionId": pipelines.IDS.solution_id, "revisionId": pipelines.IDS.revision_id}).encode()
    head = (
        f"POST /v1/bundles HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _rate(port: int, request: bytes) -> float:
    """Return requests per second over `CONNECTIONS` connections, from a process of its own."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), str(CONNECTIONS), str(SECONDS)]
    done = subprocess.run(command, input=request, capture_output=True, check=True)
    return float(done.stdout)


def _answer(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            status = answer.readline()
            length = 0
            while (line := answer.readline()) not in {b"\r\n", b""}:
                key, _, value = line.partition(b":")
                length = int(value) if key.lower() == b"content-length" else length
            body = answer.read(length)
    if b" 200 " not in status:
        raise RuntimeError(f"expected a bundle, found {status!r} {body[:500]!r}")
    return body


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _peak_mib(process: subprocess.Popen[bytes]) -> float:
    """Return the highest resident size that a worker ever had (VmHWM)."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    sizes = [
        re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8")) for pid in children
    ]
    return max(int(size.group(1)) for size in sizes if size) / 1024
