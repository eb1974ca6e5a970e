"""The orchestrator's process ends under load, with notice or without: what it had in its hands is accounted for."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from support.orchestrator_process import LISTENED, events, process, write
from support.pipelines import Pipeline
from support.raw_node import Call, RawNode

from orchestrator import dead_letters
from shared.orchestration.generated import control_pb2, orchestrator_pb2
from shared.orchestration.generated.control_pb2_grpc import ControlStub
from shared.orchestration.generated.orchestrator_pb2_grpc import OrchestratorStub


def started_from(pipeline: Pipeline, folder: Path) -> dict[str, str]:
    """Write the pipeline where the process finds it; return the environment that says so."""
    pipeline.prepare()
    write(pipeline, folder / "pipeline", flat=True)
    return {"SLIPWAY_PIPELINE_DIRECTORY": str(folder / "pipeline")}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def number(event: dict[str, object], name: str) -> int:
    return int(str(event[name]))


def kill(running: subprocess.Popen[str]) -> None:
    running.kill()
    running.wait()


@pytest.mark.parametrize("kind", ["uu", "us", "ss"])
def test_a_killed_orchestrator_leaves_its_counts(pipeline, tmp_path, kind):
    pipeline.op("src", "uu", "source").op("map", kind, "echo").op("snk", "uu", "sink", delay=0.002)
    environ = started_from(pipeline.edge("src", "map", "snk"), tmp_path)

    with process(tmp_path, **environ) as (running, _):
        until(lambda: len(pipeline.received("snk")) > 100)
        kill(running)
    taken = len(pipeline.received("map")) + len(pipeline.received("snk"))
    with process(tmp_path, **environ) as (running, port):
        lost = LISTENED[running.pid][0]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            runs = ControlStub(channel).ListRuns(control_pb2.ListRunsRequest()).runs
        before = len(pipeline.received("snk"))
        until(lambda: len(pipeline.received("snk")) > before + 10)

    assert (lost["event"], lost["run"]) == ("run_cut_off", "")
    parts = [number(lost, part) for part in ("delivered", "dead_lettered", "dropped", "undelivered")]
    assert number(lost, "entered") == sum(parts)
    assert number(lost, "delivered") <= taken <= number(lost, "entered")
    assert (runs[0].state, runs[0].account.entered) == (control_pb2.FAILED, number(lost, "entered"))


def test_what_was_parked_outlives_the_process(pipeline, tmp_path):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink", fail_ids=[3, 5], delay=0.002).edge("src", "snk")
    pipeline.orchestration = {"operations": {"snk.run": {"when_exhausted": "park"}}}
    environ = started_from(pipeline, tmp_path)
    folder = tmp_path / "data" / dead_letters.FOLDER

    with process(tmp_path, **environ) as (running, _):
        until(lambda: len(pipeline.received("snk")) > 20)
        kill(running)
    first = [file.read_bytes() for file in folder.iterdir()]
    with process(tmp_path, **environ) as (running, _):
        lost = LISTENED[running.pid][0]
        assert [file.read_bytes()[:6] for file in folder.iterdir()] == first

    assert first == [b"\x02\x08\x03\x02\x08\x05"]
    assert (lost["event"], lost["dead_lettered"]) == ("run_cut_off", 2)


def test_a_process_that_is_killed_again_and_again_comes_back(pipeline, tmp_path):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink").edge("src", "snk")
    environ = started_from(pipeline, tmp_path)

    lost = []
    for _ in range(3):
        with process(tmp_path, **environ) as (running, _):
            lost.append([event["event"] for event in LISTENED[running.pid]])
            events(running, "run_started")
            time.sleep(0.05)
            kill(running)
    with process(tmp_path, **environ) as (running, _):
        lost.append([event["event"] for event in LISTENED[running.pid]])
        before = len(pipeline.received("snk"))
        until(lambda: len(pipeline.received("snk")) > before)

    assert lost == [["listening"], *[["run_cut_off", "listening"]] * 3]


def test_sigterm_within_a_drain_that_cannot_end_reports_edge_by_edge(pipeline, tmp_path):
    async def never(call: Call) -> None:
        while True:
            await call.request()

    with RawNode(never) as node:
        pipeline.op("src", "us", "source", count=5000).op("map", "uu", "echo").op("snk", "uu", "sink")
        pipeline.edge("src", "map", "snk").ports["snk"] = node.port
        environ = started_from(pipeline, tmp_path)
        with process(tmp_path, SLIPWAY_GRACE_SECONDS="1", **environ) as (running, port):
            until(lambda: len(pipeline.received("map")) > 100)
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                observer = OrchestratorStub(channel).observe(
                    orchestrator_pb2.OrchestrationObservationConfiguration(name_regex=".*")
                )
                observer.initial_metadata()  # it is there, and reads nothing
                started = time.monotonic()
                running.send_signal(signal.SIGTERM)
                running.send_signal(signal.SIGTERM)
                end = events(running, "run_finished")[-1]
                code = running.wait(timeout=20)
                seconds = time.monotonic() - started

    assert (code, end["state"], end["level"]) == (0, "stopped", "warning")
    assert 0.9 < seconds < 4
    assert number(end, "entered") == number(end, "delivered") + number(end, "undelivered")
    assert end["undelivered_by_edge"] == {"src.run -> map.run": 102, "map.run -> snk.run": 101}


def test_sigterm_under_load_delivers_all_that_entered(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=100_000, pause=0.0005).op("map", "ss", "echo").op("snk", "uu", "sink")
    environ = started_from(pipeline.edge("src", "map", "snk"), tmp_path)

    with process(tmp_path, **environ) as (running, _):
        until(lambda: len(pipeline.received("snk")) > 50)
        running.send_signal(signal.SIGTERM)
        end = events(running, "run_finished")[-1]
        code = running.wait(timeout=20)

    assert (code, end["state"], end["undelivered"], end["level"]) == (0, "stopped", 0, "info")
    assert number(end, "entered") == 2 * len(pipeline.received("snk"))
    assert "undelivered_by_edge" not in end


def test_sigterm_while_nodes_are_down_ends_within_the_grace(pipeline, tmp_path):
    pipeline.op("src", "us", "source", count=100).op("snk", "uu", "sink").edge("src", "snk")
    pipeline.ports = {"src": 1, "snk": 1}
    environ = started_from(pipeline, tmp_path)

    with process(tmp_path, SLIPWAY_GRACE_SECONDS="1", **environ) as (running, _):
        events(running, "call_failed")
        started = time.monotonic()
        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=20)

    assert code == 0
    assert time.monotonic() - started < 4
