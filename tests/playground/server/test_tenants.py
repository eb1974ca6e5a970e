"""People see and touch their own deployments only; what is another's reads like what was never there."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.playground import EVE, OPERATOR, ZIP, bearer, push, session, zipped
from support.tokens import SECRET as OTHER_SECRET
from support.tokens import claims, sign

OPEN = {"/healthz", "/readyz", "/openapi.json", "/session", "/deployments/<deployment_id>/visit"}
PATHS = [
    ("GET", ""),
    ("PUT", ""),
    ("DELETE", ""),
    ("DELETE", "?data=true"),
    ("GET", "/history"),
    ("GET", "/events"),
    ("GET", "/nodes/sensor/logs"),
    ("GET", "/statistics"),
    ("GET", "/sample?edge=a.b:c.d"),
    ("GET", "/graph.svg"),
    ("GET", "/shared-folder/"),
    ("GET", "/shared-folder/a"),
    ("PUT", "/shared-folder/a"),
    ("DELETE", "/shared-folder/a"),
    ("GET", "/execution_run.json"),
    *(("POST", f"/{name}") for name in ("run", "stop", "wake", "sleep", "restart", "reset")),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_another_s_deployment_is_not_there_byte_for_byte(client: FlaskClient, method: str, path: str) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    unknown = made[:-1] + ("0" if made[-1] != "0" else "1")
    headers = {**bearer(EVE), "X-Request-Id": "same"} | (ZIP if path == "" else {})

    def asked(deployment_id: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        data = zipped() if method == "PUT" else None
        answer = client.open(f"/v1/deployments/{deployment_id}{path}", method=method, headers=headers, data=data)
        return answer.status_code, answer.data, sorted(answer.headers.items())

    hers, none = asked(made), asked(unknown)

    assert hers == none
    assert hers[0] == 404
    assert client.get(f"/v1/deployments/{made}", headers=bearer()).json["state"] == "queued"  # type: ignore[index]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_visitor_s_session_opens_no_other_s_either(client: FlaskClient, method: str, path: str) -> None:
    made = push(client).json["id"]  # type: ignore[index]
    headers = {"X-CSRF-Token": session(client, EVE)} | (ZIP if path == "" else {})
    data = zipped() if method == "PUT" else None

    answer = client.open(f"/visitor/deployments/{made}{path}", method=method, headers=headers, data=data)

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["", "/graph.svg", "/history", "/statistics"])
def test_an_operator_sees_it(client: FlaskClient, path: str) -> None:
    made = push(client).json["id"]  # type: ignore[index]

    assert client.get(f"/v1/deployments/{made}{path}", headers=bearer(OPERATOR)).status_code == 200


@pytest.mark.parametrize(
    "given", ["%2e%2e", "..", "A", "a" * 53, "-a", "a-", "a_b", "a.b", "٣", "a%00", "a%0ab", "a b"]
)
def test_an_id_of_another_form_is_not_there(client: FlaskClient, given: str) -> None:
    assert client.get(f"/v1/deployments/{given}", headers=bearer()).status_code == 404


def test_the_same_bundle_of_two_people_is_two_deployments(client: FlaskClient) -> None:
    mine, hers = push(client).json["id"], push(client, principal=EVE).json["id"]  # type: ignore[index]

    assert mine != hers
    assert client.get(f"/v1/deployments/{hers}", headers=bearer()).status_code == 404


def routes(app: Flask) -> list[tuple[str, str]]:
    return [
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
        if rule.rule not in OPEN and not rule.rule.startswith(("/static/", "/sign-in"))
    ]


def filled(rule: str) -> str:
    return rule.replace("<deployment_id>", "x").replace("<node>", "x").replace("<path:path>", "x")


def test_every_route_of_the_api_asks_for_a_token(app: Flask) -> None:
    client = app.test_client()
    asked = [(method, rule) for method, rule in routes(app) if rule.startswith(("/v1/", "/visitor/"))]

    refused = {(method, rule) for method, rule in asked if client.open(filled(rule), method=method).status_code == 401}

    assert len(asked) > 50
    assert refused == set(asked)


BAD = {
    "none": {},
    "empty": {"Authorization": ""},
    "basic": {"Authorization": "Basic YTpi"},
    "no token": {"Authorization": "Bearer ada"},
    "another key": {"Authorization": f"Bearer {sign({'alg': 'HS512'}, claims(), key=b'x' * 64, algorithm='HS512')}"},
    "another service's": {
        "Authorization": f"Bearer {sign({'alg': 'HS512'}, claims(), key=OTHER_SECRET.encode(), algorithm='HS512')}"
    },
    "alg none": {"Authorization": f"Bearer {sign({'alg': 'none'}, claims(), key=b'', algorithm='HS256')}"},
    "in a cookie": {"Cookie": "Authorization=x; jwtToken=y; slipway-playground=z"},
}


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize(
    "path", ["/v1/deployments", "/v1/deployments/x/events", "/visitor/deployments", "/v1/operator"]
)
def test_every_cause_gets_the_same_answer_byte_for_byte(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    answer = client.get(path, headers={**headers, "X-Request-Id": "same"})

    assert answer.status_code == 401
    assert answer.data == (
        b'{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "a valid token is required", '
        b'"code": "bad_token", "requestId": "same"}'
    )
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_query_token_counts_nowhere(client: FlaskClient) -> None:
    token = bearer()["Authorization"].removeprefix("Bearer ")

    assert client.get(f"/v1/deployments?jwtToken={token}").status_code == 401


def test_an_api_reads_no_cookie(client: FlaskClient) -> None:
    session(client)

    assert client.get("/visitor/deployments").status_code == 200
    assert client.get("/v1/deployments").status_code == 401


def test_our_pages_take_no_token(client: FlaskClient) -> None:
    assert client.get("/visitor/deployments", headers=bearer()).status_code == 401
