"""The route from our pages to a web UI: for whom it is, and nobody else; the proxy's own tests follow the link."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from support.playground import ADA, EVE, OPERATOR, SECRET, bearer, push, session

from playground.proxy.passes import Passes
from playground.proxy.places import mark
from shared.settings import Secret

SIBLING = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FRAME = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}


@pytest.fixture
def path(client: FlaskClient) -> str:
    return f"/visitor/deployments/{push(client).json['id']}/web-uis"  # type: ignore[index]


@pytest.mark.parametrize("who", [ADA, OPERATOR])
def test_a_visitor_is_led_to_the_web_ui_with_a_code_for_it(client: FlaskClient, path: str, who: str) -> None:
    session(client, who)

    answer = client.get(f"{path}/dashboard")

    parts = urlsplit(answer.headers["Location"])
    code = parts.query.partition("=")[2]
    visit = Passes(Secret(SECRET)).redeemed(code, lambda _: True)
    assert (answer.status_code, parts.netloc) == (303, "127.0.0.1:8090")
    assert visit is not None
    assert (visit.principal.id, visit.deployment, visit.mark) == (who, path.split("/")[3], mark("dashboard"))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_visit_ends_with_the_session(client: FlaskClient, path: str) -> None:
    session(client)
    cookie = client.get_cookie("slipway-playground", domain="localhost")

    code = client.get(f"{path}/dashboard").headers["Location"].partition("=")[2]

    visit = Passes(Secret(SECRET)).redeemed(code, lambda _: True)
    assert cookie is not None
    assert cookie.expires is not None
    assert visit is not None
    assert visit.until == int(cookie.expires.timestamp())
    assert len(visit.session) == 32


def test_without_a_session_there_is_no_way(client: FlaskClient, path: str) -> None:
    assert client.get(f"{path}/dashboard").status_code == 401
    assert client.get(f"{path}/dashboard", headers=bearer()).status_code == 401


def test_another_s_deployment_does_not_exist(client: FlaskClient, path: str) -> None:
    session(client, EVE)

    assert client.get(f"{path}/dashboard").status_code == 404


@pytest.mark.parametrize("node", ["sensor", "orchestrator", "nobody"])
def test_a_node_without_a_web_ui_has_no_link(client: FlaskClient, path: str, node: str) -> None:
    session(client)

    assert client.get(f"{path}/{node}").status_code == 404


@pytest.mark.parametrize("headers", [SIBLING, FRAME], ids=["image", "frame"])
def test_a_web_ui_cannot_fetch_a_code_for_another(client: FlaskClient, path: str, headers: dict[str, str]) -> None:
    session(client)

    answer = client.get(f"{path}/dashboard", headers=headers)

    assert answer.status_code == 403
    assert "Location" not in answer.headers
