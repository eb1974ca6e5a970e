"""The whole graph in one process: addresses, the report, deadlines, and a signal in the midst of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest


def run(driver, pipeline, *arguments):
    driver.lay(pipeline)
    nodes = [f"--node={name}=127.0.0.1:{pipeline.host.port}" for name in pipeline.nodes]
    return driver.on_pipeline("run", *nodes, f"--report={driver.folder}/report.json", *arguments)


def report(driver):
    return json.loads((driver.folder / "report.json").read_text())


def chain(pipeline, **source):
    pipeline.op("src", "us", "source", **source).op("map", "ss", "echo").op("snk", "uu", "sink")
    return pipeline.edge("src", "map", "snk")


def test_a_run_ends_with_a_report(driver, pipeline):
    assert run(driver, chain(pipeline, count=5)) == 0
    told = report(driver)
    assert (told["state"], told["reason"], told["messages"]["delivered"]) == ("completed", "", 10)
    assert told["edges"]["map.run -> snk.run"]["delivered"] == 5
    assert told["operations"]["snk.run"]["calls"] == 5
    assert pipeline.received("snk") == [1, 2, 3, 4, 5]


def test_a_run_that_fails_says_why(driver, pipeline):
    pipeline.op("src", "us", "source", count=5).op("snk", "uu", "sink", fail_ids=[2]).edge("src", "snk")

    assert run(driver, pipeline) == 1
    assert driver.reason == "the run failed: snk.run: UNKNOWN: poison"
    assert report(driver)["state"] == "failed"


def test_the_deadline_stops_a_run_and_has_a_status_of_its_own(driver, pipeline, monkeypatch):
    monkeypatch.setenv("SLIPWAY_GRACE_SECONDS", "4")

    assert run(driver, chain(pipeline, count=2, endless=True), "--timeout=0.6") == 3
    assert driver.reason == "the run did not end within 0.6 s"
    assert (report(driver)["state"], report(driver)["reason"]) == ("stopped", "the deadline has passed")
    assert report(driver)["messages"]["undelivered"] == 0


def test_an_endless_run_ends_well_after_the_wanted_time(driver, pipeline):
    assert run(driver, chain(pipeline, count=2, endless=True), "--duration=1.5", "--timeout=60") == 0
    assert (report(driver)["state"], report(driver)["reason"]) == ("stopped", "it has run for the wanted time")
    assert report(driver)["messages"]["undelivered"] == 0
    assert pipeline.received("snk") == [1, 2]


@pytest.mark.parametrize("duration", ["0", "60"])
def test_a_run_that_ends_before_is_a_run_that_ends(driver, pipeline, duration):
    assert run(driver, chain(pipeline, count=2), f"--duration={duration}") == 0
    assert (report(driver)["state"], report(driver)["reason"]) == ("completed", "")


def test_the_deadline_holds_before_the_wanted_time(driver, pipeline):
    assert run(driver, chain(pipeline, count=1, endless=True), "--duration=60", "--timeout=0.3") == 3


def test_what_fails_while_a_run_is_ended_is_no_success(driver, pipeline):
    pipeline.op("src", "us", "source", count=2, endless=True).op("snk", "uu", "sink", delay=1.0, fail_ids=[1])

    assert run(driver, pipeline.edge("src", "snk"), "--duration=0.4") == 1
    assert driver.reason == "the run failed: snk.run: UNKNOWN: poison"
    assert report(driver)["reason"] == "snk.run: UNKNOWN: poison"


def test_the_addresses_may_stand_in_the_file_that_deploy_writes(driver, pipeline):
    driver.lay(chain(pipeline, count=1))
    file = driver.folder / "endpoints.json"
    file.write_text(json.dumps(dict.fromkeys(pipeline.nodes, f"127.0.0.1:{pipeline.host.port}")))

    assert driver.on_pipeline("run", f"--endpoints={file}", "--wait=5") == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "--node: expected NODE=HOST:PORT for every node, found none for src, map, snk"),
        (["--node=who=127.0.0.1:1"], "--node: expected one of src, map, snk, found 'who'"),
        (["--node=src=nowhere"], "--node src: expected HOST:PORT, found 'nowhere'"),
        (["--node=src=a:1", "--node=src=a:2"], "--node: expected every node once"),
        (["--endpoints=/nowhere"], "--endpoints: expected a JSON file"),
        (["--timeout=-1"], "expected seconds"),
        (["--duration=x"], "expected seconds"),
        (["--iterations=x"], "expected a number"),
    ],
)
def test_wrong_usage_is_a_log_line(driver, pipeline, arguments, word):
    driver.lay(chain(pipeline, count=1))

    assert driver.on_pipeline("run", *arguments) == 2
    assert word in driver.reason


def test_a_folder_without_a_blueprint_is_refused(driver, tmp_path):
    (tmp_path / "pipeline").mkdir()

    assert driver.on_pipeline("run") == 2
    assert driver.reason == "--pipeline: expected blueprint.json in the folder, found nothing"


def test_a_signal_ends_a_run_with_its_report(driver, pipeline, tmp_path):
    driver.lay(chain(pipeline, count=3, endless=True))
    nodes = [f"--node={name}=127.0.0.1:{pipeline.host.port}" for name in pipeline.nodes]
    command = ["run", f"--pipeline={tmp_path / 'pipeline'}", f"--report={tmp_path / 'report.json'}", *nodes]
    environment = {**os.environ, "SLIPWAY_GRACE_SECONDS": "1"}
    program = [sys.executable, "-m", "orchestrator.driver", *command]
    with subprocess.Popen(program, env=environment, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        while "run_started" not in started.stderr.readline():
            assert started.poll() is None
        started.send_signal(signal.SIGTERM)
        rest = started.stderr.read()
        status = started.wait(20)

    assert status == 1
    assert "ended by a signal" in rest
    assert report(driver)["state"] == "stopped"
