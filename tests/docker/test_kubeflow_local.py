"""An emitted package, executed by Kubeflow's own SDK on the Docker engine, with the real images of driver and nodes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bundles import sample_options
from support.containers import image, run
from support.environments import environment
from support.kubeflow_bundles import PIPELINE, objects
from support.solutions import ROOT, read

from services.kubeflow.generate import DEPLOYER
from shared.deployer import Assets, Images

HERE = Path(__file__).parent
ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@pytest.fixture
def network() -> Iterator[str]:
    """Give a network of its own, and remove it with what is left in it."""
    name = f"slipway-test-{uuid.uuid4().hex[:12]}"
    run("docker", "network", "create", name)
    yield name
    left = run("docker", "ps", "--all", "--quiet", "--filter", f"network={name}").output.split()
    if left:
        run("docker", "rm", "--force", *left)
    run("docker", "network", "rm", name)


def package(sample: str, folder: Path) -> Path:
    """Write the package of a sample, and its ConfigMaps as the files that pods would find."""
    options = DEPLOYER.parse_options({**sample_options(sample), "deadlines": {"start": 60}})
    assets = Assets({}, Images(orchestrator=image("orchestrator")))
    bundle = DEPLOYER.build(read(ROOT / "samples" / sample), options, assets)
    for path, each in objects(bundle).items():
        if each["kind"] == "ConfigMap":
            place = folder / "files" / ("bundle" if "configmap-bundle" in path else "pipeline")
            place.mkdir(parents=True, exist_ok=True)
            for name, text in each.get("data", {}).items():
                (place / name).write_text(text)
            for name, text in each.get("binaryData", {}).items():
                (place / name).write_bytes(base64.b64decode(text))
    (folder / "package.yaml").write_bytes(bundle.files[PIPELINE])
    return folder / "package.yaml"


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("sample", "seconds", "ends"),
    [
        ("code-breaker", 60, {"deploy": "SUCCESS", "orchestrate": "SUCCESS", "teardown": "SUCCESS"}),
        ("sensor-stream", 2, {"deploy": "SUCCESS", "orchestrate": "FAILURE", "teardown": "SUCCESS"}),
    ],
    ids=["success", "failure"],
)
def test_nodes_are_deployed_used_and_torn_down_however_it_went(
    tmp_path: Path, network: str, sample: str, seconds: int, ends: dict[str, str]
) -> None:
    python = environment("kfp-local", HERE / "kubeflow-requirements.txt") / "python"
    program = HERE / "kubeflow" / "run_local.py"
    file = package(sample, tmp_path)
    parameters = json.dumps({"run-seconds": seconds})

    command = [python, "-W", "ignore", program, file, tmp_path / "files", network, ENGINE, parameters]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    told = done.stdout + done.stderr
    for task, end in ends.items():
        assert any(task in line and f"{end}" in line and "finished" in line for line in told.splitlines()), told
    assert "removed 3" in told
    assert run("docker", "ps", "--quiet", "--filter", f"network={network}").output.strip() == ""
