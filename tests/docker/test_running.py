"""Every image run as strictly as a cluster may confine it: read-only root, no capability, no network. It works, and ends when told to."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from support.containers import NODES, SERVICES, STRICT, docker, image, inspect, python, run, wait_until

pytestmark = pytest.mark.usefixtures("images")

JOBS = ("seed",)
SERVERS = tuple(name for name in NODES if name not in JOBS)
ALONE = (*STRICT, "--network", "none")
AT_ONCE = 4
HEALTHY_SECONDS = 90
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


@dataclass(frozen=True, slots=True)
class Life:
    """What became of a container: its health once it had one, its exit status, and the seconds that its end took."""

    health: str
    status: int
    seconds: float


@pytest.fixture(scope="session")
def lives(images: None) -> dict[str, Life]:  # noqa: ARG001 - they have to be there
    """Run everything that serves, each alone and for as long as it takes to be healthy; return their lives by name."""
    names = [*SERVICES, *SERVERS]
    # Each is asked every second how it is, by a program that has to start: all at once, they would have no time to answer.
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(zip(names, threads.map(live, names), strict=True))


def live(name: str) -> Life:
    """Start a container, wait until it is healthy or not, and tell it to end."""
    settings = [part for variable, value in VARIABLES.items() for part in ("--env", f"{variable}={value}")]
    container = docker("run", "--detach", *ALONE, "--health-interval", "1s", *settings, *as_prepared(name))
    try:
        wait_until(lambda: health(container) != "starting", what=f"{name} is healthy or not", seconds=HEALTHY_SECONDS)
        found = health(container)
        start = time.monotonic()
        docker("stop", "--time", str(STOP_SECONDS), container)
        return Life(found, inspect(container)["State"]["ExitCode"], time.monotonic() - start)
    finally:
        docker("rm", "--force", "--volumes", container)


def health(container: str) -> str:
    """Return what the engine thinks of a container."""
    return str(inspect(container)["State"]["Health"]["Status"])


def as_prepared(name: str) -> tuple[str, ...]:
    """Return the image, and what it runs where that is more than the image says."""
    if name not in PREPARED:
        return (image(name),)
    program, *arguments = PREPARED[name]
    return ("--entrypoint", program, image(name), *arguments)


@pytest.mark.parametrize("name", [*SERVICES, *SERVERS])
def test_it_is_healthy_with_a_read_only_root_and_no_capabilities(name: str, lives: dict[str, Life]) -> None:
    assert lives[name].health == "healthy"


@pytest.mark.parametrize("name", [*SERVICES, *SERVERS])
def test_it_ends_by_itself_when_it_is_told_to(name: str, lives: dict[str, Life]) -> None:
    assert lives[name].status == 0
    assert lives[name].seconds < STOP_SECONDS


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
