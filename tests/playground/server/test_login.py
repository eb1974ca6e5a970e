"""A direct visitor signs in with an OpenID provider and finds what a portal has pushed for them, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from support import playground
from support.oidc_provider import CLIENT, CLIENT_SECRET, Provider
from support.playground import ADA, EVE, push

from playground.runtime.process.runtime import ProcessRuntime
from playground.server import document
from playground.server.app import create_app
from playground.server.settings import Settings
from shared.errors import SettingsError
from shared.settings import Secret, load
from shared.web.settings import OidcSettings


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture
def app(provider: Provider, runtime: ProcessRuntime, tmp_path: Path) -> Flask:
    secret = Secret(CLIENT_SECRET)
    oidc = OidcSettings(issuer=provider.issuer, client_id=CLIENT, client_secret=secret, public_url="http://localhost")
    return create_app(playground.settings(tmp_path, oidc=oidc), runtime=runtime)


def arrived(client: FlaskClient) -> str:
    """Sign in, and return where the visitor arrives."""
    away = client.get("/login?next=/deployments/x").headers["Location"]
    back = requests.get(away, allow_redirects=False, timeout=5).headers["Location"]
    return str(client.get(back.removeprefix("http://localhost")).headers["Location"])


def test_a_visitor_finds_their_own(client: FlaskClient) -> None:
    mine = push(client).json["id"]  # type: ignore[index]
    hers = push(client, principal=EVE).json["id"]  # type: ignore[index]

    where = arrived(client)

    listed = client.get("/visitor/deployments").json["deployments"]  # type: ignore[index]
    assert where == "/deployments/x"
    assert [(each["id"], each["owner"]) for each in listed] == [(mine, ADA)]
    assert client.get(f"/visitor/deployments/{hers}").status_code == 404


def test_the_session_of_a_login_opens_no_route_for_programs(client: FlaskClient) -> None:
    arrived(client)

    assert client.get("/v1/deployments").status_code == 401


def test_no_log_line_holds_a_code_a_state_or_a_secret(
    client: FlaskClient, provider: Provider, logs: playground.Any
) -> None:
    arrived(client)

    (form,) = [asked for path, asked in provider.asked if path == "/token"]
    (query,) = [asked for path, asked in provider.asked if path == "/authorize"]
    secrets = [form["code"], form["code_verifier"], query["state"], query["nonce"], CLIENT_SECRET, ADA]
    assert [secret for secret in secrets if secret in logs.text] == []


def test_both_routes_are_described(client: FlaskClient) -> None:
    answer = client.get("/openapi.json").json

    assert answer == document.build(with_login=True)
    assert {"/login", "/login/callback"} <= set(answer["paths"])


def test_without_a_provider_there_is_no_such_route(shared_app: Flask) -> None:
    assert shared_app.test_client().get("/login").status_code == 404


def test_a_login_must_name_people_as_their_tokens_do() -> None:
    environ = {
        "SLIPWAY_PLAYGROUND_RUNTIME": "kubernetes",
        "SLIPWAY_JWT_SECRET": "x" * 32,
        "SLIPWAY_JWT_PRINCIPAL": "oidc",
        "SLIPWAY_JWT_ISSUER": "https://id.example.org",
        "SLIPWAY_OIDC_ISSUER": "https://other.example.org",
        "SLIPWAY_OIDC_CLIENT_ID": "play",
        "SLIPWAY_PUBLIC_URL": "https://play.example.org",
    }

    with pytest.raises(SettingsError, match="SLIPWAY_OIDC_ISSUER: expected the same as SLIPWAY_JWT_ISSUER"):
        load(Settings, environ)


def test_the_page_leads_to_the_provider_and_back(client: FlaskClient) -> None:
    page = client.get("/deployments/x", headers={"Accept": "text/html"})

    assert 'href="/login?next=/deployments/x"' in page.text
