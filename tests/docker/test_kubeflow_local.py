"""An emitted package, executed by Kubeflow's own SDK on the Docker engine with the real images of driver and nodes; and on this machine alone."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from support import argo_bundles, kubeflow_local
from support.bundles import sample_options, unpack
from support.containers import docker, image
from support.dry_runs import processes_in
from support.kubeflow_local import LocalRun
from support.solutions import ROOT, read

from shared.bundle import Bundle
from shared.solution import SolutionFiles

pytestmark = pytest.mark.usefixtures("images")

Events = Mapping[str, list[dict[str, Any]]]
DRY_RUN_SECONDS = 120
MISSING = "slipway/sample-that-nobody-has-built:1"


@dataclass(frozen=True, slots=True)
class Case:
    """A sample of three nodes that ends by itself, and what shows that its messages got through."""

    sample: str
    variables: Mapping[str, Mapping[str, object]]
    node: str
    event: str
    expected: tuple[dict[str, object], ...]

    @property
    def options(self) -> dict[str, Any]:
        """Options of both deployers."""
        nodes = {node: {"environment": dict(each)} for node, each in self.variables.items()}
        return {**sample_options(self.sample), "nodes": nodes, "deadlines": {"start": 60}}

    def result(self, events: Events) -> list[dict[str, Any]]:
        """Return what the last node of a run has logged, without the times."""
        return [
            {name: value for name, value in each.items() if name not in {"time", "event"}}
            for each in events[self.node]
            if each["event"] == self.event
        ]


CASES = {
    "streams": Case(
        "sensor-stream",
        {"sensor": {"COUNT": 30, "INTERVAL_MS": 0, "SEED": 27}},
        "dashboard",
        "reading_shown",
        tuple({"number": number, "anomaly": number == 22} for number in range(1, 31)),
    ),
    "a cycle": Case(
        "code-breaker", {"player": {"SEED": 1}}, "player", "code_broken", ({"code": "2718", "guesses": 6},)
    ),
}


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """Give a network of its own, and remove it with what is left in it."""
    name = f"slipway-test-{uuid.uuid4().hex[:12]}"
    docker("network", "create", name)
    yield name
    left = containers(name)
    if left:
        docker("rm", "--force", *left)
    docker("network", "rm", name)


def containers(network: str) -> list[str]:
    """Return every container in a network."""
    return docker("ps", "--all", "--quiet", "--filter", f"network={network}").split()


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    """Give each case in turn."""
    return CASES[request.param]


@pytest.fixture(scope="module")
def package(case: Case) -> Bundle:
    """Build the Kubeflow bundle of the sample."""
    return kubeflow_local.built(files(case.sample), case.options)


@pytest.fixture(scope="module")
def completed(package: Bundle, network: str, tmp_path_factory: pytest.TempPathFactory) -> LocalRun:
    """Execute it."""
    return kubeflow_local.execute(package, tmp_path_factory.mktemp("completed"), network, {"run-seconds": 60})


def files(sample: str) -> SolutionFiles:
    """Return the files of a sample."""
    return read(ROOT / "samples" / sample)


def dry_run(bundle: Path, kept: Path, *more: str) -> tuple[int, dict[str, str], Events]:
    """Return exit status, the tasks' states and the nodes' events of `slipway dry-run`."""
    command = [sys.executable, "-m", "slipway", "dry-run", str(bundle), "--json", f"--keep={kept}", *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, timeout=DRY_RUN_SECONDS, check=False)
    states = {each["task"]: each["status"] for each in json.loads(done.stdout)["tasks"]}
    # A log is called after what the node belongs to, and the node.
    logs = {log.stem.rpartition(".")[2]: log.read_text(encoding="utf-8") for log in kept.glob("logs/*.log")}
    lines = {name: [line for line in text.splitlines() if line.startswith("{")] for name, text in logs.items()}
    return done.returncode, states, {name: [json.loads(line) for line in each] for name, each in lines.items()}


def test_every_task_of_a_run_that_completes_succeeds(completed: LocalRun) -> None:
    assert list(completed.tasks.items()) == [("deploy", "SUCCESS"), ("orchestrate", "SUCCESS"), ("teardown", "SUCCESS")]
    assert completed.pipeline == "SUCCESS", completed.log


def test_messages_travel_through_all_nodes_to_the_last_one(case: Case, completed: LocalRun) -> None:
    assert case.result(completed.events) == list(case.expected)


def test_the_images_of_all_nodes_are_deployed_and_torn_down(case: Case, completed: LocalRun, network: str) -> None:
    nodes = [each["container_name"] for each in json.loads(files(case.sample).blueprint or b"")["nodes"]]

    assert len(nodes) == 3
    assert completed.removed == {node: image(node) for node in nodes}
    assert containers(network) == []


def test_a_workflow_of_argo_has_the_same_result_in_a_dry_run(case: Case, completed: LocalRun, tmp_path: Path) -> None:
    bundle = argo_bundles.emitted(case.sample, tmp_path / "bundle", **case.options)

    status, states, events = dry_run(bundle, tmp_path / "kept", "--parameter=run-seconds=60")

    assert (status, states["pipeline"], states["onExit"]) == (0, "Succeeded", "Succeeded")
    assert case.result(events) == case.result(completed.events)


def test_the_package_itself_has_the_same_result_in_a_dry_run(
    case: Case, package: Bundle, completed: LocalRun, tmp_path: Path
) -> None:
    bundle = unpack(package, tmp_path / "bundle")

    status, states, events = dry_run(bundle, tmp_path / "kept", "--parameter=run-seconds=60")

    found = {name.rpartition("/")[2]: state.upper() for name, state in states.items() if not name.endswith("session")}
    assert status == 0
    assert found == {name: state.replace("SUCCESS", "SUCCEEDED") for name, state in completed.tasks.items()}
    assert case.result(events) == case.result(completed.events)


def test_a_run_that_fails_is_torn_down(network: str, tmp_path: Path) -> None:
    endless = kubeflow_local.built(files("sensor-stream"), {"deadlines": {"start": 60}})

    failed = kubeflow_local.execute(endless, tmp_path, network, {"run-seconds": 2})

    assert list(failed.tasks.items()) == [("deploy", "SUCCESS"), ("orchestrate", "FAILURE"), ("teardown", "SUCCESS")]
    assert failed.pipeline == "FAILURE"
    assert failed.log.count('"event": "run_started"') == 1  # what has begun is not begun again
    assert sorted(failed.removed) == ["dashboard", "detector", "sensor"]
    assert containers(network) == []


def test_a_workflow_of_argo_that_fails_so_leaves_nothing_either(tmp_path: Path) -> None:
    endless = argo_bundles.emitted("sensor-stream", tmp_path / "bundle", deadlines={"start": 60})

    status, states, _ = dry_run(endless, tmp_path / "kept", "--parameter=run-seconds=2")

    assert (status, states["pipeline/orchestrate"], states["pipeline"]) == (1, "Failed", "Failed")
    assert states["onExit"] == "Succeeded"
    assert processes_in(tmp_path / "kept") == []


def test_an_endless_run_succeeds_after_the_time_it_is_given(network: str, tmp_path: Path) -> None:
    endless = kubeflow_local.built(files("sensor-stream"), {"deadlines": {"start": 60}})

    ended = kubeflow_local.execute(endless, tmp_path, network, {"run-duration": 2})

    assert (ended.tasks["orchestrate"], ended.pipeline) == ("SUCCESS", "SUCCESS")
    assert [each["event"] for each in ended.events["dashboard"]].count("reading_shown") > 2


def test_what_was_deployed_before_a_node_could_not_be_is_torn_down(network: str, tmp_path: Path) -> None:
    sound = files("sensor-stream")
    unsound = replace(sound, blueprint=(sound.blueprint or b"").replace(b"slipway/sample-sensor:1", MISSING.encode()))
    bundle = kubeflow_local.built(unsound, {"deadlines": {"start": 60}, "retries": {"limit": 0}})

    failed = kubeflow_local.execute(bundle, tmp_path, network, {})

    assert list(failed.tasks.items()) == [("deploy", "FAILURE"), ("teardown", "SUCCESS")]
    assert failed.pipeline == "FAILURE"
    assert MISSING in failed.log
    assert sorted(failed.removed) == ["dashboard", "detector"]
    assert containers(network) == []
