"""The services as they run: real settings, a real solution in a folder, a real bundle over HTTP; and the command line."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support import tokens
from support.service import bearer
from support.solutions import ROOT

from shared import settings
from shared.errors import SettingsError
from shared.persistence.select import open_persistence, open_stored
from shared.solution import Ids
from shared.tokens import Verifier
from shared.web.deployer_service import DeployerSettings
from slipway.__main__ import main

IMAGE = "registry.example.org/slipway/orchestrator:1"
PACKAGES = {"argo": "argo/workflow.yaml", "kubeflow": "kubeflow/pipeline.yaml"}
every_deployer = pytest.mark.parametrize("name", PACKAGES)


def loaded(root: Path, **environ: str) -> DeployerSettings:
    given = {"SLIPWAY_JWT_SECRET": tokens.SECRET, "SLIPWAY_PERSISTENCE": f"folder:{root}"}
    return settings.load(DeployerSettings, {**given, "SLIPWAY_ORCHESTRATOR_IMAGE": IMAGE, **environ})


@pytest.mark.parametrize(("name", "options"), [("argo", {"mode": "steps"}), ("kubeflow", {"release": "2.18"})])
def test_a_stored_pipeline_becomes_a_package_over_http(name: str, options: dict[str, Any], tmp_path: Path):
    chosen = loaded(tmp_path)
    folder = ROOT / "samples" / "calculator"
    paths = [folder / "blueprint.json", *sorted(folder.glob("microservice/*.proto"))]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    open_stored(chosen.persistence).add(
        Ids.parse("calculator", "r1"),
        files,
        owner="ada@example.org",
        name="Calculator",
        public=False,
        created="2026-01-01T00:00:00Z",
    )
    verifier = Verifier(chosen.tokens, now=lambda: tokens.NOW)
    create_app = importlib.import_module(f"services.{name}.app").create_app
    client = create_app(chosen, persistence=open_persistence(chosen.persistence), verifier=verifier).test_client()

    asked = {"solutionId": "calculator", "revisionId": "r1", "options": options}
    answer = client.post("/v1/bundles", headers=bearer(), json=asked)

    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        expected = {PACKAGES[name], "pipeline.binpb", f"{name}-script.py", "README.md"}
        assert expected <= set(archive.namelist())
        assert json.loads(archive.read("bundle.json"))["deployer"] == name
        assert IMAGE.encode() in archive.read(PACKAGES[name])


@pytest.mark.parametrize(
    ("name", "sample", "told"),
    [
        ("argo", "sensor-stream", "found steps: sensor.sense streams"),
        ("kubeflow", "calculator", "no node can stand beside a task before Kubeflow Pipelines 2.18"),
    ],
)
def test_a_mode_that_cannot_work_is_refused_in_words(
    name: str, sample: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    target = tmp_path / "solution.zip"
    command = ["build", name, str(ROOT / "samples" / sample), "--option", "mode=steps", "-o", str(target)]

    assert main(command) == 2
    assert told in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(("name", "held"), [("argo", b"daemon: true"), ("kubeflow", b"comp-teardown")])
def test_the_command_line_builds_packages(name: str, held: bytes, tmp_path: Path):
    target = tmp_path / "solution.zip"

    assert main(["build", name, str(ROOT / "samples" / "sensor-stream"), "-o", str(target)]) == 0

    with zipfile.ZipFile(target) as archive:
        assert held in archive.read(PACKAGES[name])


def test_no_service_starts_without_an_orchestrator(tmp_path: Path):
    with pytest.raises(SettingsError, match="SLIPWAY_ORCHESTRATOR_IMAGE: required"):
        loaded(tmp_path, SLIPWAY_ORCHESTRATOR_IMAGE="")


@every_deployer
def test_what_is_prepared_makes_an_application(name: str, tmp_path: Path):
    prepare = importlib.import_module(f"services.{name}.__main__").prepare

    assert prepare(loaded(tmp_path))().test_client().get("/healthz").status_code == 200


def test_who_only_lists_deployers_needs_no_protobuf():
    code = (
        "import sys; from shared import deployer; deployer.installed();"
        "print(sorted({'google.protobuf', 'grpc_tools', 'flask', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"
