"""The routes of our own pages: a session, proof of origin for whatever changes something, and nothing for siblings."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from support.playground import ADA, KEY, OPERATOR, ZIP, bearer, push, session, zipped

from playground.server.push_tokens import PushTokens
from shared.settings import Secret

CROSS = [
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://evil.localhost"},
    {"Origin": "null"},
]


def test_a_visitor_does_what_programs_do(client: FlaskClient) -> None:
    headers = {"X-CSRF-Token": session(client), "Sec-Fetch-Site": "same-origin"}

    pushed = client.post("/visitor/deployments", data=zipped(), headers={**headers, **ZIP})
    path = f"/visitor/deployments/{pushed.json['id']}"  # type: ignore[index]
    asleep = client.post(f"{path}/sleep", json={}, headers=headers)
    deleted = client.delete(path, headers=headers)

    assert pushed.json["owner"] == ADA  # type: ignore[index]
    assert [answer.status_code for answer in (pushed, asleep, deleted)] == [202, 202, 202]


@pytest.mark.parametrize("more", [{}, {"X-CSRF-Token": "x"}, *CROSS], ids=str)
def test_a_change_without_proof_of_origin_is_refused(client: FlaskClient, more: dict[str, str]) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    token = session(client)
    headers = more if "X-CSRF-Token" in more or not more else {**more, "X-CSRF-Token": token}

    answer = client.post(f"/visitor/deployments/{made}/sleep", json={}, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")  # type: ignore[index]
    assert client.get(f"/v1/deployments/{made}", headers=bearer()).json["state"] == "queued"  # type: ignore[index]


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_sibling_such_as_a_node_s_web_ui_may_not_even_look(client: FlaskClient, site: str) -> None:
    session(client)
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}

    assert client.get("/visitor/deployments", headers=headers).status_code == 403


def test_whoever_follows_a_link_from_elsewhere_may(client: FlaskClient) -> None:
    session(client)
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

    assert client.get("/visitor/deployments", headers=headers).status_code == 200


def pushed(client: FlaskClient, token: str) -> dict[str, Any]:
    """Push as the deployer does, and return the answer."""
    answer = client.post("/v1/deployments", data=zipped(), headers={"Authorization": f"Bearer {token}", **ZIP})
    return dict(answer.json)  # type: ignore[arg-type]


def push_token(principal: str = ADA) -> str:
    """Return what the deployer presents with this bundle."""
    return PushTokens(Secret(KEY)).make(principal, zipped())


def visit(client: FlaskClient, principal: str = ADA) -> str:
    """Push as the deployer does, and return the link for its user."""
    return str(pushed(client, push_token(principal))["visit"])


def test_the_link_of_a_push_signs_its_user_in_at_that_deployment(client: FlaskClient) -> None:
    link = visit(client)

    answer = client.get(link)

    assert (answer.status_code, answer.headers["Location"]) == (303, link.partition("/visit")[0])
    assert client.get("/visitor/deployments").json["deployments"][0]["owner"] == ADA  # type: ignore[index]
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_a_link_works_once(client: FlaskClient) -> None:
    link = visit(client)

    assert [client.get(link).status_code for _ in range(2)] == [303, 401]


def test_a_link_leads_to_its_own_deployment_only(client: FlaskClient) -> None:
    link = visit(client)
    code = link.partition("?")[2]

    assert client.get(f"/deployments/another/visit?{code}").status_code == 401
    assert client.get(link).status_code == 303


def test_a_push_that_is_sent_again_gets_no_link(client: FlaskClient) -> None:
    token = push_token()

    first, again = pushed(client, token), pushed(client, token)

    assert (again["id"], "visit" in first, "visit" in again) == (first["id"], True, False)


def test_the_same_bundle_under_another_token_gets_a_link(client: FlaskClient) -> None:
    links = {visit(client), visit(client)}

    assert len(links) == 2


def test_who_only_looks_at_a_link_does_not_use_it_up(client: FlaskClient) -> None:
    link = visit(client)

    assert [client.head(link).status_code, client.get(link).status_code] == [405, 303]


@pytest.mark.parametrize("code", ["", "x", "x.y", "e30.AAAA"])
def test_a_forged_link_signs_nobody_in(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/deployments/x/visit?code={code}")

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_an_operator_arrives_as_one(client: FlaskClient) -> None:
    client.get(visit(client, OPERATOR))

    assert client.get("/visitor/operator").status_code == 200
