"""The playground as its users have it: from the portal's button through real processes to real pods, and back to nothing.

A deployer and a server run beside the cluster, the server with the rights of its manifests. One deployment of streams
serves all tests but the last: each waits until messages flow there, and leaves it so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support import playground_cluster
from support.bundles import built, sample_options
from support.cluster import Kubectl
from support.images import ORCHESTRATOR, naming, renamed
from support.playground import ADA, KEY
from support.playground_cluster import Account
from support.playground_server import Server, eventually
from support.playground_visitor import Visitor, pushing
from support.solutions import ROOT, read

from shared import archive, settings
from shared.deployer import Assets, Images
from shared.persistence.select import PersistenceSettings, open_stored
from shared.processes import ports
from shared.solution import Ids, RevisionId, SolutionId
from slipway.samples import samples

STREAMS, TEXTS = "sensor-stream", "word-count"
FAST_MS = 20
# A reading every 200 ms at first: five messages a second on every edge.
SLOW_RATE, FAST_RATE = 10, 20


@pytest.fixture(scope="module")
def account(cluster: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with playground_cluster.account(cluster, Path(tmp_path_factory.mktemp("account"))) as made:
        yield made


@pytest.fixture(scope="module")
def server(
    account: Account,
    images: Mapping[str, str],
    real_node: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    (ui,) = ports.claimed(1)
    made = Server(
        tmp_path_factory.mktemp("server"),
        **account.environment(HELPER_IMAGE=images[ORCHESTRATOR], RUNTIME="kubernetes", KEY=KEY),
        SLIPWAY_DRAIN_SECONDS="0",
        SLIPWAY_PLAYGROUND_UI_BIND=f"127.0.0.1:{ui.port}",
        SLIPWAY_PLAYGROUND_UI_DOMAIN=f"localhost:{ui.port}",
    )
    with ui:
        eventually(lambda: made.status("/readyz") == 200)
        yield made
        made.stop()


@pytest.fixture(scope="module")
def deployer(server: Server, images: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("solutions")
    place = settings.load(PersistenceSettings, {"SLIPWAY_PERSISTENCE": f"folder:{folder}"})
    for name in (STREAMS, TEXTS):
        files = samples()[name].files
        open_stored(place).add(
            Ids.parse(name, "r1"),
            {**files, "blueprint.json": renamed(files["blueprint.json"], images)},
            owner=ADA,
            name=name,
            public=False,
            created="2026-01-01T00:00:00Z",
        )
    orchestrator = {"SLIPWAY_ORCHESTRATOR_IMAGE": images[ORCHESTRATOR]}
    with pushing(folder, server.url, tmp_path_factory.mktemp("deployer") / "log", **orchestrator) as url:
        yield url


@pytest.fixture(scope="module")
def pressed(server: Server, deployer: str) -> Visitor:
    visitor = Visitor.by_button(server, deployer, STREAMS, "r1")
    visitor.ready()
    return visitor


@pytest.fixture
def ada(pressed: Visitor) -> Visitor:
    pressed.flowing()
    return pressed


def faster(images: Mapping[str, str]) -> bytes:
    """Return the zip of another revision, whose sensor reads more often."""
    ids = Ids(SolutionId(STREAMS), RevisionId("r2"))
    files = naming(read(ROOT / "samples" / STREAMS, ids=ids), images)
    options = {"environment": {"INTERVAL_MS": str(FAST_MS)}}
    return archive.write(built(files, options, static=Assets({}, Images(orchestrator=images[ORCHESTRATOR]))).sealed)


def test_the_button_leads_to_a_page_that_shows_messages_flow(ada: Visitor, server: Server, deployer: str) -> None:
    again = Visitor.by_button(server, deployer, STREAMS, "r1")

    page = ada.page()
    drawn = ada.ask("/graph.svg").text

    assert (again.id, ada.about["owner"], ada.about["mine"]) == (ada.id, ADA, True)
    assert "/s</td>" in page
    assert page.count('<span class="light light-good">') >= 4
    assert all(name in drawn for name in ("sensor", "detector", "dashboard"))
    assert "reading_shown" in ada.log("dashboard")


def test_what_is_stopped_is_still_until_a_reset_begins_anew(ada: Visitor) -> None:
    current = ada.about["current"]

    stopped = ada.press("stop")
    ended = eventually(lambda: (run := ada.run())["state"] not in {"running", "draining"} and run)
    still = ada.page()
    reset = ada.press("reset")
    eventually(lambda: (run := ada.run()) and run["startedAt"] > ended["endedAt"])
    ada.flowing()

    assert (stopped.status_code, reset.status_code) == (303, 303)
    assert f'action="{ada.path}/run"' in still
    assert ada.about["current"] == current


def test_an_update_survives_the_death_of_the_server_and_can_be_rolled_back(
    ada: Visitor, server: Server, images: Mapping[str, str]
) -> None:
    first = ada.about["current"]

    updated = ada.press("update", {"bundle": ("solution.zip", faster(images), "application/zip")})
    server.kill(master=True, workers=True)
    server.start()
    eventually(lambda: server.status("/readyz") == 200)
    ada.ready(first + 1)
    ada.flowing(least=FAST_RATE)
    revisions = ada.about["revisions"]
    rolled_back = ada.press("rollback", revision=str(first))
    ada.ready(first + 2)
    ada.flowing(most=SLOW_RATE)

    assert (updated.status_code, rolled_back.status_code) == (303, 303)
    assert [each["revisionId"] for each in revisions[-2:]] == ["r1", "r2"]
    assert ada.about["revisions"][-1]["digest"] == revisions[-2]["digest"]


def test_a_web_ui_answers_under_a_host_of_its_own(ada: Visitor) -> None:
    shown = eventually(lambda: ada.web_ui("dashboard", "/readings.json").json())

    assert {"number", "sensor", "value"} <= set(shown[-1])
    assert ada.web_ui("dashboard", "/").headers["Content-Type"] == "text/html; charset=utf-8"


def test_files_reach_pods_and_come_back_and_a_delete_leaves_nothing(
    server: Server, deployer: str, cluster: Kubectl
) -> None:
    ada = Visitor.by_program(server, deployer, TEXTS, "r1", sample_options(TEXTS))
    ada.ready()
    counter = ("exec", "deployment/counter", "-n", ada.id, "--", "cat")

    uploaded = ada.press("shared-folder/", {"file": ("mine.txt", b"from my desk")})
    seen = cluster(*counter, "/data/shared/mine.txt")
    report = eventually(lambda: (answer := ada.ask("/shared-folder/report.json")).status_code == 200 and answer.json())
    careless = ada.press("delete")
    volumes = bound(cluster, ada.id)
    deleted = ada.press("delete", data="true")

    assert (uploaded.status_code, careless.status_code, deleted.status_code) == (303, 409, 303)
    assert seen == "from my desk"
    assert report
    assert len(volumes) == 1
    eventually(lambda: ada.ask().status_code == 404)
    eventually(lambda: cluster.run("get", "namespace", ada.id).status != 0)
    eventually(lambda: not bound(cluster, ada.id))


def bound(cluster: Kubectl, deployment: str) -> list[str]:
    """Return the volumes that the claims of a deployment have got."""
    found = json.loads(cluster("get", "persistentvolumes", "-o", "json"))["items"]
    claims = {each["metadata"]["name"]: each["spec"].get("claimRef", {}).get("namespace") for each in found}
    return [name for name, namespace in claims.items() if namespace == deployment]
