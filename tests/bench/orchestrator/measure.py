"""Measures the orchestrator against bare proxies and direct calls: interleaved rounds, medians, one table.

`python tests/bench/orchestrator/measure.py [--rounds N] [--only TEXT] [--nodes BINARY]`; needs Go, or a built binary.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import grpc

from shared.orchestration.generated import orchestrator_pb2, orchestrator_pb2_grpc

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent


@dataclass(frozen=True)
class Case:
    """One row: what travels, and how far."""

    name: str
    kind: str
    maps: int
    size: int
    count: int
    window: int


CASES = (
    Case("unary 1 kB", "unary", 1, 1000, 6000, 64),
    Case("unary 1 kB, one at a time", "unary", 1, 1000, 2500, 1),
    Case("stream 1 kB", "stream", 1, 1000, 30000, 64),
    Case("stream 1 kB, one at a time", "stream", 1, 1000, 4000, 1),
    Case("stream 100 kB", "stream", 1, 100_000, 3000, 64),
    Case("unary 100 kB", "unary", 1, 100_000, 2500, 64),
    Case("stream 3 MB", "stream", 1, 3_000_000, 250, 4),
    Case("unary 3 MB", "unary", 1, 3_000_000, 250, 4),
    Case("unary, chain of 10", "unary", 8, 1000, 3000, 64),
    Case("stream, chain of 10", "stream", 8, 1000, 6000, 64),
    Case("unary, chain of 50", "unary", 48, 1000, 1000, 64),
    Case("stream, chain of 50", "stream", 48, 1000, 2000, 64),
)
BARE = ("aio", "threads")
DIRECT = "direct"
STACKS = (*BARE, "uvloop", DIRECT, "ours")


def build_nodes() -> Path:
    """Compile the nodes."""
    binary = Path(tempfile.gettempdir()) / "slipway-bench-nodes"
    subprocess.run(["go", "build", "-o", str(binary), "."], cwd=HERE / "nodes", check=True)
    return binary


@contextlib.contextmanager
def nodes(binary: Path, case: Case, *extra: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the nodes; yields their process and port."""
    arguments = ["-n", case.count, "-w", case.window, "-size", case.size, "-warmup", min(200, case.count // 10), *extra]
    flags = ["-stream"] if case.kind == "stream" else []
    process = subprocess.Popen([str(binary), *map(str, arguments), *flags], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def interleaved(binary: Path, case: Case, stacks: Sequence[str], rounds: int) -> dict[str, list[dict[str, float]]]:
    """Measure the stacks in turn, several times."""
    found: dict[str, list[dict[str, float]]] = {stack: [] for stack in stacks}
    for _ in range(rounds):
        for stack, results in found.items():
            results.append(measure(binary, case, stack))
            time.sleep(0.1)
    return found


def measure(binary: Path, case: Case, stack: str) -> dict[str, float]:
    with nodes(binary, case) as (process, port), running(binary, stack, port, case) as pid:
        assert process.stdout is not None
        line = process.stdout.readline()
        return json.loads(line) | usage(pid, case.count)


@contextlib.contextmanager
def running(binary: Path, stack: str, port: str, case: Case) -> Iterator[int]:
    if stack == "ours":
        with orchestrator() as (process, stub):
            drive(stub, port, case)
            yield process.pid
        return
    command = [sys.executable, str(HERE / "proxies.py"), stack, port, case.kind, str(case.maps)]
    if stack == DIRECT:
        flags = ["-stream"] if case.kind == "stream" else []
        command = [str(binary), "-direct", f"127.0.0.1:{port}", "-maps", str(case.maps), *flags]
    process = subprocess.Popen(command)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def orchestrator() -> Iterator[tuple[subprocess.Popen[str], orchestrator_pb2_grpc.OrchestratorStub]]:
    folder = tempfile.mkdtemp(prefix="slipway-bench-")
    environ = {
        **os.environ,
        "SLIPWAY_HOST": "127.0.0.1",
        "SLIPWAY_PORT": "0",
        "SLIPWAY_METRICS_PORT": str(free_port()),
        "SLIPWAY_DATA_DIRECTORY": folder,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator"], stderr=subprocess.PIPE, text=True, env=environ, cwd=ROOT
    )
    assert process.stderr is not None
    port = json.loads(process.stderr.readline())["port"]
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield process, orchestrator_pb2_grpc.OrchestratorStub(channel)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def drive(stub: orchestrator_pb2_grpc.OrchestratorStub, port: str, case: Case) -> None:
    status = stub.initialize(configuration(case, port))
    assert status.success, status.message
    stub.run(orchestrator_pb2.RunLabel())


def configuration(case: Case, port: str) -> orchestrator_pb2.OrchestrationConfiguration:
    names = ["Src", *(f"Map{number}" for number in range(case.maps)), "Snk"]
    stream = "stream " if case.kind == "stream" else ""
    blueprint, entries, protos = [], [], {}
    for index, name in enumerate(names):
        takes, gives = ("Empty" if index == 0 else "Item"), ("Empty" if index == len(names) - 1 else "Item")
        reads, writes = ("" if index == 0 else stream), ("" if index == len(names) - 1 else stream)
        protos[f"{name.lower()}.proto"] = f"""syntax = "proto3"; package bench; message Empty {{}}
message Item {{ fixed64 seq = 1; fixed64 stamp = 2; bytes payload = 3; }}
service {name} {{ rpc run({reads}{takes}) returns ({writes}{gives}); }}"""
        following = names[index + 1 : index + 2]
        signature = {
            "operation_name": "run",
            "input_message_name": takes,
            "output_message_name": gives,
            "input_message_stream": bool(reads),
            "output_message_stream": bool(writes),
        }
        to = [{"container_name": n.lower(), "operation_signature": {"operation_name": "run"}} for n in following]
        operation = {"operation_signature": signature, "connected_to": to}
        blueprint.append(
            {
                "container_name": name.lower(),
                "node_type": "MLModel",
                "image": "example.org/n:1",
                "proto_uri": "n.proto",
                "operation_signature_list": [operation],
            }
        )
        entries.append(
            {
                "container_name": name.lower(),
                "ip_address": f"127.0.{1 + index // 250}.{1 + index % 250}",
                "port": int(port),
            }
        )
    return orchestrator_pb2.OrchestrationConfiguration(
        blueprint=json.dumps({"name": "bench", "version": "1", "nodes": blueprint}),
        dockerinfo=json.dumps({"docker_info_list": entries}),
        protofiles=protos,
    )


def usage(pid: int, count: int) -> dict[str, float]:
    """Return CPU microseconds per message and the resident memory of a process."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {"cpu_us": seconds * 1e6 / count, "peak_mib": peak / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--stacks", default=",".join(STACKS))
    parser.add_argument("--nodes", type=Path)
    parser.add_argument("--scale", type=float, default=1, help="of the numbers of messages")
    options = parser.parse_args()
    if options.nodes is None and shutil.which("go") is None:
        sys.exit("unmeasured: no Go on this machine")
    binary = options.nodes or build_nodes()
    print("| case | stack | msg/s | p50 us | p99 us | CPU us/msg | peak MiB | of the best bare |")
    print("|---|---|---|---|---|---|---|---|")
    for case in (case for case in CASES if options.only in case.name):
        scaled = replace(case, count=max(50, int(case.count * options.scale)))
        show(case, interleaved(binary, scaled, options.stacks.split(","), options.rounds))


def medians(found: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the median of every figure by stack."""
    return {
        stack: {key: statistics.median(result[key] for result in results) for key in results[0]}
        for stack, results in found.items()
    }


def show(case: Case, found: dict[str, list[dict[str, float]]]) -> None:
    """Print the rows of a case; shares are of the faster of the two bare proxies on plain grpcio."""
    figures = medians(found)
    best = max((m["messages_per_second"] for stack, m in figures.items() if stack in BARE), default=0)
    for stack, m in figures.items():
        share = f"{m['messages_per_second'] / best:.2f}" if best else "–"
        print(
            f"| {case.name} | {stack} | {m['messages_per_second']:.0f} | {m['p50_us']:.0f} | {m['p99_us']:.0f} | "
            f"{m['cpu_us']:.0f} | {m['peak_mib']:.0f} | {share} |",
            flush=True,
        )
        assert m["out_of_order"] == 0, (case, stack)


if __name__ == "__main__":
    main()
