"""Loading from a marketplace, over real HTTP, from the recorded answers of a real one and from solutions made here."""

from __future__ import annotations

import gc
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from support.cds_server import Answer, CdsServer
from support.leaks import leaked_since, open_things
from support.marketplace import (
    ENTITY_OWNER,
    ENTITY_PROTO_PATH,
    ENTITY_RECOGNIZER,
    MADE_ENTITY_PROTO,
    NEWS_OWNER,
    NEWS_TRAINING,
    SUDOKU,
    SUDOKU_OWNER,
    open_acumos,
    publish_pipeline,
)
from support.raw_server import RawServer, answering

from shared.errors import (
    InvalidSolutionError,
    NotFoundError,
    TooLargeError,
    UpstreamError,
    UpstreamTimeoutError,
)
from shared.outbound import Upstream
from shared.persistence.acumos import AcumosPersistence
from shared.principal import LOCAL_OPERATOR, Principal
from shared.solution import Ids, SolutionFiles

IDS = Ids.parse("sol-1", "rev-1")
MIB = 1 << 20


def recorded(recordings: Path, name: str) -> bytes:
    response = json.loads((recordings / name).read_text(encoding="utf-8"))["response"]
    return response["body"].encode() if "body" in response else json.dumps(response["jsonBody"]).encode()


def test_the_recorded_pipeline_loads(acumos: AcumosPersistence, recordings: Path) -> None:
    files = acumos.load(SUDOKU, SUDOKU_OWNER)

    assert files == SolutionFiles(
        name="Sudoku Tutorial",
        blueprint=recorded(recordings, "nexus_sudoku_blueprint.json"),
        protos={
            "aspsolver-clingo-oneshot1": recorded(recordings, "nexus_sudoku_proto_1.json"),
            "sudoku-tutorial-design-evaluator1": recorded(recordings, "nexus_sudoku_proto_2.json"),
            "sudoku-tutorial-gui1": recorded(recordings, "nexus_sudoku_proto_3.json"),
        },
        ids=SUDOKU,
    )


def test_the_recorded_pipeline_with_a_shared_folder_loads(acumos: AcumosPersistence, recordings: Path) -> None:
    files = acumos.load(NEWS_TRAINING, NEWS_OWNER)

    assert (files.name, files.blueprint) == (
        "news-training-pipeline",
        recorded(recordings, "nexus_shared_folder_blueprint.json"),
    )
    assert files.protos == {
        "tensorboard1": recorded(recordings, "nexus_shared_folder_proto_1.json"),
        "newstrainer1": recorded(recordings, "nexus_shared_folder_proto_2.json"),
        "news-classifier1": recorded(recordings, "nexus_shared_folder_proto_3.json"),
    }


def test_the_recorded_model_loads(acumos: AcumosPersistence) -> None:
    files = acumos.load(ENTITY_RECOGNIZER, ENTITY_OWNER)

    assert files == SolutionFiles(
        name="EntityRecognizer",
        model_image="hub.cc-asp.fraunhofer.de/ai4media-public/named-entity-recognition-flair:1.0.0",
        protos={"ner": MADE_ENTITY_PROTO},
        ids=ENTITY_RECOGNIZER,
        version="1.0.2",
    )


def test_every_call_carries_the_credentials_and_the_request_id(
    acumos: AcumosPersistence, marketplace: CdsServer
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="req-7"):
        acumos.load(SUDOKU, SUDOKU_OWNER)

    assert {asked.headers.get("X-Request-ID") for asked in marketplace.asked} == {"req-7"}
    assert sorted(marketplace.paths)[:5] == [
        "/ccds/catalog/solution/00aff3ab-94cb-4969-93c3-a95be53c05d2",
        "/ccds/revision/2f7c7ef1-262c-4a73-8393-aef1ded7cad3/artifact",
        "/ccds/solution/00aff3ab-94cb-4969-93c3-a95be53c05d2",
        "/ccds/solution/00aff3ab-94cb-4969-93c3-a95be53c05d2/pic",
        "/ccds/solution/00aff3ab-94cb-4969-93c3-a95be53c05d2/revision/2f7c7ef1-262c-4a73-8393-aef1ded7cad3",
    ]


@pytest.mark.parametrize(
    "unknown",
    [
        None,
        Answer(200, "application/json", b""),
        Answer(200, "application/json", b"  \n"),
        Answer(404, "application/json", b'{"status":404,"error":"No such solution"}'),
    ],
)
def test_an_unknown_solution_is_not_found(unknown: Answer | None) -> None:
    with (
        CdsServer(unknown_in_cds=unknown) as server,
        closing(open_acumos(server)) as persistence,
        pytest.raises(NotFoundError, match="solution sol-1, revision rev-1: not found"),
    ):
        persistence.load(IDS, LOCAL_OPERATOR)


def test_an_unknown_revision_of_a_known_solution_is_not_found(acumos: AcumosPersistence) -> None:
    with pytest.raises(NotFoundError):
        acumos.load(Ids.parse(SUDOKU.solution_id, "another"), SUDOKU_OWNER)


def test_an_id_in_other_case_is_another_id(acumos: AcumosPersistence, marketplace: CdsServer) -> None:
    ids = Ids.parse(SUDOKU.solution_id.upper(), SUDOKU.revision_id)
    marketplace.add(f"/ccds/solution/{ids.solution_id}", {"solutionId": SUDOKU.solution_id, "toolkitTypeCode": "CP"})

    with pytest.raises(NotFoundError):
        acumos.load(ids, LOCAL_OPERATOR)


@pytest.mark.parametrize("code", ["CP", "cp", "Cp"])
def test_the_toolkit_code_makes_a_pipeline_in_any_case(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, code: str
) -> None:
    publish_pipeline(empty_marketplace, IDS)
    empty_marketplace.add("/ccds/solution/sol-1", {"solutionId": "sol-1", "toolkitTypeCode": code})

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).blueprint is not None


def test_without_a_toolkit_code_a_blueprint_without_an_image_makes_a_pipeline(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS)
    empty_marketplace.add("/ccds/solution/sol-1", {"solutionId": "sol-1", "name": "chain", "toolkitTypeCode": None})

    files = empty_acumos.load(IDS, LOCAL_OPERATOR)

    assert (files.model_image, files.blueprint is not None) == (None, True)


def test_without_a_toolkit_code_an_image_makes_a_model(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    listed = [("BP", "b", "org/acumos/sol-1/b.json"), ("DI", "image", "registry.example.org/model:1")]
    empty_marketplace.publish("sol-1", "rev-1", listed, toolkit=None)

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).model_image == "registry.example.org/model:1"


def test_among_several_model_files_the_proto_is_chosen(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    listed = [
        ("MI", "model.zip", "org/acumos/sol-1/model-1.zip"),
        ("MI", "m.proto", "org/acumos/sol-1/m-1.PROTO"),
        ("DI", "image", "registry.example.org/model:1"),
    ]
    empty_marketplace.publish("sol-1", "rev-1", listed, toolkit="SK")
    empty_marketplace.add("/nexus/org/acumos/sol-1/m-1.PROTO", b"// the proto")

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).protos == {"m": b"// the proto"}
    assert "/nexus/org/acumos/sol-1/model-1.zip" not in empty_marketplace.paths


def test_a_model_whose_proto_is_gone_loads_without(acumos: AcumosPersistence, marketplace: CdsServer) -> None:
    marketplace.add(ENTITY_PROTO_PATH, b"gone", status=404)

    assert acumos.load(ENTITY_RECOGNIZER, ENTITY_OWNER).protos == {}


def test_a_pipeline_without_a_blueprint_is_the_authors_to_mend(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    empty_marketplace.publish("sol-1", "rev-1", [("CD", "cdump", "org/acumos/sol-1/c.json")])

    with pytest.raises(InvalidSolutionError) as caught:
        empty_acumos.load(IDS, LOCAL_OPERATOR)

    (finding,) = caught.value.findings
    assert (finding.code, finding.expected, finding.found) == (
        "blueprint-missing",
        "a blueprint (BP)",
        'the types "CD"',
    )


def test_a_model_without_an_image_is_the_authors_to_mend(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    empty_marketplace.publish("sol-1", "rev-1", [], toolkit="SK")

    with pytest.raises(InvalidSolutionError) as caught:
        empty_acumos.load(IDS, LOCAL_OPERATOR)

    assert [finding.code for finding in caught.value.findings] == ["image-missing"]


def test_a_blueprint_that_is_listed_but_gone_is_the_services_fault(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    empty_marketplace.publish("sol-1", "rev-1", [("BP", "b", "org/acumos/sol-1/b.json")])

    with pytest.raises(UpstreamError, match="nexus: missing_artifact: "):
        empty_acumos.load(IDS, LOCAL_OPERATOR)


def test_a_node_whose_proto_is_gone_is_left_to_the_parser(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto", "gone/b-1.proto")

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).protos == {"node0": b"// org/a-1.proto"}


def test_a_proto_that_two_nodes_share_is_fetched_once(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto", "org/a-1.proto")

    assert list(empty_acumos.load(IDS, LOCAL_OPERATOR).protos) == ["node0", "node1"]
    assert empty_marketplace.paths.count("/nexus/org/a-1.proto") == 1


@pytest.mark.parametrize("uri", ["org/secret.json", "url of the proto file of the ML Model, otherwise empty"])
def test_a_blueprint_cannot_fetch_what_is_no_proto(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, uri: str
) -> None:
    publish_pipeline(empty_marketplace, IDS, uri)

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).protos == {}
    assert f"/nexus/{uri}" not in empty_marketplace.paths


@pytest.mark.parametrize("uri", ["{}/x.proto", "//{}/x.proto", "http://user@{}/x.proto", "../../ccds/x.proto"])
def test_a_blueprint_cannot_lead_elsewhere(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, uri: str
) -> None:
    with RawServer(answering("200 OK", b"prey")) as other:
        publish_pipeline(empty_marketplace, IDS, uri.replace("{}", other.url, 1))

        with pytest.raises(UpstreamError, match="nexus: foreign_uri: "):
            empty_acumos.load(IDS, LOCAL_OPERATOR)

        assert other.requests == []


def test_an_artifact_cannot_lead_elsewhere(empty_acumos: AcumosPersistence, empty_marketplace: CdsServer) -> None:
    with RawServer(answering("200 OK", b"{}")) as other:
        empty_marketplace.publish("sol-1", "rev-1", [("BP", "b", f"{other.url}/sol-1/b.json")])

        with pytest.raises(UpstreamError, match="nexus: foreign_uri: "):
            empty_acumos.load(IDS, LOCAL_OPERATOR)

        assert other.requests == []


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/nexus/org/a-1.proto", 256 * 1024 + 1),
        ("/nexus/org/acumos/sol-1/rev-1/BLUEPRINT/1/BLUEPRINT-1.json", 2 * MIB + 1),
    ],
)
def test_a_file_over_its_limit_is_refused(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, path: str, size: int
) -> None:
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto")
    empty_marketplace.add(path, b" " * size)

    with pytest.raises(TooLargeError):
        empty_acumos.load(IDS, LOCAL_OPERATOR)


def test_protos_are_limited_together(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.acumos_load.MAX_PROTOS_BYTES", 100)
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto", "org/b-1.proto")
    for uri in ("org/a-1.proto", "org/b-1.proto"):
        empty_marketplace.add(f"/nexus/{uri}", b" " * 51)

    with pytest.raises(TooLargeError, match="protos: expected at most 100 bytes together"):
        empty_acumos.load(IDS, LOCAL_OPERATOR)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>please log in</html>", "text/html"),
        (b'{"solutionId": 7}', "application/json"),
        (b'["a list"]', "application/json"),
        (b'{"solutionId": "sol-1"', "application/json"),
        (b'{"a":' * 100_000, "application/json"),
        (b'{"name": NaN}', "application/json"),
        (b"\xff\xfe", "application/json"),
    ],
)
def test_an_answer_of_another_form_is_the_services_fault(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, body: bytes, kind: str
) -> None:
    empty_marketplace.add("/ccds/solution/sol-1", body, content_type=kind)

    with pytest.raises(UpstreamError, match="cds: malformed_answer: solution/sol-1 has not the documented form"):
        empty_acumos.load(IDS, LOCAL_OPERATOR)


def test_a_page_in_place_of_a_proto_is_the_services_fault(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto")
    empty_marketplace.add("/nexus/org/a-1.proto", b"<html>log in</html>", content_type="text/html; charset=utf-8")

    with pytest.raises(UpstreamError, match="nexus: malformed_answer: expected an artifact, found an HTML page"):
        empty_acumos.load(IDS, LOCAL_OPERATOR)


@pytest.mark.parametrize("path", ["/ccds/solution/sol-1", "/ccds/revision/rev-1/artifact", "/nexus/org/a-1.proto"])
def test_a_failing_service_fails_the_load(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, path: str
) -> None:
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto")
    empty_marketplace.add(path, b"trace SECRET", status=500)

    with pytest.raises(UpstreamError, match="server_error") as caught:
        empty_acumos.load(IDS, LOCAL_OPERATOR)

    assert "SECRET" not in str(caught.value)
    assert empty_marketplace.paths.count(path) == 3


def publish_attachments(server: CdsServer) -> None:
    publish_pipeline(server, IDS)
    server.add(
        "/ccds/solution/sol-1",
        {"solutionId": "sol-1", "toolkitTypeCode": "CP", "origin": "https://market.example.org/x"},
    )
    server.add("/ccds/solution/sol-1/pic", b"\x89PNG picture", content_type="application/octet-stream")
    server.add("/ccds/catalog/solution/sol-1", [{"catalogId": "c-1"}, {"catalogId": "c-2"}])
    server.add("/ccds/revision/rev-1/catalog/c-2/descr", {"catalogId": "c-2", "description": "<p>What it does</p>"})


def test_attachments_travel_along(empty_acumos: AcumosPersistence, empty_marketplace: CdsServer) -> None:
    publish_attachments(empty_marketplace)

    attachments = empty_acumos.load(IDS, LOCAL_OPERATOR).attachments

    assert (attachments.icon, attachments.description, attachments.source_url) == (
        b"\x89PNG picture",
        "<p>What it does</p>",
        "https://market.example.org/x",
    )


def test_a_public_description_is_preferred_to_one_of_a_closed_catalog(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer
) -> None:
    publish_attachments(empty_marketplace)
    closed, public = {"catalogId": "c-2", "accessTypeCode": "RS"}, {"catalogId": "c-3", "accessTypeCode": "PB"}
    empty_marketplace.add("/ccds/catalog/solution/sol-1", [closed, public])

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).attachments.description is None
    assert "/ccds/revision/rev-1/catalog/c-2/descr" not in empty_marketplace.paths


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
@pytest.mark.parametrize("path", ["/ccds/solution/sol-1/pic", "/ccds/revision/rev-1/catalog/c-2/descr"])
def test_an_attachment_that_fails_does_not_fail_the_load(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, path: str, status: int
) -> None:
    publish_attachments(empty_marketplace)
    empty_marketplace.add(path, b"no", status=status)

    attachments = empty_acumos.load(IDS, LOCAL_OPERATOR).attachments

    assert [attachments.icon, attachments.description].count(None) == 1


def test_a_failing_list_of_catalogs_costs_an_owner_nothing_but_the_description(
    acumos: AcumosPersistence, marketplace: CdsServer
) -> None:
    marketplace.add(f"/ccds/catalog/solution/{SUDOKU.solution_id}", b"", status=500)

    assert acumos.load(SUDOKU, SUDOKU_OWNER).attachments.description is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", "image/png"), (b"null", "application/json"), (b"<html>", "text/html"), (b" " * (MIB + 1), "image/png")],
)
def test_what_is_no_icon_is_left_out(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, body: bytes, kind: str
) -> None:
    publish_attachments(empty_marketplace)
    empty_marketplace.add("/ccds/solution/sol-1/pic", body, content_type=kind)

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).attachments.icon is None


@pytest.mark.parametrize(
    "origin",
    ["javascript:alert(1)", "https://user:password@market.example.org", "https://a\nb", "http://[", "x" * 3000, ""],
)
def test_what_is_no_plain_url_is_no_source(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, origin: str
) -> None:
    publish_attachments(empty_marketplace)
    empty_marketplace.add("/ccds/solution/sol-1", {"toolkitTypeCode": "CP", "origin": origin})

    assert empty_acumos.load(IDS, LOCAL_OPERATOR).attachments.source_url is None


def test_nobody_waits_long_for_an_icon(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.acumos_load.ATTACHMENT_SECONDS", 0.2)
    publish_attachments(empty_marketplace)
    empty_marketplace.add("/ccds/solution/sol-1/pic", b"late", seconds=10)
    start = time.monotonic()

    attachments = empty_acumos.load(IDS, LOCAL_OPERATOR).attachments

    assert (attachments.icon, time.monotonic() - start < 8) == (None, True)


def test_a_load_ends_at_its_deadline(
    empty_acumos: AcumosPersistence, empty_marketplace: CdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.persistence.acumos.LOAD_SECONDS", 1.0)
    publish_pipeline(empty_marketplace, IDS, "org/a-1.proto")
    empty_marketplace.add("/nexus/org/a-1.proto", b"late", seconds=10)
    start = time.monotonic()

    with pytest.raises(UpstreamTimeoutError, match="timeout: "):
        empty_acumos.load(IDS, LOCAL_OPERATOR)

    assert time.monotonic() - start < 8
    assert "/nexus/org/a-1.proto" in empty_marketplace.paths


def test_a_load_takes_three_rounds_whoever_asks(empty_acumos: AcumosPersistence, empty_marketplace: CdsServer) -> None:
    publish_pipeline(empty_marketplace, IDS, *[f"org/acumos/{node}.proto" for node in range(30)], owner="u-1")
    empty_marketplace.add("/ccds/user/u-1", {"email": "owner@example.org"})
    empty_marketplace.add("/ccds/catalog/solution/sol-1", [{"catalogId": "c-1"}, {"catalogId": "c-2"}])
    empty_marketplace.hold()

    with ThreadPoolExecutor(1) as thread:
        load = thread.submit(empty_acumos.load, IDS, Principal("owner@example.org"))
        # Solution, artifacts, revision, catalogs, icon; then blueprint, two descriptions, owner; then the protos.
        rounds = [empty_marketplace.release(expected) for expected in (5, 4, 30)]

        assert (rounds, len(load.result().protos)) == ([True, True, True], 30)


def test_artifacts_are_kept_and_access_is_not(acumos: AcumosPersistence, marketplace: CdsServer) -> None:
    first = acumos.load(SUDOKU, SUDOKU_OWNER)
    asked = len(marketplace.paths)

    assert acumos.load(SUDOKU, SUDOKU_OWNER) == first
    assert sorted(path.split("/")[2] for path in marketplace.paths[asked:]) == [
        "catalog",
        "revision",
        "solution",
        "solution",
        "solution",
    ]


def test_a_solution_that_is_withdrawn_is_gone_at_once(acumos: AcumosPersistence, marketplace: CdsServer) -> None:
    acumos.load(SUDOKU, SUDOKU_OWNER)
    marketplace.add(f"/ccds/solution/{SUDOKU.solution_id}", None)

    with pytest.raises(NotFoundError):
        acumos.load(SUDOKU, SUDOKU_OWNER)


def test_a_working_marketplace_is_ready(acumos: AcumosPersistence, marketplace: CdsServer) -> None:
    acumos.check()

    assert sorted(marketplace.paths) == ["/ccds/solution/00000000-0000-0000-0000-000000000000", "/nexus/"]


@pytest.mark.parametrize("path", ["/ccds/solution/00000000-0000-0000-0000-000000000000", "/nexus/"])
def test_a_failing_service_is_not_ready(acumos: AcumosPersistence, marketplace: CdsServer, path: str) -> None:
    marketplace.add(path, b"", status=503)

    with pytest.raises(UpstreamError, match="unavailable"):
        acumos.check()


def test_wrong_credentials_are_not_ready(marketplace: CdsServer) -> None:
    cds, nexus = Upstream("cds", marketplace.cds_url), Upstream("nexus", marketplace.nexus_url)
    with (
        closing(AcumosPersistence(cds, nexus, access="check")) as persistence,
        pytest.raises(UpstreamError, match="refused_us: the service answered 401"),
    ):
        persistence.check()


def test_closing_frees_threads_and_connections(marketplace: CdsServer) -> None:
    gc.collect()
    before = open_things()

    for _ in range(3):
        with closing(open_acumos(marketplace)) as persistence:
            persistence.load(SUDOKU, SUDOKU_OWNER)

    assert leaked_since(before) == (0, 0)


def test_many_loads_at_once_get_their_own_answers(empty_marketplace: CdsServer) -> None:
    many = [Ids.parse(f"sol-{number}", f"rev-{number}") for number in range(12)]
    for ids in many:
        publish_pipeline(empty_marketplace, ids, *[f"org/acumos/{ids.solution_id}-{node}.proto" for node in range(5)])
    found: dict[Ids, SolutionFiles] = {}
    with closing(open_acumos(empty_marketplace)) as persistence:
        threads = [
            threading.Thread(target=lambda ids=ids: found.update({ids: persistence.load(ids, LOCAL_OPERATOR)}))
            for ids in many
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert {ids: files.protos["node4"] for ids, files in found.items()} == {
        ids: f"// org/acumos/{ids.solution_id}-4.proto".encode() for ids in many
    }
