"""docker-compose.yml: the platform comes up confined and in order, keeps what it was given, and builds bundles."""

from __future__ import annotations

import http.cookiejar
import json
import re
import urllib.request
from typing import Any

import pytest
from support.compose import Platform
from support.containers import call, docker, inspect
from support.solutions import ROOT

from shared import archive

SERVICES = ("catalog", "kubernetes-client")
every_service = pytest.mark.parametrize("service", SERVICES)


def sample(name: str) -> bytes:
    """Return a sample as a user uploads it: its folder in a zip."""
    folder = ROOT / "samples" / name
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return archive.write({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def upload(platform: Platform, solution: str, revision: str, *, token: str) -> int:
    """Upload a sample under an id, and return the status of the answer."""
    url = f"{platform.catalog}/v1/solutions/{solution}/revisions/{revision}"
    return call("PUT", url, token=token, body=sample("sensor-stream"), content_type="application/zip").status


def ask(platform: Platform, solution: str, revision: str, *, token: str) -> Any:
    """Ask the deployer for a bundle."""
    body = json.dumps({"solutionId": solution, "revisionId": revision, "options": {}}).encode()
    return call("POST", f"{platform.deployer}/v1/bundles", token=token, body=body)


@every_service
def test_a_service_is_healthy(platform: Platform, service: str) -> None:
    assert inspect(platform.container(service))["State"]["Health"]["Status"] == "healthy"


def test_each_starts_when_the_one_before_it_is_healthy(platform: Platform) -> None:
    made = inspect(platform.container("secret"))["State"]["FinishedAt"]
    catalog = inspect(platform.container("catalog"))["State"]["StartedAt"]
    deployer = inspect(platform.container("kubernetes-client"))["State"]["StartedAt"]

    assert made < catalog < deployer


@every_service
def test_a_service_is_ready_and_warns_of_nothing(platform: Platform, service: str) -> None:
    url = platform.catalog if service == "catalog" else platform.deployer

    answer = call("GET", f"{url}/readyz")

    assert answer.json() == {"status": "ready", "missing": {}, "notices": {}}


@pytest.mark.parametrize("service", ["secret", *SERVICES])
def test_a_container_is_confined(platform: Platform, service: str) -> None:
    found = inspect(platform.container(service))
    host = found["HostConfig"]

    assert found["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["Privileged"], host["CapAdd"]) == (False, None)


@every_service
def test_a_port_is_open_to_this_machine_only(platform: Platform, service: str) -> None:
    ports = inspect(platform.container(service))["NetworkSettings"]["Ports"]

    assert [binding["HostIp"] for bindings in ports.values() for binding in bindings or ()] == ["127.0.0.1"]


def test_the_secret_is_a_file_that_only_its_services_read(platform: Platform) -> None:
    listed = platform.compose("exec", "-T", "catalog", "stat", "-c", "%a %u %s", "/secrets/development-secret").output
    secret = platform.compose("exec", "-T", "catalog", "cat", "/secrets/development-secret").output.strip()
    told = [docker("inspect", platform.container(service)) for service in SERVICES] + [platform.compose("logs").output]

    assert listed.strip() == "600 10001 64"
    assert len(secret) == 64
    assert not [text for text in told if secret in text]


@every_service
def test_a_service_cannot_change_the_secret(platform: Platform, service: str) -> None:
    tried = platform.compose("exec", "-T", service, "sh", "-c", "echo mine > /secrets/development-secret")

    assert tried.status != 0
    assert "Read-only file system" in tried.output


def test_a_sample_is_uploaded_and_its_bundle_downloaded(platform: Platform) -> None:
    token = platform.token()
    assert upload(platform, "uploaded", "uploaded-1", token=token) == 201

    answer = ask(platform, "uploaded", "uploaded-1", token=token)

    files = archive.read(answer.body)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Slipway-Findings"].startswith("errors=0,")
    assert {"kubernetes-client-script.py", "deployments/sensor_deployment.yaml", "microservice/sensor.proto"} <= set(
        files
    )
    assert b"slipway/orchestrator:" in files["deployments/orchestrator_deployment.yaml"]


def test_nobody_gets_a_bundle_without_a_token(platform: Platform) -> None:
    assert ask(platform, "uploaded", "uploaded-1", token="").status == 401
    assert upload(platform, "stranger", "stranger-1", token="") == 401


def test_a_newcomer_is_signed_in_to_a_page_with_the_samples(platform: Platform) -> None:
    filled = platform.compose("run", "--rm", "--no-TTY", "samples")
    link = re.search(r"http://127\.0\.0\.1:0(/session\?code=\S+)", filled.output)
    assert filled.status == 0
    assert link

    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(platform.catalog + link[1], timeout=30) as page:
        text = page.read().decode()

    assert [
        name for name in ("calculator", "code-breaker", "sensor-stream", "sentiment", "word-count") if name in text
    ] == [
        "calculator",
        "code-breaker",
        "sensor-stream",
        "sentiment",
        "word-count",
    ]


def test_what_was_uploaded_outlives_the_containers(platform: Platform) -> None:
    token = platform.token()
    assert upload(platform, "kept", "kept-1", token=token) == 201

    downed = platform.compose("down", "--timeout", "30")
    platform.start()

    assert downed.status == 0
    # The token too: the secret is made once.
    assert upload(platform, "kept", "kept-1", token=token) == 200
    assert ask(platform, "kept", "kept-1", token=token).status == 200
