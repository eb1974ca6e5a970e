"""docker-compose.yml: the platform comes up confined and in order, keeps what it was given, and builds bundles."""

from __future__ import annotations

import http.cookiejar
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from support.compose import Platform, Times
from support.containers import call, docker, image, inspect, published, run, wait_until

from shared import archive
from shared.solution import Ids, RevisionId, SolutionId
from shared.version import VERSION
from slipway import samples

SERVICES = ("argo", "catalog", "kubeflow", "kubernetes-client", "playground", "playground-deployer")
IMAGES = ("argo", "catalog", "kubeflow", "kubernetes-client", "playground-samples", "playground-deployer")
# A part of what each deployer makes for download.
BUNDLES = {
    "argo": ("argo-script.py", "argo/workflow.yaml"),
    "kubeflow": ("kubeflow-script.py", "kubeflow/pipeline.yaml"),
    "kubernetes-client": ("kubernetes-client-script.py", "kustomization.yaml"),
}
every_service = pytest.mark.parametrize("service", SERVICES)
every_sample = pytest.mark.parametrize("sample", sorted(samples.samples()))
SENSORS = samples.samples()["sensor-stream"].files
SAMPLE_NAMES = ["calculator", "code-breaker", "sensor-stream", "sentiment", "word-count"]


@pytest.fixture(scope="session")
def with_samples(platform: Platform) -> str:
    """Upload the samples."""
    return platform.add_samples()


@pytest.fixture(scope="session")
def token(platform: Platform) -> str:
    """Return a token for all who need no more than one."""
    return platform.token()


@pytest.fixture(scope="session")
def newcomer(platform: Platform) -> tuple[urllib.request.OpenerDirector, str]:
    """Follow the link that comes with the samples; return the browser, and the text of the page that it leads to."""
    link = re.search(r"http://127\.0\.0\.1:0(/session\?code=\S+)", platform.add_samples())
    assert link
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(platform.catalog + link[1], timeout=30) as page:
        return browser, page.read().decode()


@pytest.fixture
def another_s3(platform: Platform) -> Iterator[str]:
    """Start something that is called like the S3 server in the platform's network; return that."""
    network = f"{platform.project}_default"
    name = f"slipway-test-another-s3-{os.getpid()}"
    docker(
        *("run", "--detach", "--name", name, "--network", network, "--network-alias", "s3"),
        *("--entrypoint", "sleep", image("catalog"), "300"),
    )
    yield network
    docker("rm", "--force", name)


def ids(name: str) -> Ids:
    """Return the ids of a solution's only revision."""
    return Ids(SolutionId(name), RevisionId(f"{name}-1"))


def test_compose_builds_what_it_starts(platform: Platform) -> None:
    built = platform.compose("build")

    labels = [
        inspect(f"slipway/{name}:{VERSION}")["Config"]["Labels"]["org.opencontainers.image.title"] for name in IMAGES
    ]
    assert built.status == 0, built.output
    assert labels == [
        "slipway-argo",
        "slipway-catalog",
        "slipway-kubeflow",
        "slipway-kubernetes-client",
        "slipway-playground",
        "slipway-playground-deployer",
    ]


@every_service
def test_a_service_is_healthy(platform: Platform, service: str) -> None:
    assert inspect(platform.container(service))["State"]["Health"]["Status"] == "healthy"


def test_each_starts_when_the_one_before_it_is_done_or_healthy(started: tuple[Platform, Mapping[str, Times]]) -> None:
    times = started[1]

    assert times["prepare"].ended < times["catalog"].started < times["kubernetes-client"].started
    assert times["prepare"].ended < times["playground"].started < times["playground-deployer"].started


@every_service
def test_a_service_is_ready_and_warns_of_nothing(platform: Platform, service: str) -> None:
    answer = call("GET", f"{published(platform.container(service), 8080)}/readyz")

    assert answer.json() == {"status": "ready", "missing": {}, "notices": {}}


@pytest.mark.parametrize("service", ["prepare", *SERVICES])
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

    assert {binding["HostIp"] for bindings in ports.values() for binding in bindings or ()} == {"127.0.0.1"}


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


def test_a_solution_is_uploaded_and_its_bundle_downloaded(platform: Platform) -> None:
    token = platform.token()
    assert platform.upload(ids("uploaded"), SENSORS, token=token) == 201

    answer = platform.bundle(ids("uploaded"), token=token)

    files = archive.read(answer.body)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Slipway-Findings"].startswith("errors=0,")
    assert {"kubernetes-client-script.py", "deployments/sensor_deployment.yaml", "microservice/sensor.proto"} <= set(
        files
    )
    assert b"slipway/orchestrator:" in files["deployments/orchestrator_deployment.yaml"]


@every_sample
@pytest.mark.parametrize("deployer", BUNDLES)
@pytest.mark.usefixtures("with_samples")
def test_the_bundle_of_a_sample_is_downloaded(platform: Platform, sample: str, deployer: str, token: str) -> None:
    options = samples.samples()[sample].options

    answer = platform.bundle(samples.revision(sample), options, token=token, deployer=deployer)

    assert (answer.status, answer.headers["Slipway-Findings"][:9]) == (200, "errors=0,")
    assert set(BUNDLES[deployer]) <= set(archive.read(answer.body))


@pytest.mark.usefixtures("with_samples")
def test_the_driver_of_a_workflow_is_in_the_orchestrators_image(platform: Platform, token: str) -> None:
    argo = platform.bundle(samples.revision("calculator"), token=token, deployer="argo")
    kubeflow = platform.bundle(samples.revision("calculator"), token=token, deployer="kubeflow")

    driver = image("orchestrator").encode()
    assert driver in archive.read(argo.body)["argo/workflow.yaml"]
    assert driver in archive.read(kubeflow.body)["kubeflow/pipeline.yaml"]
    assert docker("run", "--rm", "--entrypoint", "slipway-driver", image("orchestrator"), "--help").startswith("usage:")


@pytest.mark.parametrize("deployer", BUNDLES)
def test_a_button_of_the_page_gives_the_bundle_of_its_deployer(
    platform: Platform, newcomer: tuple[urllib.request.OpenerDirector, str], deployer: str
) -> None:
    browser, _ = newcomer
    place = f"{platform.catalog}/solutions/sensor-stream/sensor-stream-1"
    with browser.open(place, timeout=30) as page:
        text = page.read().decode()
    form = re.search(
        rf'action="(\S+/bundles/{deployer})">\s+<input type="hidden" name="csrf_token" value="([^"]+)"', text
    )
    assert form
    body = urllib.parse.urlencode({"csrf_token": form[2]}).encode()

    pressed = urllib.request.Request(platform.catalog + form[1], data=body, headers={"Origin": platform.catalog})  # noqa: S310
    with browser.open(pressed, timeout=60) as answer:
        files = archive.read(answer.read())

    assert answer.headers["Content-Disposition"] == f'attachment; filename="sensor-stream-{deployer}.zip"'
    assert set(BUNDLES[deployer]) <= set(files)


@pytest.mark.usefixtures("with_samples")
def test_a_sample_runs_on_the_playground(platform: Platform) -> None:
    token = platform.token()

    pressed = platform.press(samples.revision("sensor-stream"), token=token).json()

    def about(part: str = "") -> dict[str, Any]:
        url = f"{platform.playground}/v1/deployments/{pressed['deployment']}{part}"
        found: dict[str, Any] = call("GET", url, token=token).json()
        return found

    def messages() -> int:
        return sum(int(edge["messages"]) for edge in about("/statistics")["edges"] if edge["target"] == "dashboard")

    wait_until(lambda: about()["state"] == "ready", what="ready", seconds=120)
    wait_until(lambda: messages() > 0, what="messages at the sink", seconds=60)
    assert pressed["page"].partition("?")[0].endswith(f"/deployments/{pressed['deployment']}/visit")


def test_the_playground_runs_nothing_but_samples(platform: Platform) -> None:
    token = platform.token()
    foreign = {**SENSORS, "blueprint.json": SENSORS["blueprint.json"].replace(b"slipway/sample-sensor:1", b"miner:1")}
    assert platform.upload(ids("miner"), foreign, token=token) == 201

    refused = platform.press(ids("miner"), token=token)

    assert refused.status == 422
    assert "miner:1" in str(refused.json()["findings"])


def test_nobody_gets_a_bundle_without_a_token(platform: Platform) -> None:
    assert platform.bundle(ids("uploaded"), token="").status == 401
    assert platform.upload(ids("stranger"), SENSORS, token="") == 401


def test_a_newcomer_is_signed_in_to_a_page_with_the_samples(
    newcomer: tuple[urllib.request.OpenerDirector, str],
) -> None:
    _, text = newcomer

    assert [name for name in SAMPLE_NAMES if name in text] == SAMPLE_NAMES


def test_what_was_uploaded_outlives_the_containers(platform: Platform) -> None:
    token = platform.token()
    assert platform.upload(ids("kept"), SENSORS, token=token) == 201

    downed = platform.compose("down", "--timeout", "30")
    platform.start()

    assert downed.status == 0
    # The token too: the secret is made once.
    assert platform.upload(ids("kept"), SENSORS, token=token) == 200
    assert platform.bundle(ids("kept"), token=token).status == 200


def test_a_running_catalog_does_not_change_its_store(platform: Platform, another_s3: str) -> None:
    volume = f"{platform.project}_secrets:/secrets"

    refused = run(
        *("docker", "run", "--rm", "--network", another_s3, "--volume", volume),
        *("--entrypoint", "python", image("catalog"), "/app/prepare.py"),
    )

    chosen = platform.compose("exec", "-T", "catalog", "cat", "/secrets/store").output
    assert (refused.status, refused.output) == (
        1,
        "the catalog keeps solutions in folder:/data; run `docker compose down` before you change to s3://solutions\n",
    )
    assert chosen == "folder:/data"
