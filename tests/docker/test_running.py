"""Every image run as strictly as a cluster may confine it: read-only root, no capability, no network. It works, and ends when told to."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.containers import NODES, SERVICES, STRICT, docker, image, inspect, python, run, wait_until

pytestmark = pytest.mark.usefixtures("images")

JOBS = ("seed",)
SERVERS = tuple(name for name in NODES if name not in JOBS)
ALONE = (*STRICT, "--network", "none")
HEALTHY_SECONDS = 90  # all of them start at once
STOP_SECONDS = 30
# The least that a service needs to start, and the nodes around a shared folder.
VARIABLES = {
    "SLIPWAY_JWT_SECRET": "x" * 32,
    "SLIPWAY_CATALOG_STORE": "folder:/tmp/solutions",
    "SLIPWAY_CATALOG_CDS_USER": "slipway",
    "SLIPWAY_CATALOG_CDS_PASSWORD": "y" * 32,
    "SLIPWAY_PERSISTENCE": "folder:/tmp",
    "SLIPWAY_ORCHESTRATOR_IMAGE": "slipway/orchestrator:1",
    "SLIPWAY_PLAYGROUND_URL": "http://playground.example.org",
    "SLIPWAY_PLAYGROUND_KEY": "z" * 32,
    "SLIPWAY_PLAYGROUND_RUNTIME": "process:/tmp/playground",
    "SHARED_FOLDER_PATH": "/tmp",
}


# What an operator has laid into its folder: without a cluster, the playground runs what a table names.
TABLE = """
import os, pathlib
folder = pathlib.Path("/tmp/playground")
folder.mkdir()
(folder / "images.json").write_text('{"images": {}}')
os.execv("/app/bin/service", ["/app/bin/service"])
"""
PREPARED = {"playground": ("/app/bin/python", "-c", TABLE)}


@pytest.fixture(scope="session")
def containers(images: None) -> Iterator[dict[str, str]]:  # noqa: ARG001 - they have to be there
    """Start everything that serves, each alone; return the containers by name."""
    settings = [part for name, value in VARIABLES.items() for part in ("--env", f"{name}={value}")]
    started = {
        name: docker("run", "--detach", *ALONE, "--health-interval", "1s", *settings, *as_prepared(name))
        for name in (*SERVICES, *SERVERS)
    }
    yield started
    docker("rm", "--force", "--volumes", *started.values())


def as_prepared(name: str) -> tuple[str, ...]:
    """Return the image, and what it runs where that is more than the image says."""
    if name not in PREPARED:
        return (image(name),)
    program, *arguments = PREPARED[name]
    return ("--entrypoint", program, image(name), *arguments)


@pytest.fixture(scope="session")
def health(containers: dict[str, str]) -> dict[str, str]:
    """Wait until nothing is still starting; return the state of each."""

    def state(container: str) -> str:
        return str(inspect(container)["State"]["Health"]["Status"])

    def settled() -> bool:
        return "starting" not in {state(container) for container in containers.values()}

    wait_until(settled, what="every container is healthy or not", seconds=HEALTHY_SECONDS)
    return {name: state(container) for name, container in containers.items()}


@pytest.fixture(scope="session")
def endings(containers: dict[str, str], health: dict[str, str]) -> dict[str, tuple[int, float]]:  # noqa: ARG001 - after it
    """Tell everything to end; return exit status and seconds of each."""

    def stop(container: str) -> tuple[int, float]:
        start = time.monotonic()
        docker("stop", "--time", str(STOP_SECONDS), container)
        return inspect(container)["State"]["ExitCode"], time.monotonic() - start

    with ThreadPoolExecutor(4) as threads:
        return dict(zip(containers, threads.map(stop, containers.values()), strict=True))


@pytest.mark.parametrize("name", [*SERVICES, *SERVERS])
def test_it_is_healthy_with_a_read_only_root_and_no_capabilities(name: str, health: dict[str, str]) -> None:
    assert health[name] == "healthy"


@pytest.mark.parametrize("name", [*SERVICES, *SERVERS])
def test_it_ends_by_itself_when_it_is_told_to(name: str, endings: dict[str, tuple[int, float]]) -> None:
    status, seconds = endings[name]

    assert status == 0
    assert seconds < STOP_SECONDS


@pytest.mark.parametrize("name", JOBS)
def test_a_job_runs_to_its_end_with_a_read_only_root(name: str) -> None:
    ended = run("docker", "run", "--rm", *ALONE, "--env", "SHARED_FOLDER_PATH=/tmp", image(name))

    assert ended.status == 0, ended.output


@pytest.mark.parametrize(
    ("name", "found"), [*((name, r"refused|UNAVAILABLE") for name in SERVICES), ("adder", r"found none")]
)
def test_the_health_check_fails_where_nothing_answers(name: str, found: str) -> None:
    _, program, *arguments = inspect(image(name))["Config"]["Healthcheck"]["Test"]

    checked = run("docker", "run", "--rm", *ALONE, "--entrypoint", program, image(name), *arguments)

    assert checked.status == 1
    assert re.search(found, checked.output)


@pytest.mark.parametrize(
    "service", ["kubernetes-client", "argo", "kubeflow", "catalog", "playground", "playground-deployer"]
)
def test_a_service_without_its_settings_says_which(service: str) -> None:
    ended = run("docker", "run", "--rm", *ALONE, image(service))

    assert ended.status == 2
    assert "SLIPWAY_JWT_SECRET" in ended.output


@pytest.mark.parametrize(
    ("service", "brought"), [("orchestrator", ["grpc"]), ("catalog", ["flask", "gunicorn", "boto3", "nh3"])]
)
def test_a_service_brings_what_it_needs_and_no_more(service: str, brought: list[str]) -> None:
    program = (
        "import importlib.util, json;"
        "print(json.dumps([*filter(importlib.util.find_spec, ['flask', 'gunicorn', 'boto3', 'nh3', 'grpc'])]))"
    )

    assert python(service, program, *STRICT) == brought


def test_a_bundle_can_switch_on_the_traces_of_the_orchestrator() -> None:
    program = "import json; import orchestrator.tracing_export as traces; print(json.dumps(traces.__name__))"

    assert python("orchestrator", program, *STRICT) == "orchestrator.tracing_export"
