"""docker-compose.yml with the profile `s3`: the catalog keeps solutions in an S3 server, which keeps them in a volume."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from support.compose import Platform, Times
from support.containers import call, docker, inspect, wait_until

from shared import archive
from shared.solution import Ids, RevisionId, SolutionId
from slipway import samples

SERVICES = ("s3", "catalog", "kubernetes-client")
SAMPLES = samples.samples()
CREDENTIALS = "/secrets/credentials"
READY_SECONDS = 30  # what an answer of readyz is kept for, and a reconnect


def ready(platform: Platform) -> dict[str, object]:
    """Return what the catalog says of its readiness."""
    answer: dict[str, object] = call("GET", f"{platform.catalog}/readyz").json()
    return answer


def in_catalog(platform: Platform, program: str) -> object:
    """Run a program in the catalog's container, as a service there; return the JSON that it prints."""
    ended = platform.compose("exec", "-T", "catalog", "python", "-c", program)
    assert ended.status == 0, ended.output
    return json.loads(ended.output)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_healthy(platform_on_s3: Platform, service: str) -> None:
    assert inspect(platform_on_s3.container(service))["State"]["Health"]["Status"] == "healthy"


def test_each_starts_when_the_one_before_it_is_done_or_healthy(
    started_on_s3: tuple[Platform, Mapping[str, Times]],
) -> None:
    times = started_on_s3[1]

    assert times["s3-key"].ended < times["s3"].started < times["prepare"].started
    assert times["prepare"].ended < times["catalog"].started < times["kubernetes-client"].started


@pytest.mark.parametrize("service", ["s3-key", "s3"])
def test_a_container_is_confined(platform_on_s3: Platform, service: str) -> None:
    found = inspect(platform_on_s3.container(service))
    host = found["HostConfig"]

    assert found["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["Privileged"], host["CapAdd"], host["PortBindings"]) == (False, None, {})


def test_the_key_is_a_file_of_the_server_and_the_catalog(platform_on_s3: Platform) -> None:
    key = platform_on_s3.compose("exec", "-T", "s3", "cat", CREDENTIALS).output.split()[-1]
    told = [docker("inspect", platform_on_s3.container(service)) for service in SERVICES]
    mounted = {
        service: {mount["Name"].rpartition("_")[2] for mount in inspect(platform_on_s3.container(service))["Mounts"]}
        for service in SERVICES
    }

    assert len(key) == 40
    assert not [text for text in [*told, platform_on_s3.compose("logs").output] if key in text]
    assert mounted == {
        "s3": {"objects", "s3-key"},
        "catalog": {"solutions", "secrets", "s3-key"},
        "kubernetes-client": {"secrets"},
    }


def test_the_catalog_is_ready_and_warns_of_nothing(platform_on_s3: Platform) -> None:
    assert ready(platform_on_s3) == {"status": "ready", "missing": {}, "notices": {}}


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_a_sample_is_uploaded_and_its_bundle_downloaded(platform_on_s3: Platform, sample: str) -> None:
    token = platform_on_s3.token()
    assert platform_on_s3.upload(samples.revision(sample), SAMPLES[sample].files, token=token) == 201

    answer = platform_on_s3.bundle(samples.revision(sample), SAMPLES[sample].options, token=token)

    assert (answer.status, answer.headers["Slipway-Findings"][:9]) == (200, "errors=0,")
    assert "kubernetes-client-script.py" in archive.read(answer.body)


def test_solutions_outlive_the_containers_in_the_volume_of_the_server(platform_on_s3: Platform) -> None:
    kept = Ids(SolutionId("kept"), RevisionId("kept-1"))
    files = SAMPLES["sensor-stream"].files
    token = platform_on_s3.token()
    assert platform_on_s3.upload(kept, files, token=token) == 201

    downed = platform_on_s3.compose("down", "--timeout", "30")
    platform_on_s3.start()

    assert downed.status == 0
    assert platform_on_s3.upload(kept, files, token=token) == 200
    assert platform_on_s3.bundle(kept, token=token).status == 200
    assert "kept" in platform_on_s3.compose("exec", "-T", "s3", "ls", "/data/solutions").output.split()
    assert platform_on_s3.compose("exec", "-T", "catalog", "ls", "-A", "/data").output == ""


def test_a_catalog_whose_server_is_gone_says_so_and_recovers(platform_on_s3: Platform) -> None:
    assert platform_on_s3.compose("stop", "--timeout", "5", "s3").status == 0
    wait_until(
        lambda: ready(platform_on_s3)["missing"] == {"store": "s3: failed: EndpointConnectionError"},
        what="the catalog misses its store",
        seconds=READY_SECONDS,
    )
    healthy = call("GET", f"{platform_on_s3.catalog}/healthz").status

    platform_on_s3.start()

    wait_until(lambda: ready(platform_on_s3)["status"] == "ready", what="the catalog is ready", seconds=READY_SECONDS)
    assert healthy == 200


def test_of_many_writers_at_once_one_wins(platform_on_s3: Platform) -> None:
    program = (
        "import json; from concurrent.futures import ThreadPoolExecutor; from shared.persistence.s3 import S3Store\n"
        "store = S3Store('solutions', 'test', endpoint_url='http://s3:7070')\n"
        "with ThreadPoolExecutor(16) as threads:\n"
        "    rounds = [list(threads.map(lambda n: store.put_new(f'race/{key}', b'%d' % n), range(16))) for key in range(20)]\n"
        "kept = [int(store.get(f'race/{key}', most_bytes=9)) for key in range(20)]\n"
        "print(json.dumps([[[n for n, won in enumerate(each) if won] for each in rounds], kept]))"
    )

    winners, kept = in_catalog(platform_on_s3, program)  # type: ignore[misc]

    assert winners == [[number] for number in kept]
    assert len(kept) == 20


def test_more_keys_than_one_answer_holds_are_listed(platform_on_s3: Platform) -> None:
    program = (
        "import json; from shared.persistence.s3 import S3Store\n"
        "store = S3Store('solutions', 'test', endpoint_url='http://s3:7070')\n"
        "store.put_all({f'many/{number}': b'x' for number in range(1001)})\n"
        "print(json.dumps(store.keys('many/')))"
    )

    assert in_catalog(platform_on_s3, program) == {f"many/{number}": 1 for number in range(1001)}
