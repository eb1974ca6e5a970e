"""Emitted workflows, carried out by Argo's own controller in real pods: what comes of them is what came of their dry runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support import argo_artifacts, argo_controller, argo_programs, argo_runs
from support import images as node_images
from support.argo_controller import Argo
from support.argo_runs import SMALL, DryRun, Run
from support.cluster import RUN_LABEL, Kubectl, identity
from support.definitions import argo_definitions, defined
from support.images import ORCHESTRATOR
from support.running import end

from shared.solution import SolutionFiles

NewArgo = Callable[[], Argo]
Both = tuple[Run, DryRun]


@pytest.fixture(scope="module")
def configuration(images: Mapping[str, str], real_node: None) -> dict[str, Any]:  # noqa: ARG001
    """Return how Argo is set up: with the executor of this machine, and told what our images run, for it asks no registry."""
    executor = node_images.of_program(argo_programs.executor())
    nodes = [image for name, image in images.items() if name != ORCHESTRATOR]
    return {
        "executor": {"image": executor, "resources": SMALL},
        "images": {image: {"entrypoint": ["python", "node.py"]} for image in nodes},
    }


@pytest.fixture(scope="module")
def new_argo(
    cluster: Kubectl,
    test_run: str,
    test_data: Path,
    configuration: Mapping[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[NewArgo]:
    """Return what makes a namespace that Argo looks after; the controllers work until the end."""
    with defined(cluster, argo_definitions(test_data), "argo"), ExitStack() as ends:

        def make() -> Argo:
            space = cluster.new_namespace({RUN_LABEL: test_run})
            ends.callback(end, space)
            desk = tmp_path_factory.mktemp("argo")
            return ends.enter_context(argo_controller.started(space, desk, configuration))

        yield make


@pytest.fixture(scope="module")
def programs(images: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs that stand for the images in a dry run."""
    return argo_runs.write_programs(tmp_path_factory.mktemp("programs"), images)


@pytest.fixture(scope="module")
def code_breaker(
    new_argo: NewArgo, images: Mapping[str, str], programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """Carry out a circle of three nodes, in the cluster and here."""
    desk = tmp_path_factory.mktemp("code-breaker")
    bundle = argo_runs.sample("code-breaker", images, desk / "bundle")
    return argo_runs.carried_out(new_argo(), bundle), argo_runs.dry_run(bundle, programs, desk / "kept")


@pytest.fixture(scope="module")
def sensor_stream(
    new_argo: NewArgo, images: Mapping[str, str], programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """Carry out streams without an end, which have to be over after five seconds."""
    desk = tmp_path_factory.mktemp("sensor-stream")
    bundle = argo_runs.sample("sensor-stream", images, desk / "bundle")
    given = "run-seconds=5"
    return argo_runs.carried_out(new_argo(), bundle, given), argo_runs.dry_run(bundle, programs, desk / "kept", given)


def logged(logs: Mapping[str, list[dict[str, object]]], task: str, event: str) -> list[dict[str, object]]:
    """Return the events of a task by their name, without when they were."""
    return [
        {key: value for key, value in each.items() if key not in {"time", "timestamp"}}
        for each in logs[task]
        if each["event"] == event
    ]


def test_a_run_succeeds_and_its_script_says_so(code_breaker: Both) -> None:
    run, _ = code_breaker

    assert (run.submitted.status, run.status["phase"]) == (0, "Succeeded"), run.submitted
    assert run.submitted.out.splitlines()[-1].endswith(": Succeeded")


def test_a_run_comes_to_the_same_as_its_dry_run(code_breaker: Both) -> None:
    run, dry = code_breaker

    broken = logged(run.logs, "player", "code_broken")
    assert run.statuses() == dry.statuses()
    assert set(run.tasks) == {"player", "place-judge", "digit-judge", "orchestrate", "onExit"}
    assert broken == logged(dry.logs, "player", "code_broken")
    assert [each["code"] for each in broken] == ["2718"]


def test_nodes_are_daemons_that_live_as_long_as_the_run(code_breaker: Both) -> None:
    run, _ = code_breaker

    orchestrate = run.tasks["orchestrate"]
    nodes = [run.tasks[name] for name in ("player", "place-judge", "digit-judge")]
    assert max(node.started for node in nodes) <= orchestrate.started
    assert min(node.finished for node in nodes) >= orchestrate.finished > ""


@pytest.mark.parametrize("which", ["code_breaker", "sensor_stream", "jobs", "calculator"])
def test_nothing_is_left_of_a_run_that_was_deleted(request: pytest.FixtureRequest, which: str) -> None:
    run, _ = request.getfixturevalue(which)

    assert (run.deleted.status, run.left) == (0, set()), run.deleted


def test_a_run_that_fails_has_reported_and_its_script_says_so(sensor_stream: Both) -> None:
    run, dry = sensor_stream

    (reported,) = logged(run.logs, "onExit", "reported")
    assert (run.submitted.status, run.status["phase"]) == (1, "Failed"), run.submitted
    assert run.statuses() == dry.statuses()
    assert (run.tasks["orchestrate"].phase, reported["status"]) == ("Failed", "Failed")


def test_a_stream_ends_in_time_and_reaches_its_nodes_by_services_that_go_with_it(
    new_argo: NewArgo, images: Mapping[str, str], tmp_path: Path
) -> None:
    """Argo's executor itself makes the Services."""
    bundle = argo_runs.sample("sensor-stream", images, tmp_path / "bundle", stableDns=True)

    run = argo_runs.carried_out(new_argo(), bundle, "run-duration=3")

    (finished,) = logged(run.logs, "orchestrate", "run_finished")
    services = [name for name in run.tasks if name.endswith("-address")]
    assert run.status["phase"] == "Succeeded", run.submitted
    assert (finished["state"], len(services), run.left) == ("stopped", 3, set())


@pytest.fixture
def held(new_argo: NewArgo, images: Mapping[str, str], tmp_path: Path) -> tuple[Argo, Path]:
    """Deploy a solution by a workflow that holds it."""
    argo, bundle = new_argo(), argo_runs.sample("code-breaker", images, tmp_path / "bundle", mode="persistent")
    submitted = argo.script(bundle, "submit")
    assert submitted.status == 0, submitted
    argo.eventually("hold", "Running")
    return argo, bundle


def deployed(argo: Argo) -> set[str]:
    """Return what a workflow has deployed."""
    return {identity(each) for each in argo.kubectl.objects("deployments.apps,services")}


def test_what_a_stopped_workflow_deployed_is_torn_down(held: tuple[Argo, Path]) -> None:
    argo, bundle = held

    before = deployed(argo)
    stopped = argo.script(bundle, "stop")
    watched = argo.script(bundle, "watch")

    phases = {name: task.phase for name, task in argo.tasks().items()}
    assert {"Deployment/orchestrator", "Deployment/player", "Service/player"} <= before
    assert (stopped.status, watched.status, argo.status()["phase"]) == (0, 1, "Failed")
    assert phases == {
        "deploy": "Succeeded",
        "hold": "Failed",
        "onExit/teardown": "Succeeded",
        "onExit/report": "Succeeded",
    }
    assert deployed(argo) == set()


def test_what_a_terminated_workflow_deployed_goes_with_it(held: tuple[Argo, Path]) -> None:
    """Argo runs no exit handler then."""
    argo, bundle = held

    stopped = argo.script(bundle, "stop", "--terminate")
    argo.script(bundle, "watch")
    phases = {name: task.phase for name, task in argo.tasks().items()}
    before = deployed(argo)
    deleted = argo.script(bundle, "delete")

    assert (stopped.status, deleted.status) == (0, 0)
    assert phases == {"deploy": "Succeeded", "hold": "Failed"}
    assert "Deployment/player" in before
    assert argo.left() == set()


@pytest.fixture(scope="module")
def jobs(
    new_argo: NewArgo, images: Mapping[str, str], programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """Carry out nodes that run to completion, one after the other, around a shared folder."""
    desk = tmp_path_factory.mktemp("jobs")
    nodes = [{"container_name": name, "image": "slipway/sample-seed:1"} for name in ("load", "train", "tell")]
    blueprint = {"name": "jobs", "version": "1", "nodes": nodes}
    files = SolutionFiles("jobs", json.dumps(blueprint).encode(), shared_folder_paths=("/data",))
    bundle = argo_runs.bundle(files, images, desk / "bundle")
    return argo_runs.carried_out(new_argo(), bundle), argo_runs.dry_run(bundle, programs, desk / "kept")


def test_jobs_run_one_after_the_other(jobs: Both) -> None:
    run, dry = jobs

    times = [(run.tasks[name].started, run.tasks[name].finished) for name in ("prepare", "load", "train", "tell")]
    flat = [moment for both in times for moment in both]
    assert run.status["phase"] == "Succeeded", run.submitted
    assert run.statuses() == dry.statuses()
    assert flat == sorted(flat)
    assert [len(logged(run.logs, name, "seed_written")) for name in ("load", "train", "tell")] == [1, 1, 1]


@pytest.fixture(scope="module")
def repository(new_argo: NewArgo, tmp_path_factory: pytest.TempPathFactory) -> Argo:
    """Return a namespace with a repository for artifacts."""
    argo = new_argo()
    argo_artifacts.start(argo.kubectl, argo_artifacts.image(tmp_path_factory.mktemp("s3")))
    return argo


@pytest.fixture(scope="module")
def calculator(
    repository: Argo, images: Mapping[str, str], programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Both:
    """Carry out a diamond with a Splitter and a Collator, each operation as a task."""
    desk = tmp_path_factory.mktemp("calculator")
    artifacts = {"key": argo_artifacts.KEY}
    bundle = argo_runs.sample("calculator", images, desk / "bundle", mode="steps", artifacts=artifacts)
    return argo_runs.carried_out(repository, bundle), argo_runs.dry_run(bundle, programs, desk / "kept")


def test_artifacts_are_messages_of_their_types(calculator: Both, repository: Argo, tmp_path: Path) -> None:
    run, _ = calculator
    stored = argo_artifacts.stored(repository.kubectl)
    file = tmp_path / "drawn.binpb"
    file.write_bytes(stored["numbers-draw-to-splitter1-split.binpb"])

    pairs = argo_runs.decoded(run.bundle, "Pair", file)

    assert sorted(stored) == [
        "adder-add-to-collator1-collate.binpb",
        "collator1-collate-to-printer-show.binpb",
        "multiplier-multiply-to-collator1-collate.binpb",
        "numbers-draw-to-splitter1-split.binpb",
        "splitter1-split-to-adder-add.binpb",
        "splitter1-split-to-multiplier-multiply.binpb",
    ]
    assert len(pairs) == 10
    assert pairs[0] == {"number": "1", "left": 18.0, "right": 73.0}


def test_steps_come_to_the_same_as_their_dry_run(calculator: Both) -> None:
    run, dry = calculator

    assert run.status["phase"] == "Succeeded", run.submitted
    shown = logged(run.logs, "printer-show.node", "results_shown")
    assert run.statuses() == dry.statuses()
    assert shown == logged(dry.logs, "printer-show.node", "results_shown")
    assert len(shown) == 10


def test_a_step_with_the_same_messages_is_not_run_again(
    repository: Argo, images: Mapping[str, str], tmp_path: Path
) -> None:
    artifacts = {"key": argo_artifacts.KEY}
    bundle = argo_runs.sample("calculator", images, tmp_path / "bundle", mode="steps", artifacts=artifacts, caching={})
    before = repository.there()

    submitted = [repository.script(bundle, "submit", "--watch") for _ in range(2)]

    nodes = repository.status()["nodes"].values()
    caches = {name for name in repository.there() if "-cache-" in name}
    deleted = repository.script(bundle, "delete")
    hits = {node["displayName"] for node in nodes if node.get("memoizationStatus", {}).get("hit")}
    assert [each.status for each in submitted] == [0, 0], submitted
    assert hits == {"splitter1-split", "adder-add", "multiplier-multiply", "collator1-collate"}
    assert (len(caches), deleted.status, repository.left(before)) == (4, 0, set()), deleted
