"""The deployer's routes: what goes in, what comes out, and who may have it."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import service
from support.tokens import claims, token

from shared import errors
from shared.errors import UnavailableError
from shared.principal import Principal

MINE = {"solutionId": "mine", "revisionId": "r1"}


def post(
    body: Any = None, *, persistence: service.Shelf | None = None, headers: dict[str, str] | None = None, **raw: Any
):
    client = service.create(persistence).test_client()
    kwargs = raw or {"json": MINE if body is None else body}
    return client.post("/v1/bundles", headers=service.bearer() if headers is None else headers, **kwargs)


def test_a_bundle_is_answered_as_a_zip():
    answer = post()

    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["bundle.json", "readme.txt", "replicas.txt", "report.json", "solution.txt"]
        assert archive.read("solution.txt") == b"sentiment\n"
        assert json.loads(archive.read("bundle.json"))["digest"] == answer.headers["Slipway-Bundle-Digest"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Type", "application/zip"),
        ("Content-Disposition", 'attachment; filename="solution.zip"'),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Slipway-Findings", "errors=0, warnings=0"),
    ],
)
def test_a_bundle_has_the_headers_of_a_download(name: str, value: str):
    assert post().headers.getlist(name) == [value]


def test_the_same_request_gets_the_same_bytes():
    assert post().data == post().data


def test_options_reach_the_deployer_and_its_findings_the_header():
    answer = post({**MINE, "options": {"replicas": 0}})

    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.read("replicas.txt") == b"0"
    assert answer.headers["Slipway-Findings"] == "errors=0, warnings=1"


@pytest.mark.parametrize(
    ("options", "detail"),
    [
        ({"replicas": "2"}, "options: Expected `int`, got `str` - at `$.replicas`"),
        ({"hostPath": "/"}, "options: Object contains unknown field `hostPath`"),
    ],
)
def test_options_that_do_not_fit_the_schema_are_422(options: dict[str, Any], detail: str):
    answer = post({**MINE, "options": options})

    assert (answer.status_code, answer.json["code"], answer.json["detail"]) == (422, "invalid_options", detail)


def test_a_solution_that_cannot_be_deployed_is_422_with_its_findings():
    answer = post({"solutionId": "broken", "revisionId": "r1"})

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_solution")
    assert [finding["code"] for finding in answer.json["findings"]] == ["image-invalid"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"mine"',
        b"{}",
        b"{",
        b'{"solutionId":"mine"}',
        b'{"solutionId":"mine","revisionId":7}',
        b'{"solutionId":"mine","revisionId":null}',
        b'{"solutionId":"mine","revisionId":"r1","namespace":"x"}',
        b'{"solutionId":"mine","revisionId":"r1","options":[]}',
        b'{"solutionId":"mine","revisionId":"r1","options":null}',
        b'{"solutionId":"mine","revisionId":"r1","options":{"replicas":NaN}}',
        b'{"solutionId":"mine","revisionId":"r1","options":{"replicas":1e999}}',
        b'{"solutionId":"mine","revisionId":"r1","options":' + b'{"a":' * 100_000,
        b'{"solutionId":"mine","revisionId":"\xff"}',
        b'{"solutionId":"mine","revisionId":"\\ud800"}',
        b'{"solutionId":"mine","revisionId":"r1"} {}',
        '{"solutionId":"mine","revisionId":"r1"}'.encode("utf-16"),
    ],
    ids=lambda body: body[:60].decode("latin-1"),
)
def test_another_body_than_the_expected_object_is_400(body: bytes):
    shelf = service.shelf()

    answer = post(persistence=shelf, data=body, content_type="application/json")

    assert (answer.status_code, answer.json["code"], shelf.asked) == (400, "invalid_request", [])
    assert len(answer.json["detail"]) < 300


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_is_415(content_type: str):
    answer = post(data=json.dumps(MINE), content_type=content_type)

    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")


def test_json_with_a_charset_is_json():
    assert post(data=json.dumps(MINE), content_type="application/json; charset=utf-8").status_code == 200


def test_the_token_is_asked_for_before_the_body_is_read():
    assert post(headers={}, data=b"{", content_type="text/plain").status_code == 401


HOSTILE_IDS = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "%2e%2e",
    "a?b",
    "a#b",
    "a b",
    "-a",
    "a\n",
    "a\x00",
    "é",
    "٣",
    "a" * 64,
    "x" * 10_000,
]


@pytest.mark.parametrize("name", ["solutionId", "revisionId"])
@pytest.mark.parametrize("value", HOSTILE_IDS, ids=lambda value: repr(value[:12]))
def test_a_hostile_id_is_refused_before_anything_is_asked(name: str, value: str):
    shelf = service.shelf()

    answer = post({**MINE, name: value}, persistence=shelf)

    assert (answer.status_code, shelf.asked) == (400, [])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80).filter(lambda text: not service_id(text)))
def test_no_text_but_an_id_gets_past_the_edge(text: str):
    shelf = service.shelf()

    answer = post({"solutionId": text, "revisionId": "r1"}, persistence=shelf)

    assert (answer.status_code, shelf.asked) == (400, [])


def service_id(text: str) -> bool:
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
    return 0 < len(text) <= 63 and set(text) <= allowed and text[0] not in "._-"


def test_the_persistence_decides_for_the_principal_of_the_token():
    shelf = service.shelf()

    post(persistence=shelf)

    assert [principal for _, principal in shelf.asked] == [Principal("ada@example.org", user_id="u-1")]


def test_one_user_cannot_get_the_solution_of_another():
    eve = service.bearer(token(claims(mlpuser={"email": "eve@example.org"})))

    assert post({"solutionId": "hers", "revisionId": "r1"}).status_code == 404
    assert post({"solutionId": "hers", "revisionId": "r1"}, headers=eve).status_code == 200
    assert post(headers=eve).status_code == 404


def test_a_foreign_solution_and_none_at_all_look_the_same():
    same = {**service.bearer(), "X-Request-Id": "same"}

    foreign = post({"solutionId": "hers", "revisionId": "r1"}, headers=same)
    unknown = post({"solutionId": "nothing", "revisionId": "r1"}, headers=same)

    assert (foreign.status_code, foreign.data) == (unknown.status_code, unknown.data)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (errors.UpstreamError("cds", "status 500"), 502),
        (errors.UpstreamTimeoutError("cds", "deadline"), 504),
        (errors.TooLargeError("cds: too much"), 413),
        (errors.UnavailableError("cds: left alone"), 503),
        (OSError("canary"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_failing_persistence_has_its_status(failure: Exception, status: int):
    shelf = service.shelf()
    shelf.failure = failure

    answer = post(persistence=shelf)

    assert (answer.status_code, "canary" in answer.text) == (status, False)


def test_the_deployer_describes_itself():
    answer = service.create().test_client().get("/v1/deployer", headers=service.bearer())

    assert {name: answer.json[name] for name in ("name", "title", "summary")} == {
        "name": "tiny",
        "title": "Tiny",
        "summary": "For tests.",
    }
    assert answer.json["options"]["$defs"]["Options"]["properties"] == {"replicas": {"type": "integer", "default": 1}}


def test_a_service_that_pushes_answers_in_its_own_way():
    app = service.create(push=service.push())

    answer = app.test_client().post("/v1/bundles", headers=service.bearer(), json=MINE)

    assert answer.status_code == 202
    assert answer.headers["Location"].startswith("/v1/deployments/cfe00dde46ef9426-")


def test_a_service_that_cannot_push_is_not_ready():
    def fail() -> None:
        raise UnavailableError("nobody takes bundles")

    app = service.create(push=replace(service.push(), check=fail))

    answer = app.test_client().get("/readyz")

    assert (answer.status_code, answer.json["missing"]) == (503, {"push": "nobody takes bundles"})
