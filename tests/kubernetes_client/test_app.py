"""The service as it runs: real settings, real solutions in a folder, real bundles over HTTP."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from support import tokens
from support.service import bearer
from support.solutions import ROOT
from support.tokens import claims, token

from kubernetes_client.__main__ import prepare
from kubernetes_client.app import create_app
from shared import settings
from shared.bundle import digest
from shared.errors import SettingsError
from shared.persistence.select import open_persistence, open_stored
from shared.solution import Ids
from shared.tokens import Verifier
from shared.web.deployer_service import DeployerSettings as Settings

IMAGE = "registry.example.org/slipway/orchestrator:1"
EVE = bearer(token(claims(mlpuser={"email": "eve@example.org"})))


def sample(name: str) -> dict[str, bytes]:
    """Return the files of one of our samples as somebody would upload them."""
    folder = ROOT / "samples" / name
    paths = [folder / "blueprint.json", *sorted(folder.glob("microservice/*.proto"))]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def loaded(root: Path, **environ: str) -> Settings:
    return settings.load(
        Settings,
        {
            "SLIPWAY_JWT_SECRET": tokens.SECRET,
            "SLIPWAY_PERSISTENCE": f"folder:{root}",
            "SLIPWAY_ORCHESTRATOR_IMAGE": IMAGE,
            **environ,
        },
    )


def client(root: Path, **environ: str) -> FlaskClient:
    """Return a client of the service over `root`, filled with ada's private and her public pipeline."""
    chosen = loaded(root, **environ)
    for name, public in (("private", False), ("public", True)):
        open_stored(chosen.persistence).add(
            Ids.parse(name, "r1"),
            sample("sensor-stream"),
            owner="ada@example.org",
            name="Sensor stream",
            public=public,
            created="2026-01-01T00:00:00Z",
        )
    verifier = Verifier(chosen.tokens, now=lambda: tokens.NOW)
    return create_app(chosen, persistence=open_persistence(chosen.persistence), verifier=verifier).test_client()


def test_a_stored_pipeline_becomes_a_bundle_that_holds_together(tmp_path: Path):
    answer = client(tmp_path).post(
        "/v1/bundles", headers=bearer(), json={"solutionId": "private", "revisionId": "r1", "options": {}}
    )

    assert (answer.status_code, answer.headers["Slipway-Findings"]) == (200, "errors=0, warnings=0")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        manifest = json.loads(archive.read("bundle.json"))
        assert {"blueprint.json", "dockerinfo.json", "kustomization.yaml", "report.json"} <= set(archive.namelist())
        assert IMAGE.encode() in archive.read("deployments/orchestrator_deployment.yaml")
    assert manifest["digest"] == digest(manifest["files"]) == answer.headers["Slipway-Bundle-Digest"]
    assert (manifest["deployer"], manifest["solutionId"]) == ("kubernetes-client", "private")


def test_options_that_the_deployer_does_not_know_are_refused(tmp_path: Path):
    asked = {"solutionId": "private", "revisionId": "r1", "options": {"hostNetwork": True}}

    assert client(tmp_path).post("/v1/bundles", headers=bearer(), json=asked).status_code == 422


@pytest.mark.parametrize(("solution_id", "status"), [("private", 404), ("public", 200), ("unknown", 404)])
def test_another_user_gets_what_is_public_only(tmp_path: Path, solution_id: str, status: int):
    asked = {"solutionId": solution_id, "revisionId": "r1"}

    assert client(tmp_path).post("/v1/bundles", headers=EVE, json=asked).status_code == status


@pytest.mark.parametrize(("solution_id", "status"), [("private", 404), ("public", 200), ("by-hand", 404)])
def test_a_visitor_without_a_token_gets_what_is_public_only(tmp_path: Path, solution_id: str, status: int):
    for path, data in sample("sensor-stream").items():
        (tmp_path / "by-hand" / "r1" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "by-hand" / "r1" / path).write_bytes(data)

    answer = client(tmp_path, SLIPWAY_COMPAT="graphene,anonymous-download").get(f"/getSolutionZip/{solution_id}/r1")

    assert answer.status_code == status


def test_the_service_is_ready_over_its_folder(tmp_path: Path):
    assert client(tmp_path).get("/readyz").status_code == 200


def test_the_service_says_when_its_folder_is_gone(tmp_path: Path):
    running = client(tmp_path / "solutions")
    (tmp_path / "solutions").rename(tmp_path / "elsewhere")

    answer = running.get("/readyz")

    assert (answer.status_code, list(answer.json["missing"])) == (503, ["persistence"])


def test_every_option_is_described(tmp_path: Path):
    answer = client(tmp_path).get("/v1/deployer", headers=bearer())

    assert answer.json["name"] == "kubernetes-client"
    assert "sharedFolder" in json.dumps(answer.json["options"])


def test_the_service_does_not_start_without_an_orchestrator(tmp_path: Path):
    with pytest.raises(SettingsError, match="SLIPWAY_ORCHESTRATOR_IMAGE: required"):
        loaded(tmp_path, SLIPWAY_ORCHESTRATOR_IMAGE="")


def test_the_service_does_not_start_with_an_image_that_nobody_can_pull(tmp_path: Path):
    with pytest.raises(SettingsError, match="SLIPWAY_ORCHESTRATOR_IMAGE: expected an image reference"):
        loaded(tmp_path, SLIPWAY_ORCHESTRATOR_IMAGE="bad image")


def test_the_settings_do_not_show_their_secrets(tmp_path: Path):
    assert tokens.SECRET not in repr(loaded(tmp_path))


def test_the_keys_are_checked_before_the_first_request(tmp_path: Path):
    chosen = loaded(tmp_path, SLIPWAY_JWT_SECRET="", SLIPWAY_JWKS=str(tmp_path / "none.json"))

    with pytest.raises(SettingsError, match="SLIPWAY_JWKS"):
        prepare(chosen)


def test_what_is_prepared_makes_an_application(tmp_path: Path):
    assert prepare(loaded(tmp_path))().test_client().get("/healthz").status_code == 200


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *code.split(" ", 1)],
        env={"PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_start_without_settings_ends_with_2_and_names_them():
    ended = run("-m kubernetes_client")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(
        "slipway-kubernetes-client: SLIPWAY_JWT_SECRET, SLIPWAY_JWKS: set exactly one of them; "
    )


def test_the_service_over_a_folder_carries_no_client_that_it_does_not_need():
    ended = run(
        "-c import sys, kubernetes_client.__main__;"
        "print(sorted({'boto3', 'botocore', 'grpc', 'requests', 'google.protobuf', 'lightkube'} & set(sys.modules)))"
    )

    assert (ended.stdout, ended.returncode) == ("[]\n", 0)
