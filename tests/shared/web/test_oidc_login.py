"""Signing in with a real OpenID provider, and with one that breaks a rule: then nobody is signed in."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask, request
from flask.testing import FlaskClient
from support import oidc_provider, tokens
from support.oidc_provider import CLIENT, CLIENT_SECRET, Provider, unsigned
from support.raw_server import RawServer
from support.tokens import SECRET
from werkzeug.test import TestResponse

from shared.errors import SettingsError
from shared.settings import Secret, load
from shared.tokens import Verifier
from shared.web import application, oidc_discovery, oidc_login, session_routes
from shared.web.authentication import Authenticator
from shared.web.oidc_login import Login
from shared.web.oidc_provider import Provider as Known
from shared.web.sessions import Sessions
from shared.web.settings import OidcSettings, SessionSettings, WebSettings
from shared.web.spent import SpentCodes

HERE = "http://localhost:8080"


class Clock:
    """Goes with the machine's clock, and a test may move it on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


Make = Callable[..., FlaskClient]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture
def make(provider: Provider, tmp_path: Path, clock: Clock) -> Make:
    """Return a maker of services with a login and a page that says who looks at it."""

    def client(*, people: Any = None, **changes: Any) -> FlaskClient:
        given = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret": Secret(CLIENT_SECRET)}
        oidc = OidcSettings(**{**given, "public_url": HERE, **changes})
        people = people or tokens.settings(
            principal="oidc", issuer=oidc.issuer, operators=(f"{provider.issuer}#root",), operator_role="boss"
        )
        kept = SessionSettings(key=Secret(SECRET), spent_folder=str(tmp_path))
        sessions = Sessions("tiny", kept, now=clock)
        app = application.create("tiny", import_name=__name__, readiness=dict, openapi={}, settings=WebSettings())
        authenticator = Authenticator(Verifier(people), sessions=sessions)
        session_routes.register(app, authenticator, sessions)
        spend = SpentCodes(tmp_path).spend
        known = Known(oidc, people, now=clock)
        Login("tiny", known, sessions, kept, public_url=oidc.public_url, spend=spend, now=clock).register(app)
        _add_page(app, authenticator)
        return app.test_client()

    return client


def _add_page(app: Flask, authenticator: Authenticator) -> None:
    @app.get("/who")
    def who() -> str:
        visitor = authenticator.visitor(request)
        return f"{visitor.id} {visitor.is_operator}" if visitor else "nobody"


def begun(client: FlaskClient, path: str = "/login") -> str:
    """Begin a login, and return where the provider sends the browser back to."""
    answer = client.get(path, base_url=HERE)
    assert answer.status_code == 302, answer.text
    sent = requests.get(answer.headers["Location"], allow_redirects=False, timeout=5)
    assert sent.status_code == 302, sent.text
    return sent.headers["Location"].removeprefix(HERE)


def ended(client: FlaskClient, back: str) -> TestResponse:
    return client.get(back, base_url=HERE)


def login(client: FlaskClient, path: str = "/login") -> TestResponse:
    return ended(client, begun(client, path))


def who(client: FlaskClient) -> str:
    return client.get("/who", base_url=HERE).text


def test_whoever_the_provider_names_is_signed_in(make: Make, provider: Provider) -> None:
    client = make()

    answer = login(client)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert who(client) == f"{provider.issuer}#248289761001 False"


def test_the_session_is_the_cookie_that_every_session_has(make: Make) -> None:
    answer = login(make())

    session, ended_login = answer.headers.getlist("Set-Cookie")
    assert session.startswith("slipway-tiny=")
    assert session.endswith("; HttpOnly; Path=/; SameSite=Lax")
    assert ended_login.startswith("slipway-tiny-login=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0;")


def test_away_from_this_machine_both_cookies_are_for_this_host_and_tls_only(make: Make) -> None:
    client = make(public_url="https://play.example.org")

    cookie = client.get("/login", base_url="https://play.example.org").headers["Set-Cookie"]

    assert cookie.startswith("__Host-slipway-tiny-login=")
    assert cookie.endswith("; Secure; HttpOnly; Path=/; SameSite=Lax")


def test_what_is_asked_of_the_provider_is_exactly_the_code_flow_with_pkce(make: Make, provider: Provider) -> None:
    location = make(scopes=("roles",)).get("/login", base_url="http://evil.example.org").headers["Location"]

    query = parse_qs(urlsplit(location).query)
    assert location.startswith(f"{provider.issuer}/authorize?")
    assert {name: query[name] for name in ("response_type", "client_id", "redirect_uri", "scope")} == {
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [f"{HERE}/login/callback"],
        "scope": ["openid roles"],
    }
    assert query["code_challenge_method"] == ["S256"]
    assert {len(query[name][0]) for name in ("code_challenge", "nonce")} == {43}


def test_nothing_that_a_browser_sees_tells_the_verifier(make: Make, provider: Provider) -> None:
    client = make()
    answer = client.get("/login", base_url=HERE)
    ended(client, requests.get(answer.headers["Location"], allow_redirects=False, timeout=5).headers["Location"])

    (form,) = [asked for path, asked in provider.asked if path == "/token"]
    assert len(form["code_verifier"]) == 43
    assert form["code_verifier"] not in str(answer.headers)


def test_a_visitor_arrives_at_the_page_they_wanted(make: Make) -> None:
    answer = login(make(), "/login?next=/deployments/a-b?tab=logs%26x=1")

    assert answer.headers["Location"] == "/deployments/a-b?tab=logs&x=1"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.org",
        "/\\evil.org",
        "https://evil.org",
        "evil",
        "",
        "/a\nb",
        "/\t/evil.org",
        "/" + "a" * 600,
        "/ä",
        "/#x",
    ],
)
def test_a_login_leads_to_no_other_place(make: Make, wanted: str) -> None:
    answer = make().get("/login", query_string={"next": wanted}, base_url=HERE)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")  # type: ignore[index]


@pytest.mark.parametrize("user", [{"sub": "root"}, {"roles": ["x", "boss"]}], ids=["listed", "by role"])
def test_an_operator_is_one(make: Make, provider: Provider, user: dict[str, Any]) -> None:
    provider.user |= user
    client = make()

    login(client)

    assert who(client).endswith(" True")


def test_where_people_are_known_by_their_e_mail_a_verified_one_is_who_they_are(make: Make, provider: Provider) -> None:
    client = make(people=tokens.settings())

    login(client)

    assert who(client) == "ada@example.org False"
    assert [asked["scope"] for path, asked in provider.asked if path == "/authorize"] == ["openid email"]


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_e_mail_that_nobody_verified_is_nobody_s(make: Make, provider: Provider, verified: object) -> None:
    provider.claims = {"email_verified": verified}
    client = make(people=tokens.settings())

    assert login(client).status_code == 401
    assert who(client) == "nobody"


def test_a_secret_goes_into_the_form_where_the_provider_wants_it_there(make: Make, provider: Provider) -> None:
    provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert login(make()).status_code == 303


def test_a_provider_below_a_path_with_a_slash_at_its_end_is_itself(make: Make, provider: Provider) -> None:
    provider.issuer += "/realms/one/"
    provider.discovery = {
        "authorization_endpoint": f"{provider.issuer}authorize",
        "token_endpoint": f"{provider.issuer}token/",
        "jwks_uri": f"{provider.issuer}keys",
    }

    assert login(make()).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "x" * 43},
        {"nonce": None},
        {"nonce": 7},
        {"nonce": "\ud800"},
        {"iss": "https://evil.example.org"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"exp": 10**15},
        {"iat": 10**12},
        {"nbf": 10**12},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
    ],
    ids=str,
)
def test_an_id_token_that_breaks_a_rule_signs_nobody_in(make: Make, provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    client = make()

    answer = login(client)

    assert (answer.status_code, answer.json["code"]) == (401, "bad_token")  # type: ignore[index]
    assert "Set-Cookie" not in answer.headers
    assert who(client) == "nobody"


def test_a_token_for_several_readers_is_good_when_it_was_made_for_us(make: Make, provider: Provider) -> None:
    provider.claims = {"aud": ["another", CLIENT], "azp": CLIENT}

    assert login(make()).status_code == 303


@pytest.mark.parametrize(
    "token",
    [
        unsigned("none"),
        unsigned("NoNe"),
        lambda provider, claims: provider.signed(claims, alg="none"),
        lambda provider, claims: provider.signed(claims, key=ec.generate_private_key(ec.SECP256R1())),
        lambda provider, claims: provider.signed(claims, kid="2"),
        lambda provider, claims: provider.signed(claims, crit=["exp"]),
        lambda _, claims: tokens.sign(
            {"alg": "HS256", "kid": "1"}, claims, key=CLIENT_SECRET.encode(), algorithm="HS256"
        ),
        lambda *_: "not.a.token!",
        lambda *_: "",
    ],
    ids=[
        "none",
        "NoNe",
        "none but signed",
        "another key",
        "unknown kid",
        "crit",
        "hmac of the secret",
        "junk",
        "empty",
    ],
)
def test_an_id_token_that_the_provider_did_not_sign_signs_nobody_in(
    make: Make, provider: Provider, token: Callable[[Provider, dict[str, Any]], str]
) -> None:
    provider.token = token
    client = make()

    assert login(client).status_code == 401
    assert who(client) == "nobody"


def test_an_answer_counts_once(make: Make, provider: Provider) -> None:
    client = make()
    back = begun(client)
    cookie = client.get_cookie("slipway-tiny-login", domain="localhost")
    assert cookie is not None

    first = ended(client, back)
    client.set_cookie("slipway-tiny-login", cookie.value, domain="localhost")
    second = ended(client, back)

    assert (first.status_code, second.status_code) == (303, 401)
    assert provider.count("/token") == 1


def test_another_browser_s_answer_does_not_count(make: Make, provider: Provider) -> None:
    mine, hers = make(), make()
    back = begun(hers)

    begun(mine)

    assert [ended(client, back).status_code for client in (mine, make())] == [401, 401]
    assert provider.count("/token") == 0
    assert ended(hers, back).status_code == 303


@pytest.mark.parametrize("change", [{"state": "0" * 32}, {"state": ""}, {"state": None}], ids=str)
def test_an_answer_with_another_state_does_not_count(make: Make, provider: Provider, change: dict[str, Any]) -> None:
    provider.redirect = change

    assert login(make()).status_code == 401
    assert provider.count("/token") == 0


def test_a_login_takes_ten_minutes_at_most(make: Make, clock: Clock) -> None:
    client = make()
    back = begun(client)
    clock.ahead = oidc_login.LOGIN_SECONDS + 1

    assert ended(client, back).status_code == 401


def test_a_code_of_another_login_is_not_accepted_by_the_provider(make: Make) -> None:
    mine, hers = make(), make()
    stolen = parse_qs(urlsplit(begun(hers)).query)["code"][0]
    back = begun(mine).replace("code=", f"code={stolen}&old=")

    answer = ended(mine, back)

    assert (answer.status_code, who(mine)) == (401, "nobody")


def test_a_code_of_another_provider_is_not_sent_to_this_one(make: Make, provider: Provider) -> None:
    provider.redirect = {"iss": "https://other.example.org"}

    assert login(make()).status_code == 401
    assert provider.count("/token") == 0


@pytest.mark.parametrize(("named", "status"), [(True, 303), (False, 401)])
def test_a_provider_that_always_names_itself_must(make: Make, provider: Provider, *, named: bool, status: int) -> None:
    provider.discovery = {"authorization_response_iss_parameter_supported": True}
    provider.redirect = {"iss": provider.issuer} if named else {}

    assert login(make()).status_code == status


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example.org"},
        {"issuer": None},
        {"token_endpoint": "http://evil.example.org/token"},
        {"token_endpoint": "https://evil.example.org/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "/etc/passwd"},
        {"jwks_uri": None},
        {"jwks_uri": "http://127.0.0.1"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://127.0.0.1/a?b=c"},
        {"authorization_endpoint": ["http://127.0.0.1/a"]},
    ],
    ids=str,
)
def test_a_provider_that_says_something_else_of_itself_is_not_asked(
    make: Make, provider: Provider, discovery: dict[str, Any]
) -> None:
    provider.discovery = discovery

    answer = make().get("/login", base_url=HERE)

    assert (answer.status_code, answer.json["code"]) == (502, "upstream_error")  # type: ignore[index]
    assert "evil" not in answer.text


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"a":1,"a":2}', b"x" * 300_000], ids=lambda body: body[:9])
def test_a_provider_that_answers_anything_else_has_failed(make: Make, provider: Provider, body: bytes) -> None:
    provider.failing["/openid-configuration"] = (200, body)

    assert make().get("/login", base_url=HERE).status_code in {413, 502}


@pytest.mark.parametrize(
    ("path", "failure", "status"),
    [
        ("/token", (400, b'{"error":"invalid_grant"}'), 401),
        ("/token", (401, b'{"error":"invalid_client"}'), 502),
        ("/token", (302, b""), 502),
        ("/token", (500, b"canary-7f3a"), 502),
        ("/token", (200, b"canary-7f3a"), 502),
        ("/token", (200, b'{"access_token":"x"}'), 502),
        ("/keys", (500, b"canary-7f3a"), 503),
        ("/keys", (200, b'{"keys":[]}'), 503),
    ],
    ids=str,
)
def test_a_provider_that_fails_signs_nobody_in(
    make: Make, provider: Provider, path: str, failure: tuple[int, bytes], status: int
) -> None:
    provider.failing[path] = failure
    client = make()

    answer = login(client)

    assert (answer.status_code, who(client)) == (status, "nobody")
    assert "canary" not in answer.text


def test_a_provider_that_is_down_is_told_so_soon(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    begin = time.monotonic()

    answer = make(issuer=f"http://127.0.0.1:{port}").get("/login", base_url=HERE)

    assert (answer.status_code, answer.json["code"]) == (502, "upstream_error")  # type: ignore[index]
    assert time.monotonic() - begin < 5


def test_a_silent_provider_holds_a_few_threads_for_a_moment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oidc_discovery, "CALL_SECONDS", 0.6)
    monkeypatch.setattr(oidc_login, "WAIT_SECONDS", 0.1)
    with RawServer(lambda peer: peer.wait(5) and None) as silent:
        app = make(issuer=silent.url).application

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: app.test_client().get("/login", base_url=HERE), range(8)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(503) >= 8 - oidc_login.AT_ONCE
    assert set(statuses) <= {502, 503, 504}


def test_what_a_provider_said_is_remembered(make: Make, provider: Provider) -> None:
    client = make()
    login(client)
    provider.failing["/openid-configuration"] = (500, b"")

    answer = login(client)

    assert answer.status_code == 303
    assert (provider.count("/openid-configuration"), provider.count("/keys")) == (1, 1)


@pytest.mark.parametrize(("said", "told"), [("access_denied", "access_denied"), ("\x1b[2J<b>", "unknown_error")])
def test_a_refusal_is_told_in_a_word(make: Make, provider: Provider, said: str, told: str) -> None:
    provider.redirect = {"code": None, "error": said}

    answer = login(make())

    assert answer.status_code == 403
    assert answer.json["detail"] == f"the identity provider did not sign you in: {told}"  # type: ignore[index]


@pytest.mark.parametrize("more", ["&code=x", "&state=x", "&iss=x&iss=y"])
def test_what_stands_there_twice_is_nobody_s(make: Make, more: str) -> None:
    client = make()

    assert ended(client, begun(client) + more).status_code == 401


def test_who_only_looks_at_the_way_back_does_not_use_it_up(make: Make) -> None:
    client = make()
    back = begun(client)

    assert client.head(back, base_url=HERE).status_code == 405
    assert ended(client, back).status_code == 303


def test_signing_out_ends_the_session(make: Make) -> None:
    client = make()
    login(client)
    csrf = Sessions("tiny", SessionSettings(key=Secret(SECRET)))
    cookie = client.get_cookie("slipway-tiny", domain="localhost")
    assert cookie is not None
    with client.application.test_request_context(
        headers={"Cookie": f"slipway-tiny={cookie.value}", "Host": "localhost:8080"}
    ) as context:
        session = csrf.read(context.request)
    assert session is not None

    answer = client.delete("/session", headers={"X-CSRF-Token": session.csrf}, base_url=HERE)

    assert (answer.status_code, who(client)) == (204, "nobody")


GOOD = {
    "SLIPWAY_OIDC_ISSUER": "https://id.example.org/realms/one",
    "SLIPWAY_OIDC_CLIENT_ID": "play",
    "SLIPWAY_PUBLIC_URL": "https://play.example.org",
}


def test_without_an_issuer_there_is_no_login() -> None:
    assert load(OidcSettings, {}).issuer is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SLIPWAY_OIDC_ISSUER", "http://id.example.org"),
        ("SLIPWAY_OIDC_ISSUER", "https://id.example.org?a=b"),
        ("SLIPWAY_OIDC_ISSUER", "https://user:word@id.example.org"),
        ("SLIPWAY_OIDC_ISSUER", "/etc/passwd"),
        ("SLIPWAY_OIDC_CLIENT_ID", ""),
        ("SLIPWAY_PUBLIC_URL", ""),
        ("SLIPWAY_PUBLIC_URL", "http://play.example.org"),
    ],
)
def test_half_or_unsafe_settings_are_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load(OidcSettings, GOOD | {variable: value})


def test_a_login_makes_nobody_else_of_somebody_who_brings_a_token() -> None:
    people = tokens.settings(principal="oidc", issuer="https://other.example.org")

    with pytest.raises(ValueError, match="SLIPWAY_OIDC_ISSUER: expected the same as SLIPWAY_JWT_ISSUER"):
        load(OidcSettings, GOOD).check(people)


def test_no_secret_is_shown() -> None:
    shown = repr(load(OidcSettings, {**GOOD, "SLIPWAY_OIDC_CLIENT_SECRET": oidc_provider.CLIENT_SECRET}))

    assert oidc_provider.CLIENT_SECRET not in shown
