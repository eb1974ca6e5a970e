"""The orchestrator as a process: started from a folder, driven by the bundle's client, stopped by SIGTERM."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
import yaml
from support.bundles import built
from support.orchestrator_process import LISTENED, ROOT, events, process, write
from support.pipelines import Pipeline

from shared.orchestration import files
from shared.solution_folder import from_files


@pytest.fixture
def chain(pipeline) -> Pipeline:
    pipeline.op("src", "us", "source", count=5).op("snk", "uu", "sink").edge("src", "snk").prepare()
    return pipeline


def test_it_starts_its_pipeline_by_itself_after_every_restart(chain, tmp_path):
    folder = tmp_path / "pipeline"
    write(chain, folder, flat=True)

    for _ in range(2):
        with process(tmp_path, SLIPWAY_PIPELINE_DIRECTORY=str(folder)) as (running, _port):
            end = events(running, "run_finished")[-1]
            assert (end["state"], end["delivered"]) == ("completed", 5)

    assert chain.received("snk") == [1, 2, 3, 4, 5] * 2


def test_it_starts_from_a_bundle_whose_protos_import_from_folders(chain, tmp_path):
    shared = 'syntax = "proto3"; package common; message Item { int64 id = 1; bytes payload = 2; }'
    for node in chain.nodes.values():
        node["messages"] = 'import "common/types.proto"; message Empty {}'
        for operation in node["operations"].values():
            operation.update({side: "common.Item" for side in ("takes", "gives") if operation[side] == "Item"})
    given = chain.configuration()
    solution = {f"microservice/{name}": content for name, content in given.protos.items()}
    solution |= {"blueprint.json": given.blueprint, "microservice/common/types.proto": shared.encode()}
    bundle = built(from_files(solution), {})
    mounted = tmp_path / "pipeline"
    mounted.mkdir()
    for path, content in bundle.files.items():
        if path.startswith("policies/configmap-pipeline-"):
            for name, text in yaml.safe_load(content)["data"].items():
                (mounted / name).write_text(text)
    (mounted / "dockerinfo.json").write_text(given.dockerinfo)  # where the nodes of this test are

    with process(tmp_path, SLIPWAY_PIPELINE_DIRECTORY=str(mounted)) as (running, _):
        end = events(running, "run_finished")[-1]

    assert (mounted / "types.proto").read_text() == shared
    assert (end["state"], end["delivered"]) == ("completed", 5)


def test_it_puts_large_files_together(chain, tmp_path):
    folder = tmp_path / "pipeline"
    write(chain, folder, flat=True)
    whole = folder / "blueprint.json"
    text = whole.read_bytes()
    (folder / "blueprint.json.000").write_bytes(text[:50])
    (folder / "blueprint.json.001").write_bytes(text[50:])
    whole.unlink()

    with process(tmp_path, SLIPWAY_PIPELINE_DIRECTORY=str(folder)) as (running, _):
        assert events(running, "run_finished")[-1]["delivered"] == 5


def test_autostart_may_be_switched_off(chain, tmp_path):
    write(chain, tmp_path / "pipeline", flat=True)
    environ = {"SLIPWAY_PIPELINE_DIRECTORY": str(tmp_path / "pipeline"), "SLIPWAY_AUTOSTART": "false"}

    with process(tmp_path, **environ) as (running, _):
        assert events(running, "pipeline_initialized")[-1]["operations"] == 2
        running.send_signal(signal.SIGTERM)
        assert [event["event"] for event in events(running, "stopping")] == ["stopping"]

    assert chain.received("snk") == []


def test_a_pipeline_with_errors_leaves_it_waiting_and_is_logged(chain, tmp_path):
    write(chain, tmp_path / "pipeline", flat=True)
    (tmp_path / "pipeline" / "snk.proto").unlink()

    with process(tmp_path, SLIPWAY_PIPELINE_DIRECTORY=str(tmp_path / "pipeline")) as (running, _):
        refused = events(running, "pipeline_refused")[-1]
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0

    assert "microservice/snk.proto: expected the proto" in str(refused["findings"])


def test_the_bundle_s_client_runs_a_pipeline_to_its_end(chain, tmp_path):
    write(chain, tmp_path / "bundle", flat=False)
    for path, content in files.client_files().items():
        (tmp_path / "bundle" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "bundle" / path).write_bytes(content)

    with process(tmp_path) as (_, port):
        command = [sys.executable, "orchestrator_client/orchestrator_client.py", f"--endpoint=127.0.0.1:{port}"]
        done = subprocess.run(command, cwd=tmp_path / "bundle", capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, 'run completed: delivered="5" entered="5"\n')
    assert 'orchestrator run.finished delivered="5" entered="5" state="completed"' in done.stdout
    assert "edge.statistics" not in done.stdout
    assert chain.received("snk") == [1, 2, 3, 4, 5]


def test_the_bundle_s_client_shows_messages_on_demand_and_fails_with_the_findings(chain, tmp_path):
    write(chain, tmp_path / "bundle", flat=False)
    for path, content in files.client_files().items():
        (tmp_path / "bundle" / path).parent.mkdir(exist_ok=True)
        (tmp_path / "bundle" / path).write_bytes(content)
    program = "orchestrator_client/orchestrator_client.py"

    with process(tmp_path) as (_, port):
        command = [sys.executable, program, "-H", "127.0.0.1", "-p", str(port), "--messages"]
        shown = subprocess.run(
            command, cwd=tmp_path / "bundle", capture_output=True, text=True, timeout=60, check=False
        )
        (tmp_path / "bundle" / "dockerinfo.json").write_text('{"docker_info_list": []}')
        failed = subprocess.run(
            command, cwd=tmp_path / "bundle", capture_output=True, text=True, timeout=60, check=False
        )

    assert 'distributing streaming output message="id: 5\\n" rpc="run"' in shown.stdout
    assert failed.returncode == 1
    assert 'expected an entry for "src" in dockerinfo.json' in failed.stderr
    assert 'expected an entry for "snk" in dockerinfo.json' in failed.stderr


def test_a_killed_orchestrator_starts_again_and_accounts_for_what_was_cut_off(pipeline, tmp_path):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink", delay=0.005).edge("src", "snk").prepare()
    write(pipeline, tmp_path / "pipeline", flat=True)
    environ = {"SLIPWAY_PIPELINE_DIRECTORY": str(tmp_path / "pipeline")}

    with process(tmp_path, **environ) as (running, _):
        events(running, "run_started")
        time.sleep(1.5)
        running.kill()
        running.wait()
    before = len(pipeline.received("snk"))
    with process(tmp_path, **environ) as (running, _):
        lost = LISTENED[running.pid][0]
        assert lost["event"] == "run_cut_off"
        # The last message may have been taken by the node and not been answered yet.
        assert before - 1 <= int(str(lost["delivered"])) <= before
        assert lost["entered"] == int(str(lost["delivered"])) + int(str(lost["undelivered"]))
        while len(pipeline.received("snk")) < before + 10:
            time.sleep(0.02)


def test_sigterm_delivers_what_is_in_flight_and_reports_the_rest(pipeline, tmp_path):
    pipeline.op("src", "uu", "source").op("snk", "uu", "sink", delay=0.01).edge("src", "snk").prepare()
    write(pipeline, tmp_path / "pipeline", flat=True)

    with process(tmp_path, SLIPWAY_PIPELINE_DIRECTORY=str(tmp_path / "pipeline")) as (running, _):
        events(running, "run_started")
        while len(pipeline.received("snk")) < 10:
            pass
        running.send_signal(signal.SIGTERM)
        end = events(running, "run_finished")[-1]
        assert running.wait(timeout=20) == 0

    assert (end["state"], end["undelivered"]) == ("stopped", 0)
    assert pipeline.received("snk") == list(range(1, int(str(end["entered"])) + 1))


def test_a_missing_part_of_the_pipeline_ends_the_start_with_words(tmp_path):
    (tmp_path / "blueprint.json").write_text("{}")
    command = [sys.executable, "-m", "orchestrator"]
    environ = {
        "SLIPWAY_PORT": "0",
        "SLIPWAY_METRICS_PORT": "0",
        "SLIPWAY_PIPELINE_DIRECTORY": str(tmp_path),
        "LANG": "C",
    }

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert "SLIPWAY_PIPELINE_DIRECTORY: expected blueprint.json, dockerinfo.json and *.proto" in done.stderr


def test_a_port_that_is_taken_ends_the_start_with_words(tmp_path):
    with process(tmp_path) as (_, port):
        command = [sys.executable, "-m", "orchestrator"]
        for variable in ("SLIPWAY_PORT", "SLIPWAY_METRICS_PORT"):
            environ = {
                "SLIPWAY_HOST": "127.0.0.1",
                "SLIPWAY_PORT": "0",
                "SLIPWAY_METRICS_PORT": "0",
                variable: str(port),
            }
            environ["SLIPWAY_DATA_DIRECTORY"] = str(tmp_path / "other")
            done = subprocess.run(
                command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False
            )

            assert done.returncode == 2
            assert f"{variable}: expected a free port" in done.stderr


def test_a_wrong_setting_ends_the_start_with_its_name():
    environ = {"SLIPWAY_QUEUE_MESSAGES": "many", "SLIPWAY_ORCHESTRATOR_TOKEN": "short"}
    command = [sys.executable, "-m", "orchestrator"]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert "SLIPWAY_QUEUE_MESSAGES: expected a whole number from 1 to 1000000" in done.stderr
    assert "SLIPWAY_ORCHESTRATOR_TOKEN: expected at least 32 characters" in done.stderr
    assert "short" not in done.stderr
