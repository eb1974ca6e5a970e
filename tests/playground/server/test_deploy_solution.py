"""Graphene's `POST /deploy_solution`: off unless callers are configured, each for its own domains."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, EVE, OPERATOR, bearer, zipped
from werkzeug.test import TestResponse

from playground.runtime.process.runtime import ProcessRuntime
from playground.server.app import create_app
from playground.server.settings import DeployCaller
from shared.settings import Secret

SECRET, OTHER = "the portal's own secret, long enough", "another caller's secret, long enough"
CALLERS = (
    DeployCaller("portal", ("example.org",), Secret(SECRET)),
    DeployCaller("other", ("example.net", "example.com"), Secret(OTHER)),
)


@pytest.fixture(scope="module")
def open_app(still_runtime: ProcessRuntime, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    settings = playground.settings(tmp_path_factory.mktemp("server"), deploy_solution_callers=CALLERS)
    return create_app(settings, runtime=still_runtime)


@pytest.fixture
def portal(open_app: Flask, runtime: ProcessRuntime) -> FlaskClient:
    assert runtime.all() == ()
    return open_app.test_client()


def deploy(client: FlaskClient, secret: str | None = SECRET, **changes: Any) -> TestResponse:
    body = {"solution": base64.b64encode(zipped()).decode(), "username": ADA, **changes}
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return client.post("/deploy_solution", json=body, headers=headers)


def test_the_answer_is_the_path_that_graphene_s_deployer_puts_in_place_of_its_own(portal: FlaskClient) -> None:
    answer = deploy(portal)

    (found,) = portal.get("/v1/deployments", headers=bearer(OPERATOR)).json["deployments"]  # type: ignore[index]
    path = f"/dashboard?selected_deployment_id={found['id']}"
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/plain", path)
    assert found["owner"] == ADA


def test_that_path_leads_to_the_page_of_the_deployment(portal: FlaskClient) -> None:
    path = deploy(portal).text

    answer = portal.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/deployments/{path.partition('=')[2]}")


@pytest.mark.parametrize("selected", ["", "//evil.org", "../x", "a%0d%0aX: y", "A"])
def test_another_id_leads_to_the_list_and_nowhere_else(portal: FlaskClient, selected: str) -> None:
    answer = portal.get(f"/dashboard?selected_deployment_id={selected}")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_second_click_is_the_same_deployment(portal: FlaskClient) -> None:
    assert deploy(portal).text == deploy(portal).text


@pytest.mark.parametrize("secret", [None, "", "x", SECRET[:-1], f"{SECRET} ", SECRET.upper()])
def test_without_a_caller_s_secret_nothing_happens(portal: FlaskClient, secret: str | None) -> None:
    answer = deploy(portal, secret.strip() + "x" if secret and secret.strip() == SECRET else secret)

    assert (answer.status_code, answer.json["detail"]) == (401, "a valid token is required")  # type: ignore[index]
    assert portal.get("/v1/deployments", headers=bearer(OPERATOR)).json == {"deployments": []}


def test_a_person_s_token_is_no_caller_s_secret(portal: FlaskClient) -> None:
    assert deploy(portal, playground.token()).status_code == 401


@pytest.mark.parametrize("user", ["a@example.net", "a@example.org.evil.net", "a@sub.example.org", "a@EXAMPLE.NET"])
def test_a_caller_names_users_of_its_own_domains_only(portal: FlaskClient, user: str) -> None:
    answer = deploy(portal, username=user)

    assert answer.status_code == 403
    assert answer.text.startswith("deploy solution failed with: username: expected a user of a domain")


def test_another_caller_has_domains_of_its_own(portal: FlaskClient) -> None:
    assert deploy(portal, OTHER, username="a@example.com").status_code == 200
    assert deploy(portal, OTHER).status_code == 403


@pytest.mark.parametrize(
    "user", ["", "ada", "@example.org", "a@b@example.org", "a b@example.org", "a\n@example.org", "a@", 7, None]
)
def test_a_user_is_an_e_mail_address(portal: FlaskClient, user: object) -> None:
    assert deploy(portal, username=user).status_code == 400


@pytest.mark.parametrize("solution", ["not base64!", "", "UEs=", 7])
def test_a_solution_is_a_zip_in_base64(portal: FlaskClient, solution: object) -> None:
    answer = deploy(portal, solution=solution)

    assert answer.status_code in {400, 422}
    assert answer.text.startswith("deploy solution failed with: ")


def test_it_is_off_unless_somebody_may(client: FlaskClient) -> None:
    assert deploy(client).status_code == 404


def test_it_is_documented_only_where_it_is(client: FlaskClient, portal: FlaskClient) -> None:
    documents = [each.get("/openapi.json").json["paths"] for each in (client, portal)]  # type: ignore[index]

    assert ["/deploy_solution" in document for document in documents] == [False, True]


def test_an_owner_deletes_what_was_deployed_for_them_and_nobody_else_does(portal: FlaskClient) -> None:
    path = f"/v1/deployments/{deploy(portal).text.partition('=')[2]}"

    assert portal.delete(path, headers=bearer(EVE)).status_code == 404
    assert portal.delete(path, headers=bearer(ADA)).status_code == 202
