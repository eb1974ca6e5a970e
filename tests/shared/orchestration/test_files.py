"""What a bundle carries of the orchestrator, and that it runs there."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from shared.orchestration import files
from shared.orchestration.generated import orchestrator_pb2, orchestrator_pb2_grpc

FIGURES = {"edge": "a.x -> b.y", "bytes": "3000000", "per_second": "12.5", "queued": "4", "dropped": "0"}
Status = orchestrator_pb2.OrchestrationStatus
Event = orchestrator_pb2.OrchestrationEvent


class Orchestrator(orchestrator_pb2_grpc.OrchestratorServicer):
    """Answers as an orchestrator would whose run ends at once."""

    def __init__(self) -> None:
        self.configuration = None
        self.closing = threading.Event()
        self.answer = Status(success=True, code=0, message="initialized")
        self.end = Event(name="run.finished", component="orchestrator", detail={"state": "completed", "delivered": "3"})

    def initialize(self, request, context):
        self.configuration = request
        return self.answer

    def run(self, request, context):
        return Status(success=True, code=0, message="running", active_threads=2)

    def observe(self, request, context):
        context.send_initial_metadata(())
        if request.name_regex == "run\\.finished$":
            yield self.end
        else:
            yield Event(name="thread.start", component="node\x1b[2J")
            for messages in ("1", "2500") if re.match(request.name_regex, "edge.statistics") else ():
                yield Event(name="edge.statistics", detail=FIGURES | {"messages": messages})
            yield self.end
        self.closing.wait()

    def get_status(self, request, context):
        return Status(success=True, code=0, message=f"running {request.label}", active_threads=2)

    def stop_orchestration(self, request, context):
        return Status(success=True, code=0, message="stopped")


@pytest.fixture
def orchestrator() -> Iterator[tuple[Orchestrator, str]]:
    server = grpc.server(ThreadPoolExecutor(4))
    servicer = Orchestrator()
    orchestrator_pb2_grpc.add_OrchestratorServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    servicer.closing.set()
    server.stop(None).wait()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    own = {
        "blueprint.json": b'{"nodes": []}',
        "dockerinfo.json": b'{"docker_info_list": []}',
        "microservice/a.proto": b'syntax = "proto3";',
    }
    for path, content in (files.client_files() | own).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path


def script(bundle: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(bundle / "orchestrator_client" / name), *arguments]
    return subprocess.run(command, cwd=bundle, capture_output=True, text=True, timeout=60, check=False)


def test_a_bundle_carries_graphenes_five_files():
    assert sorted(files.client_files()) == [
        "orchestrator_client/orchestrator_client.py",
        "orchestrator_client/orchestrator_pb2.py",
        "orchestrator_client/orchestrator_pb2_grpc.py",
        "orchestrator_client/status_client.py",
        "protobuf/orchestrator.proto",
    ]


def test_the_client_sends_the_files_of_the_bundle_and_shows_the_run(orchestrator, bundle):
    servicer, endpoint = orchestrator

    done = script(bundle, "orchestrator_client.py", f"--endpoint={endpoint}", "--basepath=./")

    assert (done.returncode, done.stderr) == (0, 'run completed: delivered="3"\n')
    assert done.stdout.splitlines() == [
        "node\\x1b[2J thread.start",
        'orchestrator run.finished delivered="3" state="completed"',
    ]
    assert dict(servicer.configuration.protofiles) == {"a.proto": 'syntax = "proto3";'}


def test_the_client_writes_json_lines_on_demand(orchestrator, bundle):
    _, endpoint = orchestrator
    host, port = endpoint.split(":")

    done = script(bundle, "orchestrator_client.py", "-H", host, "-p", port, "--json")

    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == [
        "thread.start",
        "edge.statistics",
        "edge.statistics",
        "run.finished",
    ]


def test_the_client_exits_non_zero_and_says_why_when_the_pipeline_is_refused(orchestrator, bundle):
    servicer, endpoint = orchestrator
    servicer.answer = Status(success=False, code=3, message="error: $.nodes[0]: expected a proto, found none")

    done = script(bundle, "orchestrator_client.py", "-e", endpoint)

    assert done.returncode == 1
    assert done.stderr == (
        "error: the orchestrator refused the pipeline:\nerror: $.nodes[0]: expected a proto, found none\n"
    )


def test_the_client_exits_non_zero_when_the_run_fails(orchestrator, bundle):
    servicer, endpoint = orchestrator
    servicer.end.detail.update({"state": "failed", "reason": "b.Map: UNAVAILABLE"})

    done = script(bundle, "orchestrator_client.py", "-e", endpoint)

    assert (done.returncode, done.stderr) == (1, "error: the run failed: b.Map: UNAVAILABLE\n")


def test_the_client_names_a_file_that_is_missing(orchestrator, bundle):
    (bundle / "dockerinfo.json").unlink()

    done = script(bundle, "orchestrator_client.py", "-e", orchestrator[1])

    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot read dockerinfo.json")


def test_wrong_arguments_exit_with_2(bundle):
    assert script(bundle, "orchestrator_client.py", "-H", "localhost").returncode == 2


def test_the_status_client_prints_the_status(orchestrator, bundle):
    done = script(bundle, "status_client.py", "-e", orchestrator[1], "-l", "test")

    assert (done.returncode, done.stdout) == (0, "'running test' (code 0), active operations: 2\n")


def test_the_status_client_stops_a_run(orchestrator, bundle):
    done = script(bundle, "status_client.py", "-e", orchestrator[1], "--stop", "--json")

    assert json.loads(done.stdout) == {"success": True, "code": 0, "message": "stopped", "active_threads": 0}


def test_on_a_terminal_the_client_draws_the_edges_as_a_table_in_place(orchestrator, bundle):
    main, terminal = pty.openpty()
    command = [sys.executable, str(bundle / "orchestrator_client" / "orchestrator_client.py"), "-e", orchestrator[1]]
    done = subprocess.run(command, cwd=bundle, stdout=terminal, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(terminal)
    shown = os.read(main, 100_000).decode()
    os.close(main)

    assert done.returncode == 0
    assert "edge        messages   MB  per s  queued" in shown
    assert "a.x -> b.y      2500  3.0   12.5       4" in shown
    assert "\x1b[2F\x1b[J" in shown
    assert "\x1b[2J" not in shown
