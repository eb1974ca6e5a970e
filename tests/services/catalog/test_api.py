"""Uploading and looking, for programs."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from support import catalog
from support.catalog import ADA, EVE, OPERATOR, bearer, pipeline, put, sign_in

from services.catalog.app import create_app
from shared import archive

PATH = "/v1/solutions/s/revisions/r1"


def test_a_new_revision_is_created_and_described(client: FlaskClient) -> None:
    response = put(client, "s", "r1", pipeline("first", "second"))

    assert (response.status_code, response.headers["Location"]) == (201, PATH)
    about = response.json
    assert about is not None
    assert {
        key: about[key] for key in ("solutionId", "revisionId", "name", "kind", "nodes", "edges", "public", "mine")
    } == {
        "solutionId": "s",
        "revisionId": "r1",
        "name": "sample",
        "kind": "pipeline",
        "nodes": 2,
        "edges": 0,
        "public": False,
        "mine": True,
    }


def test_the_same_again_is_fine_and_creates_nothing(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline())

    response = put(client, "s", "r1", pipeline())

    assert response.status_code == 200
    assert "Location" not in response.headers


def test_another_solution_may_have_a_revision_of_the_same_id(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline("first"))
    headers = {**bearer(EVE), "Content-Type": "application/zip"}

    response = client.put("/v1/solutions/t/revisions/r1", data=archive.write(pipeline("a", "b")), headers=headers)

    assert response.status_code == 201
    assert client.get(PATH, headers=bearer()).json["nodes"] == 1  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "principal", "status"),
    [
        ("s/revisions/r1", ADA, 409),
        ("s/revisions/r2", EVE, 403),
        ("s/revisions/r2?public=true", ADA, 409),
    ],
)
def test_what_is_taken_stays_as_it_is(client: FlaskClient, path: str, principal: str, status: int) -> None:
    put(client, "s", "r1", pipeline("first"))
    headers = {**bearer(principal), "Content-Type": "application/zip"}

    response = client.put(f"/v1/solutions/{path}", data=archive.write(pipeline("second", "third")), headers=headers)

    assert response.status_code == status
    assert client.get(PATH, headers=bearer()).json["nodes"] == 1  # type: ignore[index]


def test_findings_are_shown_and_do_not_stop_an_upload(client: FlaskClient) -> None:
    response = put(client, "s", "r1", {"blueprint.json": b'{"name": "x", "nodes": [{"container_name": "a"}]}'})

    assert response.status_code == 201
    assert "image-missing" in [finding["code"] for finding in response.json["findings"]]  # type: ignore[index]


@pytest.mark.parametrize("files", [{"readme.txt": b"hello"}, {"blueprint.json": b"nonsense"}])
def test_what_is_no_solution_is_refused_with_findings(client: FlaskClient, files: dict[str, bytes]) -> None:
    response = put(client, "s", "r1", files)

    assert response.status_code == 422
    assert response.json["findings"]  # type: ignore[index]
    assert client.get(PATH, headers=bearer()).status_code == 404


def hostile(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        for name in names:
            target.writestr(name, b"{}")
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"not a zip", hostile("../blueprint.json"), hostile("/etc/passwd"), hostile("a/b.json", "A/b.json")],
)
def test_a_hostile_archive_leaves_nothing_behind(client: FlaskClient, store_folder: Path, data: bytes) -> None:
    response = client.put(PATH, data=data, headers={**bearer(), "Content-Type": "application/zip"})

    assert response.status_code == 422
    assert response.json["code"] == "invalid_archive"  # type: ignore[index]
    assert list(store_folder.rglob("*")) == []


def test_a_zip_that_unfolds_to_too_much_is_refused(client: FlaskClient) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("blueprint.json", bytes(33 << 20))

    response = client.put(PATH, data=data.getvalue(), headers={**bearer(), "Content-Type": "application/zip"})

    assert response.status_code == 413


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    response = client.put(PATH, data=bytes((8 << 20) + 1), headers={**bearer(), "Content-Type": "application/zip"})

    assert response.status_code == 413


def test_another_kind_of_body_is_refused(client: FlaskClient) -> None:
    response = client.put(PATH, data=b"{}", headers={**bearer(), "Content-Type": "application/json"})

    assert response.status_code == 415
    assert response.json["detail"] == "expected the content type application/zip"  # type: ignore[index]


@pytest.mark.parametrize("bad", ["1", "True", "yes", ""])
def test_public_is_true_or_false(client: FlaskClient, bad: str) -> None:
    data = archive.write(pipeline())

    response = client.put(f"{PATH}?public={bad}", data=data, headers={**bearer(), "Content-Type": "application/zip"})

    assert response.status_code == 400


@pytest.mark.parametrize("bad", ["-x", "x" * 64, "a%20b", "%2e%2e", "٣", "a%0a"])
def test_an_id_of_another_form_is_refused_before_anything_is_stored(
    client: FlaskClient, store_folder: Path, bad: str
) -> None:
    headers = {**bearer(), "Content-Type": "application/zip"}

    response = client.put(f"/v1/solutions/{bad}/revisions/r1", data=archive.write(pipeline()), headers=headers)

    assert response.status_code in {400, 404}
    assert list(store_folder.rglob("*")) == []


def test_a_list_has_the_caller_s_and_what_is_public(client: FlaskClient) -> None:
    put(client, "private", "r1", pipeline())
    put(client, "public", "r2", pipeline(), public=True)

    mine = client.get("/v1/solutions", headers=bearer()).json["solutions"]  # type: ignore[index]
    hers = client.get("/v1/solutions", headers=bearer(EVE)).json["solutions"]  # type: ignore[index]

    assert [(s["solutionId"], s["mine"], s["owner"]) for s in mine] == [("public", True, ADA), ("private", True, ADA)]
    assert [(s["solutionId"], s["mine"], s["owner"]) for s in hers] == [("public", False, None)]


def test_an_operator_sees_everything_and_whose_it_is(client: FlaskClient) -> None:
    put(client, "private", "r1", pipeline())

    (found,) = client.get("/v1/solutions", headers=bearer(OPERATOR)).json["solutions"]  # type: ignore[index]

    assert (found["solutionId"], found["mine"], found["owner"]) == ("private", False, ADA)


@pytest.mark.parametrize("path", [PATH, f"{PATH}/graph.svg"])
def test_a_private_revision_does_not_exist_for_others(client: FlaskClient, path: str) -> None:
    put(client, "s", "r1", pipeline())

    theirs = client.get(path, headers=bearer(EVE))
    nobody_s = client.get(path.replace("/s/", "/t/"), headers=bearer(EVE))

    assert theirs.status_code == nobody_s.status_code == 404
    assert theirs.json["detail"].replace("solution s", "solution t") == nobody_s.json["detail"]  # type: ignore[index]


def test_a_picture_is_an_svg_that_nothing_runs_in(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline("first", "second"))

    response = client.get(f"{PATH}/graph.svg", headers=bearer())

    assert response.content_type == "image/svg+xml"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert ET.fromstring(response.text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own text


def test_a_picture_is_sent_once(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline())
    tag = client.get(f"{PATH}/graph.svg", headers=bearer()).headers["ETag"]

    response = client.get(f"{PATH}/graph.svg", headers={**bearer(), "If-None-Match": tag})

    assert (response.status_code, response.data) == (304, b"")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/solutions"), ("GET", PATH), ("PUT", PATH), ("GET", f"{PATH}/graph.svg")]
)
def test_a_session_is_no_token(client: FlaskClient, method: str, path: str) -> None:
    put(client, "s", "r1", pipeline(), public=True)
    sign_in(client)

    assert client.open(path, method=method).status_code == 401


def test_uploads_are_limited_per_person(tmp_path: Path) -> None:
    client = create_app(catalog.settings(tmp_path, changes_per_minute=2)).test_client()
    statuses = [put(client, "s", "r1", pipeline()).status_code for _ in range(3)]
    others = put(client, "t", "r2", pipeline(), principal=EVE)

    assert statuses == [201, 200, 429]
    assert others.status_code == 201


def test_nothing_is_ever_deleted(client: FlaskClient) -> None:
    put(client, "s", "r1", pipeline())

    assert client.delete(PATH, headers=bearer()).status_code == 405
