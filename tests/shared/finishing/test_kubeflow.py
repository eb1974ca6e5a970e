"""The script of pipelines as people run it: a program of its own, beside a bundle, with a server that plays Kubeflow's API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import kubeflow_api
from support.kubeflow_api import TOKEN, Api

from shared.finishing import joining

pytestmark = pytest.mark.conformance

ABOUT: dict[str, Any] = {
    "pipeline": "sums",
    "version": "sums-12345678",
    "serviceAccount": "pipeline-runner",
    "parameters": {
        "run-seconds": {"type": "NUMBER_INTEGER", "default": 60},
        "RATIO": {"type": "NUMBER_DOUBLE", "default": 0.5},
        "FAST": {"type": "BOOLEAN", "default": False},
        "NAME": {"type": "STRING", "default": "x"},
    },
    "schedule": {"cron": ["0 6 * * 1-5", "@daily"], "suspended": False, "maxConcurrency": "1"},
}
PIPELINE = b"components: {}\n---\nplatforms: {}\n"


@pytest.fixture
def api() -> Iterator[Api]:
    with kubeflow_api.serving() as served:
        yield served


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "kubeflow").mkdir()
    (tmp_path / "kubeflow" / "run.json").write_text(json.dumps(ABOUT))
    (tmp_path / "kubeflow" / "pipeline.yaml").write_bytes(PIPELINE)
    (tmp_path / joining.KUBEFLOW_SCRIPT).write_bytes(joining.script(joining.KUBEFLOW_SCRIPT))
    return tmp_path


def run(bundle: Path, api: Api, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(bundle / joining.KUBEFLOW_SCRIPT), "--url", api.url, *arguments]
    environ = {"PATH": os.environ["PATH"], "KUBEFLOW_TOKEN": token}
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)


def only(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (each,) = found.values()
    return each


def test_a_run_uploads_the_pipeline_as_it_lies_in_the_bundle(bundle: Path, api: Api):
    ended = run(bundle, api, "-n", "ada", "--experiment", "tries", "run", "--watch")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert api.uploads == [PIPELINE]
    assert only(api.pipelines) == {"pipeline_id": "pipeline-1", "display_name": "sums", "namespace": "ada"}
    assert only(api.objects["experiments"])["display_name"] == "tries"
    started = only(api.objects["runs"])
    assert started["service_account"] == "pipeline-runner"
    assert started["pipeline_version_reference"]["pipeline_version_id"] in api.versions
    assert f"started: {started['display_name']} ({started['run_id']})" in ended.stdout


def test_the_second_run_uploads_nothing(bundle: Path, api: Api):
    run(bundle, api, "upload")
    run(bundle, api, "run")
    ended = run(bundle, api, "run")

    assert "uploaded already: sums-12345678" in ended.stdout
    assert (len(api.uploads), len(api.objects["runs"]), len(api.objects["experiments"])) == (1, 2, 1)


def test_parameters_have_the_types_of_the_pipeline(bundle: Path, api: Api):
    given = {"run-seconds": "5", "RATIO": "1", "FAST": "true", "NAME": "5"}

    run(bundle, api, "run", *(f"--parameter={name}={value}" for name, value in given.items()))

    parameters = only(api.objects["runs"])["runtime_config"]["parameters"]
    assert parameters == {"run-seconds": 5, "RATIO": 1.0, "FAST": True, "NAME": "5"}
    assert isinstance(parameters["RATIO"], float)


@pytest.mark.parametrize("given", ["run-seconds=soon", "run-seconds=1.5", "FAST=1", "RATIO=NaN", "SPEED=1"])
def test_a_value_of_another_type_starts_nothing(bundle: Path, api: Api, given: str):
    ended = run(bundle, api, "run", "--parameter", given)

    assert ended.returncode == 1
    assert "--parameter" in ended.stderr
    assert api.objects["runs"] == {}


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ({"state": "FAILED", "error": {"message": "no image"}}, "FAILED: no image"),
        ({"state": "CANCELED"}, "CANCELED"),
        (
            {
                "state": "SUCCEEDED",
                "run_details": {"task_details": [{"display_name": "orchestrate", "state": "FAILED"}]},
            },
            "SUCCEEDED: failed: orchestrate",
        ),
    ],
    ids=["failed", "canceled", "a success with a failed task"],
)
def test_a_run_that_is_no_success_is_told_by_the_exit_status(bundle: Path, api: Api, ending: dict[str, Any], said: str):
    api.ending = ending

    ended = run(bundle, api, "run", "--watch")

    assert ended.returncode == 1
    assert said in ended.stdout


def test_a_task_that_succeeded_at_its_second_try_has_succeeded(bundle: Path, api: Api):
    tries = [("executor", "SUCCEEDED"), ("executor(0)", "FAILED"), ("executor(1)", "SUCCEEDED")]
    told = [{"display_name": name, "state": state} for name, state in tries]
    api.ending = {"state": "SUCCEEDED", "run_details": {"task_details": told}}

    ended = run(bundle, api, "run", "--watch")

    assert (ended.returncode, "FAILED" in ended.stdout) == (0, False)
    assert "executor: SUCCEEDED" in ended.stdout


def test_a_run_of_which_nobody_heard_is_not_started_twice(bundle: Path, api: Api):
    api.faults = [("POST /runs", "lost")]

    ended = run(bundle, api, "run")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(api.objects["runs"]) == 1


def test_a_server_that_is_busy_is_asked_again(bundle: Path, api: Api):
    api.faults = [("POST /runs", "503"), ("GET /pipelines/names", "502"), ("GET /experiments", "429")]

    assert run(bundle, api, "run").returncode == 0
    assert len(api.objects["runs"]) == 1


def test_a_refusal_is_told_and_not_repeated(bundle: Path, api: Api):
    api.faults = [("POST /pipelines/upload_version", "400")]

    ended = run(bundle, api, "upload")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "error: POST /pipeline/apis/v2beta1/pipelines/upload_version: status 400: told so\n"
    assert api.calls.count("POST /pipelines/upload_version") == 1


@pytest.mark.parametrize(
    ("fault", "said"), [("login", "set KUBEFLOW_TOKEN"), ("html", "is --url the address of the API?")]
)
def test_a_page_for_people_is_no_answer(bundle: Path, api: Api, fault: str, said: str):
    api.faults = [("GET", fault)]

    ended = run(bundle, api, "upload")

    assert ended.returncode == 1
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"pipeline_id": 5}', "the API answers without a pipeline_id: found int"),
        ('{"pipeline_id": "../runs"}', "the API answers without a pipeline_id: found '../runs'"),
        ('["abc"]', "expected JSON, found"),
        ("[" * 200_000, "expected JSON, found"),
        ('{"a":' * 200_000, "expected JSON, found"),
    ],
    ids=["a number", "a path", "a list", "deep lists", "deep objects"],
)
def test_an_answer_that_is_none_of_kubeflow_is_one_line_of_error(bundle: Path, api: Api, answer: str, said: str):
    api.faults = [("GET /pipelines/names", answer)]

    ended = run(bundle, api, "upload")

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("error: ")
    assert said in ended.stderr


@pytest.mark.parametrize("action", ["upload", "run", "watch", "stop", "schedule", "delete"])
def test_an_empty_answer_is_one_line_of_error(bundle: Path, api: Api, action: str):
    api.made("experiments", {"display_name": "slipway"})
    api.faults = [("GET /pipelines/names", "{}")]

    ended = run(bundle, api, action)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("error: the API answers without a pipeline_id: found nothing")


@pytest.mark.parametrize(
    ("call", "answer", "action"),
    [
        ("GET /runs", '{"runs": ["abc"]}', ("stop",)),
        ("GET /runs", '{"runs": {"a": "b"}}', ("delete",)),
        ("GET /runs/", "{}", ("watch", "run-1")),
        ("GET /runs/", "{}", ("stop", "run-1")),
        ("GET /runs/", '{"run_id": "a", "run_details": {"task_details": ["abc"]}}', ("watch", "run-1")),
        ("GET /recurringruns", '{"recurringRuns": 5}', ("delete",)),
        ("GET /experiments", '{"experiments": [{"display_name": "slipway"}]}', ("run",)),
        ("POST /experiments", "{}", ("run",)),
        ("POST /pipelines/upload_version", "{}", ("run",)),
        ("POST /runs", "{}", ("run",)),
    ],
)
def test_what_lacks_in_an_answer_is_one_line_of_error(
    bundle: Path, api: Api, call: str, answer: str, action: tuple[str, ...]
):
    if not call.startswith("POST"):
        run(bundle, api, "run")
    api.faults = [(call, answer)]

    ended = run(bundle, api, *action)

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("error: the API answers with")


def test_odd_details_of_a_run_are_left_out(bundle: Path, api: Api):
    api.ending = {"state": "FAILED", "error": "odd", "run_details": "odd", "pipeline_version_reference": "odd"}

    ended = run(bundle, api, "run", "--watch")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.endswith(": FAILED: FAILED\n")


@pytest.mark.parametrize("tokens", [["again", "again"], ["a", "b", "a"], ["x" * 10_001]])
def test_pages_without_an_end_are_not_followed(bundle: Path, api: Api, tokens: list[str]):
    run(bundle, api, "upload")
    api.faults = [("GET /runs", json.dumps({"next_page_token": token})) for token in tokens]

    ended = run(bundle, api, "delete")

    assert ended.returncode == 1
    assert "/runs: expected at most 1000 pages, each of them once" in ended.stderr
    assert api.faults == []
    assert api.calls.count("GET /runs") == len(tokens)


def test_a_token_is_asked_for_and_never_shown(bundle: Path, api: Api):
    ended = run(bundle, api, "upload", token="another-token")

    assert ended.returncode == 1
    assert "Kubeflow wants to know who you are" in ended.stderr
    assert "another-token" not in ended.stdout + ended.stderr


def test_a_token_may_stand_in_a_file(bundle: Path, api: Api):
    (bundle / "token").write_text(f"{TOKEN}\n")

    assert run(bundle, api, "--token-file", str(bundle / "token"), "upload", token="").returncode == 0


@pytest.mark.parametrize("scheduled", [1, 2])
def test_a_schedule_is_there_once(bundle: Path, api: Api, scheduled: int):
    for _ in range(scheduled):
        assert run(bundle, api, "schedule").returncode == 0

    found = api.objects["recurringruns"].values()
    assert [each["trigger"]["cron_schedule"]["cron"] for each in found] == ["0 0 6 * * 1-5", "@daily"]
    assert {(each["mode"], each["max_concurrency"], each["no_catchup"]) for each in found} == {("ENABLE", "1", True)}


def test_the_latest_run_is_terminated_and_removed_on_request(bundle: Path, api: Api):
    api.ending = {"state": "RUNNING"}
    run(bundle, api, "run")
    run(bundle, api, "run")

    kept = run(bundle, api, "stop")
    assert [each.get("state") for each in api.objects["runs"].values()] == [None, "CANCELED"]
    removed = run(bundle, api, "stop", "--remove")

    assert (kept.returncode, removed.returncode) == (0, 0)
    assert "stays until the run is deleted" in kept.stdout
    assert len(api.objects["runs"]) == 1


def test_deleting_ends_what_runs_and_finds_nothing_the_second_time(bundle: Path, api: Api):
    api.ending = {"state": "RUNNING"}
    for _ in range(3):
        run(bundle, api, "run")
    run(bundle, api, "schedule")
    api.made("runs", {"experiment_id": "x", "pipeline_version_reference": {"pipeline_id": "of-somebody-else"}})

    assert run(bundle, api, "delete").returncode == 0

    assert (api.pipelines, api.versions, api.objects["recurringruns"]) == ({}, {}, {})
    assert only(api.objects["runs"])["experiment_id"] == "x"
    assert run(bundle, api, "delete").stdout == "0 pipelines deleted\n"


def test_deleting_removes_runs_of_all_experiments(bundle: Path, api: Api):
    run(bundle, api, "--experiment", "tries", "run")
    run(bundle, api, "run")
    reference = {"pipeline_version_reference": {"pipeline_id": "pipeline-1"}}
    api.made("runs", {"experiment_id": "of-the-page", **reference})
    stay = [api.made("runs", {"experiment_id": "x", "pipeline_version_reference": odd}) for odd in (None, {}, "odd")]
    api.made("recurringruns", {"display_name": "of-nobody"})

    assert run(bundle, api, "delete").returncode == 0

    assert list(api.objects["runs"].values()) == stay
    assert only(api.objects["recurringruns"])["display_name"] == "of-nobody"


def test_the_latest_run_is_one_of_the_experiment(bundle: Path, api: Api):
    run(bundle, api, "--experiment", "tries", "run")
    run(bundle, api, "run")

    ended = run(bundle, api, "--experiment", "tries", "watch")

    assert ended.stdout.startswith(next(iter(api.objects["runs"])))


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--parameter", "speed"),
        ("watch", "../x"),
        ("-n", "A_b", "run"),
        (),
        ("--token-file", "/nowhere", "run"),
        ("--url", "http://kubeflow.example.org", "run"),
        ("--url", "ftp://x", "run"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(bundle: Path, api: Api, arguments: tuple[str, ...]):
    assert run(bundle, api, *arguments).returncode == 2
    assert api.calls == []


def test_without_a_run_there_is_nothing_to_watch(bundle: Path, api: Api):
    ended = run(bundle, api, "watch")

    assert (ended.returncode, ended.stderr) == (1, "error: no run of this pipeline is there: start one\n")


def test_beside_no_bundle_it_says_so(bundle: Path, api: Api):
    (bundle / "kubeflow" / "run.json").unlink()

    assert "is this an unpacked bundle?" in run(bundle, api, "upload").stderr
