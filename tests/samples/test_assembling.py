"""Putting a node together, and running one by hand."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "samples"


def test_an_assembled_node_has_its_own_files_the_runtime_and_the_generated_code(assembling, tmp_path) -> None:
    assembling.assemble("sensor-stream/dashboard", tmp_path / "node")

    assert sorted(path.relative_to(tmp_path / "node").as_posix() for path in (tmp_path / "node").rglob("*.*")) == [
        "board.py",
        "dashboard_pb2.py",
        "dashboard_pb2.pyi",
        "dashboard_pb2_grpc.py",
        "healthy.py",
        "node.py",
        "page.py",
        "serving.py",
        "shared_folder.py",
        "static/page.css",
        "static/page.html",
        "static/page.js",
        "web.py",
    ]


def test_a_job_has_no_generated_code(assembling, tmp_path) -> None:
    assembling.assemble("word-count/seed", tmp_path / "node")

    assert list((tmp_path / "node").glob("*_pb2*")) == []


def test_an_existing_folder_is_left_alone(assembling, tmp_path) -> None:
    (tmp_path / "work.txt").write_text("mine")

    with pytest.raises(FileExistsError):
        assembling.assemble("calculator/adder", tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["work.txt"]


def test_a_broken_proto_is_refused_by_name(assembling, tmp_path, capfd) -> None:
    (tmp_path / "broken.proto").write_text('syntax = "proto3";\nservice X { rpc y (Missing) returns (Missing); }\n')

    with pytest.raises(SystemExit, match=r"broken\.proto: protoc refuses it"):
        assembling.compile_proto(tmp_path / "broken.proto", tmp_path)

    assert '"Missing" is not defined' in capfd.readouterr().err


def test_nothing_generated_lies_among_the_sources() -> None:
    assert list(SAMPLES.rglob("*_pb2*")) == []


def test_one_command_runs_a_node_on_this_machine_only() -> None:
    command = [sys.executable, SAMPLES / "run.py", "calculator/adder"]
    with subprocess.Popen(command, env={"PORT": "0"}, stdout=subprocess.PIPE, text=True) as process:
        serving = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        stopped = json.loads(process.stdout.readline())
        code = process.wait(20)

    assert (serving["event"], serving["host"]) == ("serving", "127.0.0.1")
    assert (stopped["event"], stopped["signal"], code) == ("stopped", "SIGINT", 0)


def test_an_unknown_node_is_a_usage_error() -> None:
    command = [sys.executable, SAMPLES / "run.py", "calculator/divider"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 2
    assert "invalid choice: 'calculator/divider'" in ended.stderr
