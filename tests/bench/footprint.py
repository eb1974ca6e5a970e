"""What the orchestrator's process costs: the start of a large pipeline, idleness, and memory over many messages.

Nodes are the Go program of `messages`; the rows are unmeasured where Go is absent.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.orchestration.generated import orchestrator_pb2
from tests.bench import pipelines
from tests.bench.orchestrator import measure
from tests.bench.orchestrator.measure import Case
from tests.bench.rows import ROUNDS, Row

NODES = 300
IDLE_SECONDS = 20.0
SLOW_SECONDS = 60.0
SETTLED_SECONDS = 10.0
"""After the start: caches are filled and queues full, memory should be what it will stay."""
NAMES = (
    "orchestrator: initialize 300 nodes",
    "orchestrator: idle with 300 nodes",
    "orchestrator: slow unary sink 60 s, growth",
    "orchestrator: slow unary sink 60 s, peak",
    "orchestrator: slow stream sink 60 s, growth",
    "orchestrator: slow stream sink 60 s, peak",
    "orchestrator: a million messages, growth",
)
_SLOW = [Case("slow sink", kind, 1, 100_000, 1_000_000, 0) for kind in ("unary", "stream")]
_IDLE = Case("idle", "stream", NODES - 2, 1000, 1000, 1)
_MANY = Case("a million", "stream", 1, 1000, 1_000_000, 64)


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process over time, in MiB."""

    growth: float
    """The highest after it had settled, less what it was then."""
    peak: float


def rows() -> Iterator[Row]:
    """Yield one row per bar of the orchestrator's process."""
    yield Row(NAMES[0], statistics.median(initialize() for _ in range(ROUNDS)), "ms", most=300)
    binary = measure.build_nodes() if shutil.which("go") else None
    if binary is None:
        yield from (Row(name, None, "") for name in NAMES[1:])
        return
    yield Row(NAMES[1], idle(binary), "% CPU", most=1)
    for case, growth, peak in zip(_SLOW, NAMES[2::2], NAMES[3::2], strict=False):
        slow = slow_sink(binary, case)
        yield Row(growth, slow.growth, "MiB", most=10)
        yield Row(peak, slow.peak, "MiB", most=150)
    yield Row(NAMES[-1], a_million(binary).growth, "MiB", most=10)


def initialize() -> float:
    """Return how many milliseconds a fresh orchestrator needs for 300 nodes with a proto each."""
    entries = [
        {"container_name": pipelines.name(index), "ip_address": "127.0.0.1", "port": 9} for index in range(NODES)
    ]
    configuration = orchestrator_pb2.OrchestrationConfiguration(
        blueprint=pipelines.blueprint(NODES).decode(),
        dockerinfo=json.dumps({"docker_info_list": entries}),
        protofiles={f"{pipelines.name(index)}.proto": pipelines.proto(index).decode() for index in range(NODES)},
    )
    with measure.orchestrator() as (_, stub):
        stub.get_status(orchestrator_pb2.RunLabel())
        start = time.perf_counter()
        status = stub.initialize(configuration)
        seconds = time.perf_counter() - start
    assert status.success, status.message
    return seconds * 1000


def idle(binary: Path) -> float:
    """Return the CPU use of a running pipeline whose 300 streams are silent: its sink never takes the first message."""
    with measure.nodes(binary, _IDLE, "-delay", "1h") as (_, port), measure.orchestrator() as (process, stub):
        measure.drive(stub, port, _IDLE)
        time.sleep(SETTLED_SECONDS)
        before = cpu_seconds(process.pid)
        time.sleep(IDLE_SECONDS)
        return (cpu_seconds(process.pid) - before) / IDLE_SECONDS * 100


def slow_sink(binary: Path, case: Case) -> Memory:
    """Return the memory while a free source of 100 kB messages meets a sink that takes a hundred per second."""
    with measure.nodes(binary, case, "-delay", "10ms") as (_, port), measure.orchestrator() as (process, stub):
        measure.drive(stub, port, case)
        end = time.monotonic() + SLOW_SECONDS
        return memory(process.pid, lambda: time.monotonic() < end)


def a_million(binary: Path) -> Memory:
    """Return the memory while a million messages of 1 kB pass three streams; all must arrive in order."""
    with measure.nodes(binary, _MANY) as (nodes, port), measure.orchestrator() as (process, stub):
        measure.drive(stub, port, _MANY)
        assert nodes.stdout is not None
        os.set_blocking(nodes.stdout.fileno(), False)
        said: list[str] = []
        found = memory(process.pid, lambda: not _report(nodes, said))
    result = json.loads(said[0])
    assert (result["received"], result["out_of_order"]) == (_MANY.count, 0), result
    return found


def _report(nodes: subprocess.Popen[str], said: list[str]) -> bool:
    assert nodes.stdout is not None
    line = nodes.stdout.readline()
    if line:
        said.append(line)
    return bool(said)


def memory(pid: int, goes_on: Callable[[], bool]) -> Memory:
    """Watch a process until `goes_on` says no."""
    begin, values = time.monotonic(), list[float]()
    while goes_on():
        if time.monotonic() - begin >= SETTLED_SECONDS:
            values.append(resident(pid))
        time.sleep(0.2)
    return Memory(max(values) - values[0], measure.usage(pid, 1)["peak_mib"])


def resident(pid: int) -> float:
    """Return the resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process."""
    return measure.usage(pid, 1)["cpu_us"] / 1e6
