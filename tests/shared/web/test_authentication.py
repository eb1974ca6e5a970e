"""Where a token may stand, and that every cause of refusal looks the same from outside."""

from __future__ import annotations

from functools import cache

import pytest
from flask import Flask
from support import service
from support.tokens import NOW, SECRET, claims, sign, token

OPEN = {"/healthz", "/readyz", "/openapi.json"}
NO_SUCH_TOKEN = (
    b'{"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "a valid token is required", '
    b'"code": "bad_token", "requestId": "same"}'
)


@cache
def shared_app() -> Flask:
    """Return one service for many requests that change nothing in it."""
    return service.create(compat=("graphene",))


def described(app: Flask, headers: dict[str, str], query: str = "") -> int:
    return app.test_client().get(f"/v1/deployer{query}", headers=headers).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer {}"},
        {"Authorization": "bearer {}"},
        {"Authorization": "BEARER  {} "},
        {"Authorization": "{}"},
        {"jwtToken": "{}"},
        {"jwtToken": "Bearer {}"},
        {"jwtToken": "{}", "Authorization": "Basic dXNlcjpwdw=="},
    ],
    ids=str,
)
def test_a_token_may_stand_in_two_headers(headers: dict[str, str]):
    assert described(service.create(), {name: value.format(token()) for name, value in headers.items()}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic {}"},
        {"Authorization": "Bearer {0}, Bearer {0}"},
        {"Authorization": "Bearer Bearer {}"},
        {"Cookie": "Authorization={}"},
        {"Cookie": "jwtToken={}"},
        {"Cookie": "slipway-tiny={}"},
        {"X-Token": "{}"},
        {"jwtToken": "x", "Authorization": "Bearer {}"},
    ],
    ids=str,
)
def test_a_token_counts_nowhere_else(headers: dict[str, str]):
    assert described(service.create(), {name: value.format(token()) for name, value in headers.items()}) == 401


@pytest.mark.parametrize("compat", [(), ("graphene",), ("graphene", "anonymous-download")])
def test_the_query_token_does_not_count_on_the_api(compat: tuple[str, ...]):
    assert described(service.create(compat=compat), {}, f"?jwtToken={token()}") == 401


def test_a_form_token_does_not_count():
    answer = service.create().test_client().post("/v1/bundles", data={"jwtToken": token()})

    assert answer.status_code == 401


BAD = {
    "none": None,
    "empty": "",
    "no token": "ada",
    "forged": sign({"alg": "HS512"}, claims(), key=b"x" * 64, algorithm="HS512"),
    "alg none": sign({"alg": "none"}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "alg of another family": sign({"alg": "RS256"}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "alg unknown": sign({"alg": "HS1024"}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "alg missing": sign({}, claims(), key=SECRET.encode(), algorithm="HS512"),
    "crit": token(crit=["x"]),
    "kid a path": sign({"alg": "HS512", "kid": "../../etc/passwd"}, claims(), key=b"x" * 64, algorithm="HS512"),
    "expired": token(claims(exp=NOW - 60)),
    "no exp": token(claims(exp=None)),
    "huge exp": token(claims(exp=10**20)),
    "exp text": token(claims(exp=str(NOW + 60))),
    "future nbf": token(claims(nbf=NOW + 60)),
    "future iat": token(claims(iat=NOW + 60)),
    "aud": token(claims(aud="other")),
    "no e-mail": token(claims(mlpuser={})),
    "e-mail null": token(claims(mlpuser={"email": None})),
    "no mlpuser": token(claims(mlpuser=None)),
    "payload no object": token(b"[]"),
    "payload broken": token(b"{"),
    "payload deep": token(b"[" * 8000),
    "duplicate claim": token(b'{"exp":%d,"exp":%d}' % (NOW, NOW + 60)),
    "three dots": f"{token()}.",
    "long": token(claims(x="x" * 16_384)),
    "log injection": "a.b.c\\r\\nadmin",
}


@pytest.mark.parametrize("path", ["/v1/deployer", "/getSolutionZip/mine/r1", "/deploy/mine/r1"])
@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_every_bad_token_gets_the_same_answer_byte_for_byte(text: str | None, path: str):
    headers = {"X-Request-Id": "same"} | ({} if text is None else {"Authorization": f"Bearer {text}"})

    answer = shared_app().test_client().get(path, headers=headers)

    assert (answer.status_code, answer.data) == (401, NO_SUCH_TOKEN)
    assert sorted(answer.headers.items()) == [
        ("Cache-Control", "no-store"),
        ("Content-Length", str(len(NO_SUCH_TOKEN))),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Content-Type", "application/problem+json"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        ("WWW-Authenticate", "Bearer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("X-Request-Id", "same"),
    ]


@pytest.mark.parametrize(
    "text", [text for text in BAD.values() if text], ids=[name for name, text in BAD.items() if text]
)
def test_no_part_of_a_bad_token_is_logged(logs, text: str):
    shared_app().test_client().get("/v1/deployer", headers={"Authorization": f"Bearer {text}"})

    assert logs.events("token_refused")
    assert not [part for part in text.split(".") if len(part) > 3 and part in logs.text]


def rules(app: Flask) -> list[tuple[str, str]]:
    """Return (method, path) of every rule that is not open, with arguments filled in."""
    return [
        (method, rule.rule.replace("<solution_id>", "mine").replace("<revision_id>", "r1"))
        for rule in app.url_map.iter_rules()
        if rule.rule not in OPEN
        for method in sorted(rule.methods or ())
    ]


@pytest.mark.parametrize("compat", [(), ("graphene",)])
def test_every_route_but_the_open_ones_asks_for_a_token(compat: tuple[str, ...]):
    app = service.create(compat=compat)

    found = {(method, path): app.test_client().open(path, method=method).status_code for method, path in rules(app)}

    assert len(found) == (3 if not compat else 7)
    assert set(found.values()) == {401}


def test_a_caller_is_logged_as_a_hash(logs):
    service.create().test_client().get("/v1/deployer", headers=service.bearer())

    (line,) = logs.events("request_served")
    assert line["caller"] == "cfe00dde46ef9426"
    assert "ada" not in logs.text


def test_keys_that_cannot_be_read_are_our_fault_and_not_the_tokens():
    app = service.create(token_settings={"secret": None, "jwks": "http://127.0.0.1:9/keys"})

    answer = app.test_client().get("/v1/deployer", headers=service.bearer())

    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
