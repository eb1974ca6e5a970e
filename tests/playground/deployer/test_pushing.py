"""A push: tried again until its deadline, with a token of its own each time, and nothing a server says leads elsewhere."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from support.playground import ADA, KEY, bundle
from support.scripted_server import Request, Script, answering, cutting, scripted, silent

from playground.deployer import pushing
from playground.deployer.answers import Pushed
from playground.deployer.pushing import Pusher
from playground.server.push_tokens import PushTokens
from shared.errors import (
    ConflictError,
    InvalidSolutionError,
    RateLimitedError,
    SlipwayError,
    TooLargeError,
    UnavailableError,
    UpstreamError,
    UpstreamTimeoutError,
)
from shared.findings import Findings, note
from shared.origin import Origin
from shared.principal import Principal
from shared.processes import ports
from shared.settings import Secret

PRINCIPAL = Principal(ADA)
FINDING = note("x", "$", expected="a", found="b")
TAKEN: dict[str, Any] = {"id": "sensor-stream-1", "visit": "/deployments/sensor-stream-1/visit?code=a-b_c.d"}


def told(status: int, about: Any = None, **headers: str) -> Script:
    return answering(status, json.dumps(TAKEN if about is None else about).encode(), **headers)


@contextmanager
def pusher(*scripts: Script, seconds: float = 5.0, parallel: int = 4) -> Iterator[tuple[Pusher, list[Request]]]:
    with scripted(*scripts) as (url, requests):
        made = Pusher(Origin.parse(f"{url}/base"), PushTokens(Secret(KEY)), seconds=seconds, parallel=parallel)
        try:
            yield made, requests
        finally:
            made.close()


def test_a_push_carries_the_bundle_and_a_token_for_just_these_bytes() -> None:
    made = bundle()

    with pusher(told(202)) as (to, requests):
        pushed = to.push(made, PRINCIPAL)

    (request,) = requests
    proof = PushTokens(Secret(KEY)).read(request.headers["Authorization"].removeprefix("Bearer "))
    assert pushed == Pushed("sensor-stream-1", True, "a-b_c.d", Findings())
    assert (request.command, request.path) == ("POST", "/base/v1/deployments")
    assert request.headers["Content-Type"] == "application/zip"
    assert (proof.principal_id, proof.digest) == (ADA, hashlib.sha256(request.content).hexdigest())


def test_what_was_pushed_before_is_not_new() -> None:
    with pusher(told(200, TAKEN | {"findings": [FINDING.to_json()]})) as (to, _):
        assert to.push(bundle(), PRINCIPAL) == Pushed("sensor-stream-1", False, "a-b_c.d", Findings((FINDING,)))


@pytest.mark.parametrize(
    "failing", [cutting, told(503), told(502), told(500), answering(202, b"{", Content_Length="99")]
)
def test_what_may_pass_is_tried_again_with_another_token(failing: Script) -> None:
    with pusher(failing, failing, told(202)) as (to, requests):
        assert to.push(bundle(), PRINCIPAL).deployment == "sensor-stream-1"

    assert len({request.headers["Authorization"] for request in requests}) == 3
    assert len({request.content for request in requests}) == 1


def test_a_server_that_hangs_is_left_for_another_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "TRY_SECONDS", 0.3)

    with pusher(silent, told(202)) as (to, requests):
        assert to.push(bundle(), PRINCIPAL).deployment == "sensor-stream-1"

    assert len(requests) == 2


def test_a_server_that_comes_up_meanwhile_is_found() -> None:
    (claim,) = ports.claimed(1)
    port = claim.port
    made = Pusher(Origin.parse(f"http://127.0.0.1:{port}"), PushTokens(Secret(KEY)), seconds=5, parallel=1)
    begun = threading.Event()

    def come_up() -> None:
        begun.wait()
        time.sleep(0.3)
        answer = json.dumps(TAKEN).encode()
        with socket.create_server(("127.0.0.1", port)) as listener, listener.accept()[0] as connection:
            with connection.makefile("rb") as received:
                head = iter(received.readline, b"\r\n")
                size = next(int(line[15:]) for line in head if line.lower().startswith(b"content-length:"))
                list(head)
                received.read(size)
            connection.sendall(b"HTTP/1.1 202 A\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))

    server = threading.Thread(target=come_up)
    server.start()
    begun.set()
    with claim:
        assert made.push(bundle(), PRINCIPAL).deployment == "sensor-stream-1"
        server.join()
    made.close()


@pytest.mark.parametrize(
    ("script", "error"), [(told(503), UpstreamError), (cutting, UpstreamError), (silent, UpstreamTimeoutError)]
)
def test_the_deadline_ends_all_tries(script: Script, error: type[SlipwayError]) -> None:
    begin = time.monotonic()

    with pusher(script, seconds=0.5) as (to, requests), pytest.raises(error):
        to.push(bundle(), PRINCIPAL)

    assert time.monotonic() - begin < 1.5
    assert requests


def test_a_dripping_answer_ends_at_the_deadline() -> None:
    def drip(request: Request) -> None:
        request.send_response(202)
        request.end_headers()
        while not request.stopped.wait(0.05):
            request.wfile.write(b" ")

    with pusher(drip, seconds=0.5) as (to, _), pytest.raises(UpstreamTimeoutError):
        to.push(bundle(), PRINCIPAL)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (told(400, {"detail": "SECRET"}), UpstreamError),
        (told(401, {"detail": "SECRET"}), UpstreamError),
        (told(403, {"detail": "SECRET"}), UpstreamError),
        (told(404, {"detail": "SECRET"}), UpstreamError),
        (told(302, Location="http://127.0.0.1:1/"), UpstreamError),
        (answering(202, b"SECRET"), UpstreamError),
        (answering(202, b'"\xff"'), UpstreamError),
        (answering(202, b"[" * 100_000), UpstreamError),
        (answering(409, b"SECRET"), UpstreamError),
        (told(422, {"detail": "SECRET"}), UpstreamError),
        (told(422, {"findings": [{"severity": "SECRET"}]}), UpstreamError),
        (told(202, {"id": "../SECRET"}), UpstreamError),
        (told(202, {"id": "a" * 53}), UpstreamError),
        (told(202, {"id": "a\n"}), UpstreamError),
        (told(202, TAKEN | {"visit": "//SECRET.example/x"}), UpstreamError),
        (told(202, TAKEN | {"visit": "/deployments/another/visit?code=abc"}), UpstreamError),
        (told(202, TAKEN | {"visit": TAKEN["visit"] + "&next=//SECRET.example"}), UpstreamError),
        (told(202, TAKEN | {"visit": TAKEN["visit"] + "\r\nSet-Cookie: SECRET=1"}), UpstreamError),
        (told(409, {"detail": "is being deleted"}), ConflictError),
        (told(413, {"detail": "too large"}), TooLargeError),
        (told(429, {"detail": "too many"}, Retry_After="7"), RateLimitedError),
        (told(422, {"findings": [FINDING.to_json()]}), InvalidSolutionError),
    ],
)
def test_what_will_not_pass_is_said_at_once(script: Script, error: type[SlipwayError]) -> None:
    with pusher(script) as (to, requests), pytest.raises(error) as caught:
        to.push(bundle(), PRINCIPAL)

    assert "SECRET" not in str(caught.value)
    assert len(requests) == 1


def test_findings_of_the_playground_come_back() -> None:
    with pusher(told(422, {"findings": [FINDING.to_json()]})) as (to, _), pytest.raises(InvalidSolutionError) as caught:
        to.push(bundle(), PRINCIPAL)

    assert tuple(caught.value.findings) == (FINDING,)


@pytest.mark.parametrize(("given", "seconds"), [("7", 7), ("99999999", 3600), ("", 60), ("Sat, 01 Jan 2050", 60)])
def test_a_limit_says_when_to_come_again(given: str, seconds: int) -> None:
    with (
        pusher(told(429, {"detail": "50 are\n\x1b[2Jkept"}, Retry_After=given)) as (to, _),
        pytest.raises(RateLimitedError) as caught,
    ):
        to.push(bundle(), PRINCIPAL)

    assert caught.value.retry_after == seconds
    assert str(caught.value) == "playground: 50 are  [2Jkept"


def test_a_huge_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "MOST_BYTES", 1000)

    with pusher(answering(202, bytes(5000))) as (to, _), pytest.raises(TooLargeError):
        to.push(bundle(), PRINCIPAL)


def test_more_pushes_than_allowed_are_refused_while_the_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "WAIT_SECONDS", 0.1)

    with pusher(silent, seconds=1.0, parallel=1) as (to, requests):
        ended: list[BaseException] = []

        def wait_in_vain() -> None:
            try:
                to.push(bundle(), PRINCIPAL)
            except SlipwayError as problem:
                ended.append(problem)

        first = threading.Thread(target=wait_in_vain)
        first.start()
        while not requests:
            time.sleep(0.01)
        with pytest.raises(UnavailableError):
            to.push(bundle(), PRINCIPAL)
        first.join()

    assert [type(problem) for problem in ended] == [UpstreamTimeoutError]
    assert len(requests) == 1


def test_proxies_and_netrc_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with pusher(told(202)) as (to, _):
        assert to.push(bundle(), PRINCIPAL).code == "a-b_c.d"


def test_an_operator_s_power_does_not_travel() -> None:
    with pusher(told(202)) as (to, requests):
        to.push(bundle(), replace(PRINCIPAL, is_operator=True))

    token = requests[0].headers["Authorization"].removeprefix("Bearer ")
    assert PushTokens(Secret(KEY)).read(token).principal_id == ADA
    assert "operator" not in json.dumps(list(requests[0].headers.values()))


@pytest.mark.parametrize(("script", "message"), [(told(503), "not ready"), (cutting, "connection_broken")])
def test_a_server_that_takes_nothing_now_is_not_ready(script: Script, message: str) -> None:
    with pusher(script) as (to, _), pytest.raises(UnavailableError, match=message):
        to.check()


def test_a_server_that_is_ready_is() -> None:
    with pusher(told(200)) as (to, requests):
        to.check()

    assert requests[0].path == "/base/readyz"
