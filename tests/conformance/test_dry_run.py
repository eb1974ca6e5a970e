"""Every sample, emitted for Argo in every mode that fits it, run on this machine with its real nodes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.argo_bundles import emitted
from support.dry_runs import processes_in, statuses
from support.playground import table

from shared.workflows import driver_calls
from shared.workflows.dry_run import programs, running
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import Outcome

ANYWAY = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a table of our samples."""
    folder = tmp_path_factory.mktemp("images")
    table(folder)
    return folder


def run(bundle: Path, images: Path, work: Path, **parameters: str) -> Outcome:
    work.mkdir()
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    options = Options(parameters, longest_wait_seconds=0.2)
    return running.run(files, programs.read(images), work, options, lambda _: None)


def events(work: Path, log: str, name: str) -> list[dict[str, object]]:
    lines = (work / "logs" / f"{log}.log").read_text().splitlines()
    return [found for line in lines if line.startswith("{") and (found := json.loads(line))["event"] == name]


def test_steps_and_services_of_one_sample_come_to_the_same(images: Path, tmp_path: Path) -> None:
    """Splitter, collator, sidecars and artifacts in one mode, daemons and the orchestrator in the other."""
    steps = run(emitted("calculator", tmp_path / "a", mode="steps"), images, tmp_path / "steps")
    services = run(emitted("calculator", tmp_path / "b", mode="services"), images, tmp_path / "services")

    shown = events(tmp_path / "steps", "pipeline.printer-show.node", "results_shown")
    assert (steps.status, services.status) == ("Succeeded", "Succeeded")
    assert len(shown) == 10
    same = events(tmp_path / "services", "pipeline.printer", "results_shown")
    assert [each["values"] for each in shown] == [each["values"] for each in same]


def test_a_job_prepares_the_shared_folder_of_the_steps_behind_it(images: Path, tmp_path: Path) -> None:
    found = run(emitted("word-count", tmp_path / "bundle"), images, tmp_path / "work")

    assert found.status == "Succeeded", found
    assert statuses(found)["pipeline/reporter-report"] == "Succeeded"


def test_a_stream_runs_until_the_time_that_a_parameter_says(images: Path, tmp_path: Path) -> None:
    bundle = emitted("sensor-stream", tmp_path / "bundle")

    found = run(bundle, images, tmp_path / "work", **{"run-duration": "4"})

    assert (found.status, statuses(found)["onExit"]) == ("Succeeded", "Succeeded"), found
    assert statuses(found)["pipeline/orchestrate"] == "Succeeded"
    assert events(tmp_path / "work", "pipeline.orchestrate", "run_finished")[0]["state"] == "stopped"


def test_a_deadline_is_no_good_end(images: Path, tmp_path: Path) -> None:
    bundle = emitted("sensor-stream", tmp_path / "bundle")

    found = run(bundle, images, tmp_path / "work", **{"run-seconds": "4"})

    assert (found.status, statuses(found)["onExit"]) == ("Failed", "Succeeded")
    assert found.reason == "orchestrate: exit status 3: the run did not end within 4 s"


def test_what_is_deployed_is_torn_down_at_the_end(images: Path, tmp_path: Path) -> None:
    found = run(emitted("code-breaker", tmp_path / "bundle", mode="persistent"), images, tmp_path / "work")

    assert found.status == "Succeeded", found
    assert list(statuses(found)) == [
        "pipeline/deploy",
        "pipeline/hold",
        "pipeline",
        "onExit/teardown",
        "onExit/report",
        "onExit",
    ]


def kubeflow(bundle: Path, run_seconds: int) -> list[dict[str, Any]]:
    """Return a package of Kubeflow that deploys, runs and tears down, with the ConfigMaps of an Argo bundle."""
    maps = [yaml.safe_load(path.read_text()) for path in bundle.glob("argo/configmap-*.yaml")]
    for each in maps:
        each["data"] = {key: value for key, value in each["data"].items() if "orchestrator_deployment" not in key}
    manifests, pipeline = (
        next(each for each in maps if word in each["metadata"]["name"]) for word in ("bundle", "pipeline")
    )

    def task(name: str, *after: str, **inputs: Any) -> dict[str, Any]:
        return {
            "taskInfo": {"name": name},
            "componentRef": {"name": name},
            "dependentTasks": list(after),
            "inputs": inputs,
        }

    def executor(*arguments: str) -> dict[str, Any]:
        program, verb, *rest = arguments
        return {"container": {"image": "driver:1", "command": [program, verb], "args": rest}}

    endpoints = {"artifacts": {"endpoints": {}}}
    given = {"endpoints": {"taskOutputArtifact": {"producerTask": "deploy", "outputArtifactKey": "endpoints"}}}
    end = task("end", "session", parameters={"status": {"taskFinalStatus": {"producerTask": "session"}}})
    spec = {
        "pipelineInfo": {"name": "tried"},
        "schemaVersion": "2.1.0",
        "root": {"dag": {"tasks": {"session": task("session"), "end": end | {"triggerPolicy": ANYWAY}}}},
        "components": {
            "session": {"dag": {"tasks": {"deploy": task("deploy"), "run": task("run", "deploy", artifacts=given)}}},
            "deploy": {"executorLabel": "deploy", "outputDefinitions": endpoints},
            "run": {"executorLabel": "run", "inputDefinitions": endpoints},
            "end": {
                "executorLabel": "end",
                "inputDefinitions": {"parameters": {"status": {"parameterType": "STRING"}}},
            },
        },
        "deploymentSpec": {
            "executors": {
                "deploy": executor(
                    *driver_calls.deploy(
                        bundle="/bundle",
                        name="tried",
                        namespace="here",
                        owner=None,
                        endpoint_file="{{$.outputs.artifacts['endpoints'].path}}",
                    )
                ),
                "run": executor(
                    *driver_calls.run(
                        pipeline="/pipeline",
                        endpoints="{{$.inputs.artifacts['endpoints'].path}}",
                        timeout=str(run_seconds),
                        wait="20",
                    )
                ),
                "end": executor(*driver_calls.teardown(name="tried", namespace="here")),
            }
        },
    }
    mounts = {
        "deploy": {"configMapAsVolume": [{"mountPath": "/bundle", "configMapName": manifests["metadata"]["name"]}]},
        "run": {"configMapAsVolume": [{"mountPath": "/pipeline", "configMapName": pipeline["metadata"]["name"]}]},
    }
    return [spec, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": mounts}}}}, *maps]


@pytest.mark.parametrize(("seconds", "status"), [(60, "Succeeded"), (1, "Failed")])
def test_kubeflow_deploys_runs_and_tears_down_however_it_went(
    images: Path, tmp_path: Path, seconds: int, status: str
) -> None:
    sample = "code-breaker" if status == "Succeeded" else "sensor-stream"
    emitted(sample, tmp_path / "a", mode="persistent")
    emitted(sample, tmp_path / "b", mode="services")
    both = tmp_path / "both" / "argo"
    both.mkdir(parents=True)
    for path in [*tmp_path.glob("[ab]/argo/configmap-*.yaml")]:
        (both / path.name).write_bytes(path.read_bytes())
    package = tmp_path / "package"
    package.mkdir()
    for number, document in enumerate(kubeflow(both.parent, seconds)):
        (package / f"{number}.yaml").write_text(yaml.safe_dump(document))

    found = run(package, images, tmp_path / "work")

    assert found.status == status, found
    assert statuses(found)["tried/session/run"] == status
    assert statuses(found)["tried/end"] == "Succeeded"
    assert processes_in(tmp_path / "work") == []


def test_two_packages_run_at_once(images: Path, tmp_path: Path) -> None:
    bundle = emitted("code-breaker", tmp_path / "bundle")
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}

    async def scenario() -> list[Outcome]:
        runs = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            runs.append(running.dry_run(files, programs.read(images), tmp_path / name, Options(), lambda _: None))
        return list(await asyncio.gather(*runs))

    assert [found.status for found in asyncio.run(scenario())] == ["Succeeded", "Succeeded"]
