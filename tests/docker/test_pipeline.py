"""A pipeline of sample images and the orchestrator's image: its messages arrive."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.containers import STRICT, call, docker, image, published, wait_until
from support.solutions import ROOT

pytestmark = pytest.mark.usefixtures("images")

Start = Callable[..., str]
NODES = ("sensor", "detector", "dashboard")
ARRIVE_SECONDS = 60


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts a confined container under a name in a network of this test's own."""
    network = f"slipway-test-pipeline-{os.getpid()}"
    docker("network", "create", network)
    started: list[str] = []

    def run(name: str, image_name: str, *arguments: str) -> str:
        options = ["--network", network, "--network-alias", name, *STRICT, *arguments]
        started.append(docker("run", "--detach", *options, image_name))
        return started[-1]

    yield run
    for container in started:
        docker("rm", "--force", "--volumes", container)
    docker("network", "rm", network)


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Lay a sample's pipeline down as a bundle's ConfigMap does, with the addresses that nodes have here."""
    folder = tmp_path / "pipeline"
    shutil.copytree(ROOT / "samples" / "sensor-stream" / "microservice", folder)
    shutil.copy(ROOT / "samples" / "sensor-stream" / "blueprint.json", folder)
    addresses = [{"container_name": name, "ip_address": name, "port": "8061"} for name in NODES]
    (folder / "dockerinfo.json").write_text(json.dumps({"docker_info_list": addresses}))
    folder.chmod(0o755)  # the orchestrator is somebody else
    return folder


def test_messages_pass_through_the_orchestrator_to_the_sink(start: Start, pipeline: Path) -> None:
    for node in ("sensor", "detector"):
        start(node, image(node))
    dashboard = start("dashboard", image("dashboard"), "--publish", "127.0.0.1::8062")
    start(
        "orchestrator",
        image("orchestrator"),
        *("--volume", f"{pipeline}:/etc/slipway/pipeline:ro"),
        *(
            "--env",
            "SLIPWAY_PIPELINE_DIRECTORY=/etc/slipway/pipeline",
            "--env",
            f"SLIPWAY_NODE_HOSTS={','.join(NODES)}",
        ),
    )
    url = published(dashboard, 8062)

    wait_until(lambda: readings(url) >= 3, what="readings arrive", seconds=ARRIVE_SECONDS)


def readings(url: str) -> int:
    """Return how many readings the page has; none while nobody listens yet."""
    try:
        return len(call("GET", f"{url}/readings.json").json())
    except OSError:
        return 0
