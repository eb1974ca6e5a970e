"""Browser sessions: from a token to a cookie, with everything that keeps another page from using it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from support import service, tokens
from support.tokens import NOW, claims, token

from shared.settings import Secret
from shared.tokens import Verifier
from shared.web import application, session_routes
from shared.web.authentication import Authenticator
from shared.web.sessions import Sessions
from shared.web.settings import SessionSettings, WebSettings

KEY = Secret("a key for cookies that nobody else knows")
CROSS_SITE = "the request comes from another site"
NO_CSRF = "expected the page's token in the header X-CSRF-Token or the field csrf_token"


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = float(NOW)

    def __call__(self) -> float:
        return self.time


Pages = Callable[..., FlaskClient]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(tmp_path: Path, clock: Clock) -> Pages:
    """Return a maker of services with two pages: `/who` for everybody, `/change` for a session; all share a key."""

    def client(name: str = "catalog", base: str = "http://localhost:8080", **changes: object) -> FlaskClient:
        settings = SessionSettings(**{"key": KEY, "spent_folder": str(tmp_path), **changes})
        sessions = Sessions(name, settings, now=clock)
        authenticator = Authenticator(
            Verifier(tokens.settings(operators=("ada@example.org",)), now=clock), sessions=sessions
        )
        app = application.create(name, import_name=__name__, readiness=dict, openapi={}, settings=WebSettings())
        session_routes.register(app, authenticator, sessions)
        add_pages(app, authenticator)
        made = app.test_client()
        made.application.config["TEST_BASE"] = base
        return made

    return client


def add_pages(app: Flask, authenticator: Authenticator) -> None:
    @app.get("/who")
    def who() -> str:
        visitor = authenticator.visitor(request)
        return f"{visitor.id} {visitor.user_id} {visitor.is_operator}" if visitor else "nobody"

    @app.post("/change")
    def change() -> str:
        session = authenticator.session(request)
        return "changed" if session else "nobody"

    @app.get("/csrf")
    def csrf() -> str:
        session = authenticator.session(request)
        return session.csrf if session else ""

    @app.get("/api")
    def api() -> str:
        return authenticator.caller(request).id


def call(client: FlaskClient, method: str, path: str, **kwargs: object):
    return client.open(path, method=method, base_url=client.application.config["TEST_BASE"], **kwargs)


def signed_in(client: FlaskClient, text: str | None = None) -> FlaskClient:
    answer = call(client, "POST", "/session", headers=service.bearer(text))
    assert answer.status_code == 204
    return client


def code(client: FlaskClient) -> str:
    answer = call(client, "POST", "/session/codes", headers=service.bearer())
    assert answer.status_code == 201
    assert answer.json["url"] == f"/session?code={answer.json['code']}"
    return str(answer.json["code"])


def test_a_token_is_exchanged_for_a_session(pages: Pages):
    assert call(signed_in(pages()), "GET", "/who").text == "ada@example.org u-1 True"


@pytest.mark.parametrize(
    ("base", "cookie"),
    [
        (
            "http://localhost:8080",
            "slipway-catalog={}; Expires=Fri, 15 Jan 2027 09:00:00 GMT; HttpOnly; Path=/; SameSite=Lax",
        ),
        (
            "http://127.0.0.1:8080",
            "slipway-catalog={}; Expires=Fri, 15 Jan 2027 09:00:00 GMT; HttpOnly; Path=/; SameSite=Lax",
        ),
        (
            "https://localhost",
            "__Host-slipway-catalog={}; Expires=Fri, 15 Jan 2027 09:00:00 GMT; Secure; HttpOnly; Path=/; SameSite=Lax",
        ),
        (
            "http://slipway.example.org",
            "__Host-slipway-catalog={}; Expires=Fri, 15 Jan 2027 09:00:00 GMT; Secure; HttpOnly; Path=/; SameSite=Lax",
        ),
        (
            "http://localhost.example.org",
            "__Host-slipway-catalog={}; Expires=Fri, 15 Jan 2027 09:00:00 GMT; Secure; HttpOnly; Path=/; SameSite=Lax",
        ),
    ],
)
def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(pages: Pages, base: str, cookie: str):
    client = pages(base=base)

    answer = call(client, "POST", "/session", headers=service.bearer())

    (found,) = answer.headers.getlist("Set-Cookie")
    value = found.partition(";")[0].partition("=")[2]
    assert found == cookie.format(value)
    assert value.count(".") == 1


def test_the_cookie_does_not_hold_the_token(pages: Pages):
    text = token()

    answer = call(pages(), "POST", "/session", headers=service.bearer(text))

    assert not [part for part in text.split(".") if part in answer.headers["Set-Cookie"]]


@pytest.mark.parametrize("path", ["/session", "/session/codes"])
def test_a_session_needs_a_token(pages: Pages, path: str):
    assert call(pages(), "POST", path).status_code == 401


def test_a_session_does_not_begin_with_a_token_in_the_query(pages: Pages):
    assert call(pages(), "POST", f"/session?jwtToken={token()}").status_code == 401


def test_without_a_session_nobody_visits(pages: Pages):
    assert call(pages(), "GET", "/who").text == "nobody"


def test_a_session_ends_after_its_longest_life(pages: Pages, clock: Clock):
    client = signed_in(pages(seconds=600))
    clock.time += 600

    assert call(client, "GET", "/who").text == "nobody"


def test_a_session_does_not_outlive_its_token(pages: Pages, clock: Clock):
    client = signed_in(pages(), token(claims(exp=NOW + 60)))
    clock.time += 60

    assert call(client, "GET", "/who").text == "nobody"


def test_a_session_is_known_to_every_copy_of_the_service(pages: Pages):
    first, second = signed_in(pages()), pages()
    cookie = first.get_cookie("slipway-catalog", domain="localhost")

    second.set_cookie("slipway-catalog", cookie.value, domain="localhost")

    assert call(second, "GET", "/who").text == "ada@example.org u-1 True"


def stolen(pages: Pages, **changes: object) -> FlaskClient:
    cookie = signed_in(pages()).get_cookie("slipway-catalog", domain="localhost")
    other = pages(**changes)
    name = changes.get("name", "catalog")
    other.set_cookie(f"slipway-{name}", cookie.value, domain="localhost")
    return other


def test_a_session_of_another_service_does_not_count(pages: Pages):
    assert call(stolen(pages, name="playground"), "GET", "/who").text == "nobody"


def test_a_session_signed_with_another_key_does_not_count(pages: Pages):
    assert call(stolen(pages, key=Secret("x" * 32)), "GET", "/who").text == "nobody"


def test_a_changed_cookie_does_not_count(pages: Pages):
    client = signed_in(pages())
    value = client.get_cookie("slipway-catalog", domain="localhost").value
    client.set_cookie("slipway-catalog", "A" + value[1:], domain="localhost")

    assert call(client, "GET", "/who").text == "nobody"


def test_an_unprefixed_cookie_does_not_count_away_from_this_machine(pages: Pages):
    value = signed_in(pages()).get_cookie("slipway-catalog", domain="localhost").value
    client = pages(base="https://slipway.example.org")
    client.set_cookie("slipway-catalog", value, domain="slipway.example.org")

    assert call(client, "GET", "/who").text == "nobody"


def test_the_api_does_not_read_the_cookie(pages: Pages):
    assert call(signed_in(pages()), "GET", "/api").status_code == 401


@pytest.mark.parametrize("where", ["header", "field"])
def test_our_own_page_may_change_something(pages: Pages, where: str):
    client = signed_in(pages())
    csrf = call(client, "GET", "/csrf").text
    proof = {"headers": {"X-CSRF-Token": csrf}} if where == "header" else {"data": {"csrf_token": csrf}}

    assert call(client, "POST", "/change", **proof).text == "changed"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8080"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_our_own_page_may_say_where_it_comes_from(pages: Pages, headers: dict[str, str]):
    client = signed_in(pages())
    csrf = call(client, "GET", "/csrf").text

    assert call(client, "POST", "/change", headers={**headers, "X-CSRF-Token": csrf}).text == "changed"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example.org"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "http://localhost"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_foreign_page_may_not_even_with_the_pages_token(pages: Pages, headers: dict[str, str]):
    client = signed_in(pages())
    csrf = call(client, "GET", "/csrf").text

    answer = call(client, "POST", "/change", headers={**headers, "X-CSRF-Token": csrf})

    assert (answer.status_code, answer.json["detail"]) == (403, CROSS_SITE)


@pytest.mark.parametrize("given", [None, "", "x", "é"])
def test_without_the_pages_token_nothing_changes(pages: Pages, given: str | None):
    client = signed_in(pages())
    headers = {} if given is None else {"X-CSRF-Token": given}

    answer = call(client, "POST", "/change", headers=headers)

    assert (answer.status_code, answer.json["detail"]) == (403, NO_CSRF)


def test_the_pages_token_of_another_session_does_not_count(pages: Pages):
    client = pages()
    csrf = call(signed_in(client), "GET", "/csrf").text

    answer = call(signed_in(client), "POST", "/change", headers={"X-CSRF-Token": csrf})

    assert answer.status_code == 403


def test_a_link_with_a_code_begins_a_session(pages: Pages):
    client = pages()

    answer = call(client, "GET", f"/session?code={code(client)}")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert call(client, "GET", "/who").text == "ada@example.org u-1 True"


def test_a_code_works_once_in_all_copies_together(pages: Pages):
    first, second = pages(), pages()
    text = code(first)

    statuses = [call(client, "GET", f"/session?code={text}").status_code for client in (first, second, first)]

    assert statuses == [303, 401, 401]


def test_a_code_works_for_a_minute(pages: Pages, clock: Clock):
    client = pages()
    text = code(client)
    clock.time += 60

    assert call(client, "GET", f"/session?code={text}").status_code == 401


def test_looking_at_a_link_does_not_use_it_up(pages: Pages):
    client = pages()
    text = code(client)

    looked = call(client, "HEAD", f"/session?code={text}").status_code

    assert (looked, call(client, "GET", f"/session?code={text}").status_code) == (405, 303)


@pytest.mark.parametrize("query", ["", "?code=", "?code=x", "?code=x.y", "?code=%C3%A9", "?jwtToken=x"])
def test_something_else_than_a_code_begins_nothing(pages: Pages, query: str):
    assert call(pages(), "GET", f"/session{query}").status_code == 401


def test_a_cookie_is_no_code_and_a_code_no_cookie(pages: Pages):
    client = signed_in(pages())
    cookie = client.get_cookie("slipway-catalog", domain="localhost").value
    other = pages()
    other.set_cookie("slipway-catalog", code(other), domain="localhost")

    assert call(client, "GET", f"/session?code={cookie}").status_code == 401
    assert call(other, "GET", "/who").text == "nobody"


def test_a_session_from_a_code_does_not_outlive_the_token(pages: Pages, clock: Clock):
    client = pages()
    short = call(client, "POST", "/session/codes", headers=service.bearer(token(claims(exp=NOW + 90)))).json["code"]
    call(client, "GET", f"/session?code={short}")
    clock.time += 90

    assert call(client, "GET", "/who").text == "nobody"


@pytest.mark.parametrize(("method", "path", "status"), [("DELETE", "/session", 204), ("POST", "/session/end", 303)])
def test_a_visitor_may_sign_out(pages: Pages, method: str, path: str, status: int):
    client = signed_in(pages())
    csrf = call(client, "GET", "/csrf").text

    answer = call(client, method, path, headers={"X-CSRF-Token": csrf})

    assert (answer.status_code, call(client, "GET", "/who").text) == (status, "nobody")


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/session"), ("POST", "/session/end")])
def test_a_foreign_page_cannot_sign_a_visitor_out(pages: Pages, method: str, path: str):
    assert call(signed_in(pages()), method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/session"), ("POST", "/session/end")])
def test_only_a_visitor_can_sign_out(pages: Pages, method: str, path: str):
    assert call(pages(), method, path).status_code == 401


def test_no_cookie_code_or_token_is_logged(pages: Pages, logs):
    client = pages()
    text = code(client)
    call(client, "GET", f"/session?code={text}")
    call(client, "GET", f"/session?code={text}")
    cookie = client.get_cookie("slipway-catalog", domain="localhost").value
    csrf = call(client, "GET", "/csrf").text

    secrets = [*text.split("."), *cookie.split("."), csrf, *token().split(".")]
    assert logs.events("request_served")
    assert not [secret for secret in secrets if secret in logs.text]


def test_a_stolen_cookie_ends_with_its_owner_s_session(pages: Pages):
    owner, thief = signed_in(pages()), pages()
    stolen = owner.get_cookie("slipway-catalog", domain="localhost")
    thief.set_cookie("slipway-catalog", stolen.value, domain="localhost")
    before = call(thief, "GET", "/who").text

    csrf = call(owner, "GET", "/csrf").text
    ended = call(owner, "DELETE", "/session", headers={"X-CSRF-Token": csrf})

    assert before == "ada@example.org u-1 True"
    assert ended.status_code == 204
    assert call(thief, "GET", "/who").text == "nobody"


def test_the_end_of_one_session_leaves_the_same_visitor_s_others(pages: Pages):
    here, there = signed_in(pages()), signed_in(pages())

    csrf = call(here, "GET", "/csrf").text
    call(here, "DELETE", "/session", headers={"X-CSRF-Token": csrf})

    assert call(there, "GET", "/who").text == "ada@example.org u-1 True"
