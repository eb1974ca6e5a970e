"""Graphene's two routes: off by default, its words and content types, and the one place for a token in the query."""

from __future__ import annotations

import pytest
from support import service
from support.tokens import claims, token

from shared import errors
from shared.errors import UnknownRevisionError
from shared.principal import ANONYMOUS

ON = ("graphene",)
ANYBODY = ("graphene", "anonymous-download")
ROUTES = ["/getSolutionZip/mine/r1", "/deploy/mine/r1"]


@pytest.mark.parametrize("path", ROUTES)
def test_the_profile_is_off_by_default(path: str):
    assert service.create().test_client().get(path, headers=service.bearer()).status_code == 404


def test_the_profile_is_warned_about_at_start(logs):
    service.create(compat=ANYBODY)

    (warning,) = logs.events("graphene_profile_is_on")
    assert (warning["level"], warning["anonymous_download"]) == ("warning", True)


def test_nothing_is_warned_about_without_the_profile(logs):
    service.create()

    assert logs.text == ""


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/getSolutionZip/mine/r1", "application/octet-stream"), ("/deploy/mine/r1", "application/zip")],
)
def test_a_link_with_a_token_downloads_the_bundle(path: str, content_type: str):
    client = service.create(compat=ON).test_client()
    posted = client.post("/v1/bundles", headers=service.bearer(), json={"solutionId": "mine", "revisionId": "r1"})

    answer = client.get(f"{path}?jwtToken={token()}")

    assert (answer.status_code, answer.content_type) == (200, content_type)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="solution.zip"'
    assert answer.data == posted.data


@pytest.mark.parametrize("path", ROUTES)
def test_a_token_in_a_header_works_too(path: str):
    assert service.create(compat=ON).test_client().get(path, headers={"jwtToken": token()}).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "query", ["", "?jwtToken=", "?jwtToken=x", "?jwttoken={}", "?token={}", "?jwtToken={}&jwtToken={}"]
)
def test_another_query_is_no_token(path: str, query: str):
    answer = service.create(compat=ON).test_client().get(path + query.replace("{}", token()))

    assert (answer.status_code, answer.json["code"]) == (401, "bad_token")


@pytest.mark.parametrize("path", ROUTES)
def test_a_cookie_is_no_token(path: str):
    client = service.create(compat=ANYBODY).test_client()
    client.set_cookie("slipway-tiny", token())
    client.set_cookie("Authorization", token())

    assert client.get(path).status_code == (404 if "Zip" in path else 401)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/getSolutionZip/nothing/r1", "invalid solutionId"),
        ("/getSolutionZip/hers/r1", "invalid solutionId"),
        ("/getSolutionZip/..%00/r1", "invalid solutionId"),
        ("/getSolutionZip/a%20b/a%20b", "invalid solutionId"),
        ("/getSolutionZip/mine/a%20b", "invalid revisionId"),
        ("/getSolutionZip/mine/%C3%A9", "invalid revisionId"),
        ("/getSolutionZip/mine/" + "r" * 64, "invalid revisionId"),
    ],
)
def test_unknown_ids_are_answered_in_graphenes_words(path: str, status: str):
    answer = service.create(compat=ON).test_client().get(f"{path}?jwtToken={token()}")

    assert (answer.status_code, answer.content_type, answer.json) == (404, "application/json", {"status": status})


def test_a_missing_revision_is_named_to_whoever_sees_its_solution():
    shelf = service.shelf()
    shelf.failure = UnknownRevisionError("there is no such revision")

    answer = service.create(shelf, compat=ON).test_client().get(f"/getSolutionZip/mine/r2?jwtToken={token()}")

    assert (answer.status_code, answer.json) == (404, {"status": "invalid revisionId"})


@pytest.mark.parametrize(
    "path", ["/getSolutionZip/../r1", "/getSolutionZip/a%2Fb/r1", "/getSolutionZip/a/b/c", "/deploy/x"]
)
def test_a_path_of_another_form_is_no_route(path: str):
    assert service.create(compat=ON).test_client().get(f"{path}?jwtToken={token()}").status_code == 404


def test_a_download_that_fails_otherwise_is_a_problem():
    answer = service.create(compat=ON).test_client().get(f"/getSolutionZip/broken/r1?jwtToken={token()}")

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_solution")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/deploy/nothing/r1", "Error: deploy failed: there is no such revision"),
        ("/deploy/broken/r1", "Error: deploy failed: the solution has 1 error; see findings"),
        ("/deploy/a%20b/r1", 'Error: deploy failed: solutionId: expected [A-Za-z0-9][A-Za-z0-9._-]{0,62}, found "a b"'),
    ],
)
def test_a_failed_deployment_is_404_in_plain_text_as_graphene_has_it(path: str, text: str):
    answer = service.create(compat=ON).test_client().get(f"{path}?jwtToken={token()}")

    assert (answer.status_code, answer.content_type, answer.text) == (404, "text/plain; charset=utf-8", text)


def test_a_failed_deployment_does_not_repeat_what_an_upstream_said():
    shelf = service.shelf()
    shelf.failure = errors.UpstreamError("cds", "canary")

    answer = (
        service.create(shelf, compat=ON)
        .test_client()
        .get(f"/deploy/mine/r1?jwtToken={token()}", headers={"X-Request-Id": "r"})
    )

    assert (answer.status_code, answer.text) == (404, "Error: deploy failed: see request r")


def test_a_defect_in_a_deployment_is_500():
    shelf = service.shelf()
    shelf.failure = RuntimeError("canary")

    answer = service.create(shelf, compat=ON).test_client().get(f"/deploy/mine/r1?jwtToken={token()}")

    assert (answer.status_code, "canary" in answer.text) == (500, False)


@pytest.mark.parametrize("path", ROUTES)
def test_the_rate_limit_holds_on_these_routes_too(path: str):
    client = service.create(compat=ON, requests_per_minute=1).test_client()

    assert [client.get(f"{path}?jwtToken={token()}").status_code for _ in range(2)] == [200, 429]


def test_anybody_may_download_a_public_solution_where_that_is_on():
    shelf = service.shelf()

    answer = service.create(shelf, compat=ANYBODY).test_client().get("/getSolutionZip/public/r1")

    assert answer.status_code == 200
    assert [principal for _, principal in shelf.asked] == [ANONYMOUS]


def test_nobody_gets_more_than_public_solutions_without_a_token():
    answer = service.create(compat=ANYBODY).test_client().get("/getSolutionZip/mine/r1")

    assert (answer.status_code, answer.json) == (404, {"status": "invalid solutionId"})


@pytest.mark.parametrize("bad", ["x", token(claims(exp=1))])
def test_a_bad_token_is_never_taken_for_none(bad: str):
    answer = service.create(compat=ANYBODY).test_client().get(f"/getSolutionZip/public/r1?jwtToken={bad}")

    assert answer.status_code == 401


def test_anonymous_download_does_not_open_the_other_routes():
    client = service.create(compat=ANYBODY).test_client()

    assert client.get("/deploy/public/r1").status_code == 401
    assert client.post("/v1/bundles", json={"solutionId": "public", "revisionId": "r1"}).status_code == 401


def test_anonymous_callers_are_limited_by_address():
    client = service.create(compat=ANYBODY, requests_per_minute=1).test_client()

    first = client.get("/getSolutionZip/public/r1", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    again = client.get("/getSolutionZip/public/r1", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    other = client.get("/getSolutionZip/public/r1", environ_overrides={"REMOTE_ADDR": "192.0.2.2"})

    assert [first.status_code, again.status_code, other.status_code] == [200, 429, 200]


def test_a_deployer_that_pushes_redirects_and_downloads_nothing():
    client = service.create(compat=ON, push=service.push()).test_client()

    answer = client.get(f"/deploy/mine/r1?jwtToken={token()}")

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/v1/deployments/cfe00dde46ef9426-")
    assert client.get("/getSolutionZip/mine/r1", headers=service.bearer()).status_code == 404


def test_who_only_looks_at_a_link_pushes_nothing():
    shelf = service.shelf()
    client = service.create(shelf, compat=ON, push=service.push()).test_client()

    assert client.head(f"/deploy/mine/r1?jwtToken={token()}").status_code == 405
    assert shelf.asked == []
