"""The service as it runs: real settings, a real solution in a folder, a real bundle over HTTP; and the command line."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from support import tokens
from support.service import bearer
from support.solutions import ROOT

from services.kubeflow.__main__ import prepare
from services.kubeflow.app import create_app
from shared import settings
from shared.errors import SettingsError
from shared.persistence.select import open_persistence, open_stored
from shared.solution import Ids
from shared.tokens import Verifier
from shared.web.deployer_service import DeployerSettings
from slipway.__main__ import main

IMAGE = "registry.example.org/slipway/orchestrator:1"


def loaded(root: Path, **environ: str) -> DeployerSettings:
    given = {"SLIPWAY_JWT_SECRET": tokens.SECRET, "SLIPWAY_PERSISTENCE": f"folder:{root}"}
    return settings.load(DeployerSettings, {**given, "SLIPWAY_ORCHESTRATOR_IMAGE": IMAGE, **environ})


def test_a_stored_pipeline_becomes_a_pipeline_over_http(tmp_path: Path):
    chosen = loaded(tmp_path)
    folder = ROOT / "samples" / "calculator"
    paths = [folder / "blueprint.json", *sorted(folder.glob("microservice/*.proto"))]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    ids = Ids.parse("calculator", "r1")
    open_stored(chosen.persistence).add(
        ids, files, owner="ada@example.org", name="Calculator", public=False, created="2026-01-01T00:00:00Z"
    )
    verifier = Verifier(chosen.tokens, now=lambda: tokens.NOW)
    client = create_app(chosen, persistence=open_persistence(chosen.persistence), verifier=verifier).test_client()

    asked = {"solutionId": "calculator", "revisionId": "r1", "options": {"release": "2.18"}}
    answer = client.post("/v1/bundles", headers=bearer(), json=asked)

    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {"kubeflow/pipeline.yaml", "pipeline.binpb", "kubeflow-script.py", "README.md"} <= set(
            archive.namelist()
        )
        assert json.loads(archive.read("bundle.json"))["deployer"] == "kubeflow"
        assert IMAGE.encode() in archive.read("kubeflow/pipeline.yaml")


def test_a_mode_that_cannot_work_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    target = tmp_path / "solution.zip"
    command = ["build", "kubeflow", str(ROOT / "samples" / "calculator"), "--option", "mode=steps", "-o", str(target)]

    assert main(command) == 2
    assert "no node can stand beside a task before Kubeflow Pipelines 2.18" in capsys.readouterr().err
    assert not target.exists()


def test_the_command_line_builds_pipelines(tmp_path: Path):
    target = tmp_path / "solution.zip"

    assert main(["build", "kubeflow", str(ROOT / "samples" / "sensor-stream"), "-o", str(target)]) == 0

    with zipfile.ZipFile(target) as archive:
        assert b"comp-teardown" in archive.read("kubeflow/pipeline.yaml")


def test_the_service_does_not_start_without_an_orchestrator(tmp_path: Path):
    with pytest.raises(SettingsError, match="SLIPWAY_ORCHESTRATOR_IMAGE: required"):
        loaded(tmp_path, SLIPWAY_ORCHESTRATOR_IMAGE="")


def test_what_is_prepared_makes_an_application(tmp_path: Path):
    assert prepare(loaded(tmp_path))().test_client().get("/healthz").status_code == 200
