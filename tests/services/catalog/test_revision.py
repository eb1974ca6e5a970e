"""What follows from the files of a revision, for the page and for deployers."""

from __future__ import annotations

import json

import pytest
from support.blueprints import PROTO, document, node
from support.catalog import model, pipeline

from services.catalog import proto_places, revision
from shared.blueprint.uris import proto_uris
from shared.errors import InvalidSolutionError
from shared.solution import Ids

IDS = Ids.parse("s", "r")
BASE = "org/acumos/s/r"


def blueprint_of(*nodes: object) -> dict[str, bytes]:
    return {"blueprint.json": json.dumps(document(*nodes)).encode()}


def test_a_pipeline_publishes_its_blueprint_and_the_proto_of_each_node() -> None:
    found = revision.read(IDS, pipeline("first", "second"))

    assert sorted(found.published) == [
        f"{BASE}/blueprint.json",
        f"{BASE}/microservice/first.proto",
        f"{BASE}/microservice/second.proto",
    ]
    assert [(a.type_code, a.uri) for a in found.artifacts] == [("BP", f"{BASE}/blueprint.json")]


def test_the_published_blueprint_names_the_published_protos() -> None:
    found = revision.read(IDS, pipeline("first", "second"))

    assert proto_uris(found.published[f"{BASE}/blueprint.json"]) == {
        "first": f"{BASE}/microservice/first.proto",
        "second": f"{BASE}/microservice/second.proto",
    }


def test_a_node_whose_name_is_no_path_is_found_by_its_own_name() -> None:
    found = revision.read(IDS, {**blueprint_of(node("My Node/1")), "microservice/my node_1.proto": PROTO})

    (name,) = (n.name for n in found.solution.nodes)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert proto_uris(found.published[f"{BASE}/blueprint.json"]) == {"My Node/1": f"{BASE}/none.proto"}


def test_a_node_in_upper_case_has_its_proto() -> None:
    found = revision.read(IDS, {**blueprint_of(node("First Node")), "microservice/first node.proto": PROTO})

    (name,) = (n.name for n in found.solution.nodes)
    assert found.published[f"{BASE}/microservice/{name}.proto"] == PROTO
    assert proto_uris(found.published[f"{BASE}/blueprint.json"]) == {"First Node": f"{BASE}/microservice/{name}.proto"}


@pytest.mark.parametrize(
    "stolen",
    ["org/acumos/secret/1/microservice/model.proto", "/org/acumos/secret/1/x.proto", "http://elsewhere/x.proto"],
)
def test_a_node_without_a_proto_of_its_own_does_not_lead_to_a_stranger_s(stolen: str) -> None:
    found = revision.read(IDS, blueprint_of(node("thief", proto_uri=stolen)))

    assert proto_uris(found.published[f"{BASE}/blueprint.json"]) == {"thief": f"{BASE}/none.proto"}
    assert f"{BASE}/none.proto" not in found.published


def test_a_node_that_needs_no_proto_gets_no_place() -> None:
    found = revision.read(IDS, blueprint_of(node("rest", node_type="REST", proto_uri="")))

    assert proto_uris(found.published[f"{BASE}/blueprint.json"]) == {}


def test_a_node_called_none_keeps_its_proto_to_itself() -> None:
    found = revision.read(IDS, {**blueprint_of(node("none"), node("other")), "microservice/none.proto": PROTO})

    assert proto_uris(found.published[f"{BASE}/blueprint.json"]) == {
        "none": f"{BASE}/microservice/none.proto",
        "other": f"{BASE}/none.proto",
    }
    assert f"{BASE}/none.proto" not in found.published


def test_a_blueprint_whose_places_cannot_be_set_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proto_places, "moved", lambda blueprint, _place: blueprint)

    with pytest.raises(InvalidSolutionError) as caught:
        revision.read(IDS, blueprint_of(node("thief", proto_uri="org/acumos/secret/1/model.proto")))

    assert [finding.code for finding in caught.value.findings] == ["proto-uri-unclear"]


def test_a_model_without_a_proto_names_its_image_alone() -> None:
    found = revision.read(IDS, {"model.json": model()["model.json"]})

    assert [artifact.type_code for artifact in found.artifacts] == ["DI"]
    assert found.published == {}


def test_a_model_publishes_its_proto_and_names_its_image() -> None:
    found = revision.read(IDS, model())

    assert [(a.type_code, a.uri, a.size) for a in found.artifacts] == [
        ("DI", "registry.example/sentiment:1", -1),
        ("MI", f"{BASE}/microservice/sentiment.proto", len(PROTO)),
    ]
    assert found.published == {f"{BASE}/microservice/sentiment.proto": PROTO}


def test_errors_do_not_hide_a_solution() -> None:
    found = revision.read(IDS, blueprint_of(node("first", image="not an image")))

    assert [finding.code for finding in found.findings.errors] == ["image-invalid"]


def test_a_proto_that_others_import_is_warned_about() -> None:
    files = pipeline("first")
    files["microservice/first.proto"] = b'syntax = "proto3";\nimport "common.proto";\n' + PROTO.partition(b"\n")[2]

    found = revision.read(IDS, {**files, "microservice/common.proto": b'syntax = "proto3";\n'})

    assert [f.path for f in found.findings if f.code == "proto-import-not-served"] == ["microservice/common.proto"]


@pytest.mark.parametrize("files", [{}, {"readme.txt": b"hello"}, {"blueprint.json": b"[]"}, {"blueprint.json": b"{"}])
def test_what_is_no_solution_is_refused_with_findings(files: dict[str, bytes]) -> None:
    with pytest.raises(InvalidSolutionError) as caught:
        revision.read(IDS, files)

    assert caught.value.findings.errors
