"""Asking a deployer: one token for one call, and nothing that a misbehaving one can do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.catalog import SECRET
from support.scripted_server import Request, Script, answering, scripted

from services.catalog import deployers
from services.catalog.claims import derived_id
from services.catalog.deployers import Accepted, Built, Deployer, DeployerClient, Refused
from services.catalog.settings import DeployerPlace
from shared.errors import (
    NotFoundError,
    RateLimitedError,
    SlipwayError,
    TooLargeError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)
from shared.origin import Origin
from shared.principal import Principal
from shared.settings import Secret
from shared.solution import Ids
from shared.tokens import TokenSettings, Verifier

ADA = Principal("ada@example.org", user_id="u-1")
IDS = Ids.parse("s", "r1")


@contextmanager
def deployer(answer: Script, *playgrounds: str) -> Iterator[tuple[DeployerClient, list[Request]]]:
    """Serve one answer for everything; give a client that knows `playgrounds`, and the requests as they came."""
    with scripted(answer) as (url, requests):
        place = DeployerPlace("tiny", f"{url}/base/")
        client = DeployerClient(place, SECRET.encode(), playgrounds=[Origin.parse(known) for known in playgrounds])
        try:
            yield client, requests
        finally:
            client.close()


ZIP = answering(200, b"PK and more", Content_Type="application/zip", Slipway_Findings="errors=0, warnings=2")


def test_a_bundle_is_built_for_the_visitor_and_nobody_else() -> None:
    with deployer(ZIP) as (client, requests):
        assert client.build(IDS, ADA) == Built(b"PK and more", "errors=0, warnings=2")

    (request,) = requests
    assert (request.command, request.path) == ("POST", "/base/v1/bundles")
    assert json.loads(request.content) == {"solutionId": "s", "revisionId": "r1", "options": {}}
    proof = Verifier(TokenSettings(secret=Secret(SECRET))).verify(request.headers["Authorization"][7:])
    assert proof.principal == Principal("ada@example.org", user_id=derived_id("ada@example.org"))
    assert proof.expires <= time.time() + 60


def test_an_operator_s_power_does_not_travel() -> None:
    with deployer(ZIP) as (client, requests):
        client.build(IDS, Principal("root@example.org", is_operator=True))

    settings = TokenSettings(secret=Secret(SECRET), operator_role="admin")
    assert not Verifier(settings).verify(requests[0].headers["Authorization"][7:]).principal.is_operator


def test_findings_come_back_as_findings() -> None:
    finding = {"severity": "error", "code": "x", "path": "$", "expected": "a", "found": "b", "hint": ""}
    body = json.dumps({"detail": "see findings", "findings": [finding]}).encode()

    with deployer(answering(422, body)) as (client, _):
        outcome = client.build(IDS, ADA)

    assert isinstance(outcome, Refused)
    assert [f.to_json() for f in outcome.findings] == [finding]


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/v1/deployments/7", "/base/v1/deployments/7"),
        ("//evil.example/x", None),
        ("http://evil.example/x", None),
        ("javascript:alert(1)", None),
        ("/../../x", None),
        ("", None),
    ],
)
def test_a_push_is_followed_only_to_the_deployer_itself(location: str, kept: str | None) -> None:
    with deployer(answering(202, Location=location)) as (client, _):
        outcome = client.build(IDS, ADA)

    assert isinstance(outcome, Accepted)
    assert (outcome.location or "").endswith(kept or "")
    assert (outcome.location is None) == (kept is None)


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("https://play.example.org:443/here/deployments/sensors-1/visit?code=a-b_c.d", True),
        ("https://play.example.org:443/here/deployments/sensors-1", True),
        ("http://127.0.0.1:8084/deployments/sensors-1", True),
        ("https://play.example.org:443/deployments/sensors-1", False),
        ("https://play.example.org:443/here/deployments/sensors-1?next=//evil.example", False),
        ("https://play.example.org:443/here/../deployments/sensors-1", False),
        ("https://play.example.org.evil.example/here/deployments/sensors-1", False),
        ("https://play.example.org:443@evil.example/here/deployments/sensors-1", False),
        ("//evil.example/deployments/sensors-1", False),
        ("deployments/sensors-1", False),
        ("javascript:alert(1)", False),
    ],
)
def test_what_was_pushed_is_watched_on_a_page_of_a_known_playground_only(page: str, *, kept: bool) -> None:
    pushed = answering(
        202, json.dumps({"page": page}).encode(), Location="https://play.example.org/here/v1/deployments/x"
    )

    with deployer(pushed, "https://play.example.org/here", "http://127.0.0.1:8084") as (client, _):
        assert client.build(IDS, ADA) == Accepted(page if kept else None)


def test_the_limit_that_a_visitor_has_met_is_named() -> None:
    body = b'{"detail": "at most 50 deployments of one person"}'

    with deployer(answering(429, body)) as (client, _), pytest.raises(RateLimitedError, match="tiny: at most 50 depl"):
        client.build(IDS, ADA)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answering(404), NotFoundError),
        (answering(429), RateLimitedError),
        (answering(503), UnavailableError),
        (answering(500, b"SECRET"), UpstreamError),
        (answering(401, b"SECRET"), UpstreamError),
        (answering(302, Location="http://127.0.0.1:1/"), UpstreamError),
        (answering(200, b"<html>SECRET", Content_Type="text/html"), UpstreamError),
        (answering(200, b"SECRET", Content_Type="application/zip"), UpstreamError),
        (answering(422, b"SECRET"), UpstreamError),
        (answering(422, b'{"findings": [{"severity": "SECRET"}]}'), UpstreamError),
        (answering(200, b"PK", Content_Type="application/zip", Content_Length="99"), UpstreamError),
    ],
)
def test_a_misbehaving_deployer_is_told_apart_and_not_repeated(answer: Script, error: type[SlipwayError]) -> None:
    with deployer(answer) as (client, requests), pytest.raises(error) as caught:
        client.build(IDS, ADA)

    assert "SECRET" not in str(caught.value)
    assert len(requests) == 1


def test_a_huge_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployers, "MOST_ZIP", 1000)

    with (
        deployer(answering(200, b"PK" + bytes(2000), Content_Type="application/zip")) as (client, _),
        pytest.raises(TooLargeError),
    ):
        client.build(IDS, ADA)


def test_a_dripping_answer_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployers, "BUILD_SECONDS", 0.4)

    def drip(handler: Request) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(30):
            try:
                handler.wfile.write(b"P")
            except OSError:
                return
            time.sleep(0.1)

    begin = time.monotonic()
    with deployer(drip) as (client, _), pytest.raises(UpstreamTimeoutError):
        client.build(IDS, ADA)

    assert time.monotonic() - begin < 2


def test_nobody_listening_is_an_error() -> None:
    client = DeployerClient(DeployerPlace("tiny", "http://127.0.0.1:1/"), SECRET.encode())

    with pytest.raises(UpstreamError, match="tiny: unreachable"):
        client.build(IDS, ADA)


def test_a_deployer_describes_itself_once() -> None:
    with deployer(answering(200, b'{"name": "x", "title": "Tiny", "summary": "For tests."}')) as (client, requests):
        found = [client.describe(ADA) for _ in range(3)]

    assert found == [Deployer("tiny", "Tiny", "For tests.")] * 3
    assert [request.path for request in requests] == ["/base/v1/deployer"]


@pytest.mark.parametrize("answer", [answering(500), answering(200, b"nonsense"), answering(200, b'{"title": 5}')])
def test_a_deployer_that_does_not_is_called_by_its_name_and_left_alone_for_a_while(answer: Script) -> None:
    with deployer(answer) as (client, requests):
        found = [client.describe(ADA) for _ in range(3)]

    assert found == [Deployer("tiny", "tiny", "")] * 3
    assert len(requests) == 1


def test_proxies_and_netrc_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:  # noqa: PTH123 - a path as text is what the variable wants
        file.write("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", netrc)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    with deployer(ZIP) as (client, requests):
        client.build(IDS, ADA)

    assert requests[0].headers["Authorization"].startswith("Bearer ")
