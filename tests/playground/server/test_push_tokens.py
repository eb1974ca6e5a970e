"""The service token of a push: made for one body, good for a minute, for storing a bundle and nothing else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from support.playground import ADA, EVE, KEY, OPERATOR, ZIP, bearer, push, token, zipped
from support.tokens import NOW, encode, sign

from playground.server.push_tokens import PushTokens
from shared.errors import BadTokenError
from shared.settings import Secret

BODY = b"some bytes"
HEADER = b'{"alg":"HS256","typ":"slipway-push+jwt"}'
GOOD: dict[str, Any] = {
    "iss": "slipway-playground-deployer",
    "aud": "slipway-playground",
    "sub": ADA,
    "iat": NOW,
    "exp": NOW + 60,
    "jti": "abc",
    "digest": hashlib.sha256(BODY).hexdigest(),
}


def tokens(now: float = NOW) -> PushTokens:
    return PushTokens(Secret(KEY), now=lambda: now)


def made(header: bytes = HEADER, key: str = KEY, **changes: Any) -> str:
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return sign(header, claims, key=key.encode(), algorithm="HS256")


def test_what_is_made_is_read_again() -> None:
    proof = tokens().read(tokens().make(ADA, BODY))

    proof.check(BODY)
    assert proof.principal_id == ADA


def test_a_token_of_the_agreed_form_is_read() -> None:
    assert tokens().read(made()).digest == GOOD["digest"]


def test_another_body_is_refused() -> None:
    with pytest.raises(BadTokenError, match="valid token"):
        tokens().read(made()).check(BODY + b"!")


BAD = {
    "another key": made(key="x" * 40),
    "alg none": made(b'{"alg":"none","typ":"slipway-push+jwt"}'),
    "alg None": made(b'{"alg":"NonE","typ":"slipway-push+jwt"}'),
    "alg RS256": made(b'{"alg":"RS256","typ":"slipway-push+jwt"}'),
    "alg HS512": sign(b'{"alg":"HS512","typ":"slipway-push+jwt"}', GOOD, key=KEY.encode(), algorithm="HS512"),
    "no type": made(b'{"alg":"HS256"}'),
    "type JWT": made(b'{"alg":"HS256","typ":"JWT"}'),
    "kid": made(b'{"alg":"HS256","typ":"slipway-push+jwt","kid":"../../etc/passwd"}'),
    "jku": made(b'{"alg":"HS256","typ":"slipway-push+jwt","jku":"http://127.0.0.1:1/"}'),
    "crit": made(b'{"alg":"HS256","typ":"slipway-push+jwt","crit":["x"]}'),
    "no aud": made(aud=None),
    "aud of another": made(aud="slipway-catalog"),
    "aud a list": made(aud=["slipway-playground"]),
    "no iss": made(iss=None),
    "iss of another": made(iss="somebody"),
    "no sub": made(sub=None),
    "sub empty": made(sub=""),
    "sub a number": made(sub=1),
    "sub with a line end": made(sub="ada\nroot"),
    "sub with blanks": made(sub=" ada"),
    "sub reserved": made(sub="local-operator"),
    "sub long": made(sub="a" * 2000),
    "no exp": made(exp=None),
    "exp a text": made(exp=str(NOW + 60)),
    "exp a float": made(exp=NOW + 60.0),
    "exp true": made(exp=True),
    "expired": made(iat=NOW - 100, exp=NOW - 40),
    "lives too long": made(exp=NOW + 61),
    "exp huge": made(exp=10**30),
    "no iat": made(iat=None),
    "iat in the future": made(iat=NOW + 10, exp=NOW + 60),
    "no jti": made(jti=None),
    "jti of another form": made(jti="a/b"),
    "no digest": made(digest=None),
    "digest in capitals": made(digest=str(GOOD["digest"]).upper()),
    "digest short": made(digest="ab"),
    "a claim twice": sign(
        HEADER,
        b'{"sub":"eve",' + json.dumps(GOOD).encode()[1:],
        key=KEY.encode(),
        algorithm="HS256",
    ),
    "a list": sign(HEADER, b"[]", key=KEY.encode(), algorithm="HS256"),
    "deep": sign(HEADER, b"[" * 900, key=KEY.encode(), algorithm="HS256"),
    "two parts": made().rpartition(".")[0],
    "four parts": f"{made()}.x",
    "padded": f"{made()}=",
    "long": made(x="x" * 5000),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_anything_else_proves_nothing(text: str) -> None:
    with pytest.raises(BadTokenError):
        tokens().read(text)


@pytest.mark.parametrize(("seconds", "is_good"), [(-6, False), (-5, True), (0, True), (64, True), (65, False)])
def test_clocks_may_differ_by_five_seconds(*, seconds: int, is_good: bool) -> None:
    reader = tokens(NOW + seconds)

    if is_good:
        assert reader.read(made()).principal_id == ADA
    else:
        with pytest.raises(BadTokenError):
            reader.read(made())


def service(body: bytes, principal: str = ADA) -> dict[str, str]:
    return {"Authorization": f"Bearer {PushTokens(Secret(KEY)).make(principal, body)}", **ZIP}


def test_the_deployer_pushes_for_whom_it_names(client: FlaskClient) -> None:
    answer = client.post("/v1/deployments", data=zipped(), headers=service(zipped(), EVE))

    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["owner"] == EVE
    assert answer.json["visit"].startswith(f"/deployments/{answer.json['id']}/visit?code=")


def test_a_replayed_push_changes_nothing(client: FlaskClient) -> None:
    headers = service(zipped())

    statuses = [client.post("/v1/deployments", data=zipped(), headers=headers).status_code for _ in range(3)]

    assert statuses == [202, 200, 200]


def test_the_deployer_updates_what_is_its_user_s(client: FlaskClient) -> None:
    path = push(client).headers["Location"]
    body = zipped(revision="2")

    assert client.put(path, data=body, headers=service(body)).status_code == 202
    assert client.put(path, data=body, headers=service(body, EVE)).status_code == 404


@pytest.mark.parametrize("text", [*BAD.values(), made(), token("x").replace(".", "", 1)], ids=[*BAD, "old", "broken"])
def test_every_forged_push_gets_the_same_answer_and_leaves_nothing(app: Flask, text: str) -> None:
    client = app.test_client()
    headers = {"Authorization": f"Bearer {text}", "X-Request-Id": "same", **ZIP}

    answer = client.post("/v1/deployments", data=zipped(), headers=headers)

    none = client.post("/v1/deployments", data=zipped(), headers={"X-Request-Id": "same", **ZIP})
    assert (answer.status_code, answer.data) == (401, none.data)
    assert client.get("/v1/deployments", headers=bearer(OPERATOR)).json == {"deployments": []}


def test_a_push_of_other_bytes_gets_that_answer_too(client: FlaskClient) -> None:
    answer = client.post("/v1/deployments", data=zipped(revision="2"), headers=service(zipped()))

    assert answer.status_code == 401
    assert answer.json["detail"] == "a valid token is required"  # type: ignore[index]


def test_a_push_token_opens_no_other_door(client: FlaskClient, app: Flask) -> None:
    path = push(client).headers["Location"]
    headers = {"Authorization": service(b"")["Authorization"]}
    others = [
        (method, rule.rule.replace("<deployment_id>", path.rpartition("/")[2]).replace("<node>", "sensor"))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.rule.startswith("/v1/")
        and (method, rule.rule) not in {("POST", "/v1/deployments"), ("PUT", "/v1/deployments/<deployment_id>")}
    ]

    statuses = {client.open(where, method=method, headers=headers).status_code for method, where in others}

    assert len(others) > 20
    assert statuses == {401}


def test_a_token_for_people_under_the_same_key_is_no_push_token() -> None:
    with pytest.raises(BadTokenError):
        PushTokens(Secret(KEY)).read(f"{encode(b'{}')}.{encode(b'{}')}.{encode(b'x')}")
