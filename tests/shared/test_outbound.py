"""The HTTP client against a server that misbehaves in every known way."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import structlog
from support.raw_server import Peer, RawServer, Script, answering

from shared import fault
from shared.deadline import Deadline
from shared.errors import TooLargeError, UpstreamError, UpstreamTimeoutError
from shared.outbound import Limits, Response, Upstream
from shared.settings import Secret

MIB = 1024 * 1024
OK = "200 OK"
BRIEF = Limits(connect=0.2, read=0.2, first_pause=0.01)
SOLID = Limits(failures=100, first_pause=0.01)


def fetch(server: RawServer, *, seconds: float = 5.0, limits: Limits = SOLID, most_bytes: int = MIB) -> Response:
    upstream = Upstream("cds", server.url, limits=limits)
    try:
        return upstream.get("thing", deadline=Deadline.after(seconds), most_bytes=most_bytes)
    finally:
        upstream.close()


def never_answer(peer: Peer) -> None:
    peer.wait(5)


def drip_the_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    peer.drip(b"x", every=0.05)


def drip_the_header(peer: Peer) -> None:
    peer.drip(b"HTTP/1.1 200 OK\r\nX-Long: a", every=0.05)


def drip_chunk_sizes(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.drip(b"0", every=0.05)


def continue_for_ever(peer: Peer) -> None:
    while not peer.wait(0):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def reset_at_once(peer: Peer) -> None:
    peer.reset()


def end_too_soon(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"only this")


def end_within_a_chunk(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nonly this")


def damaged_gzip(peer: Peer) -> None:
    answering(OK, b"\x1f\x8b\x08no gzip at all", "Content-Encoding: gzip")(peer)


def speak_no_http(peer: Peer) -> None:
    peer.send(b"220 smtp.example ESMTP\r\n\r\n")


def send_a_thousand_headers(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n", b"X-Header: 1\r\n" * 1000, b"\r\n")


def send_a_header_of_a_mebibyte(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nX-Header: ", b"a" * MIB, b"\r\n\r\n")


def send_a_gibibyte(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    while not peer.wait(0):
        peer.send(b"x" * MIB)


def send_without_end(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not peer.wait(0):
        peer.send(b"100000\r\n", b"x" * MIB, b"\r\n")


BOMB = gzip.compress(bytes(MIB), 9) * 256
"""A quarter of a gibibyte in a quarter of a mebibyte."""


def send_a_bomb(peer: Peer) -> None:
    answering(OK, BOMB, "Content-Encoding: gzip")(peer)


def test_an_answer_arrives_whole() -> None:
    with RawServer(answering(OK, b"the body", "X-Kind: proto")) as server:
        response = fetch(server)

        assert (response.status, response.headers["x-kind"], response.body) == (200, "proto", b"the body")


def test_a_compressed_answer_arrives_plain() -> None:
    with RawServer(answering(OK, gzip.compress(b"the body"), "Content-Encoding: gzip")) as server:
        assert fetch(server).body == b"the body"


def test_a_missing_thing_is_an_answer_and_no_error() -> None:
    with RawServer(answering("404 Not Found", b"<h1>no such thing</h1>")) as server:
        response = fetch(server)

        assert (response.is_found, response.body) == (False, b"")


@pytest.mark.parametrize(
    "misbehave", [never_answer, drip_the_body, drip_the_header, drip_chunk_sizes, continue_for_ever]
)
def test_the_deadline_holds_in_total(misbehave: Script) -> None:
    with RawServer(misbehave) as server:
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError, match="timeout"):
            fetch(server, seconds=0.2)

        assert 0.15 < time.monotonic() - start < 1.5


def test_the_deadline_holds_for_all_tries_together() -> None:
    # A deadline for each of the tries would end them after half a minute.
    with RawServer(answering("503 Service Unavailable"), never_answer) as server:
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError):
            fetch(server, seconds=1, limits=Limits(tries=30, failures=100, first_pause=0.01))

        assert (len(server.requests), time.monotonic() - start < 4) == (2, True)


def test_each_read_is_limited_even_when_the_deadline_is_far() -> None:
    with RawServer(never_answer, answering(OK, b"second")) as server:
        start = time.monotonic()

        assert fetch(server, limits=BRIEF).body == b"second"
        assert 0.2 <= time.monotonic() - start < 1.5


@pytest.mark.parametrize(
    ("misbehave", "cause", "tries"),
    [
        (reset_at_once, "connection_broken", 3),
        (end_too_soon, "connection_broken", 3),
        (end_within_a_chunk, "connection_broken", 3),
        (answering("500 Internal Server Error", b"SECRET trace"), "server_error", 3),
        (answering("502 Bad Gateway"), "unavailable", 3),
        (answering("503 Service Unavailable"), "unavailable", 3),
        (answering("429 Too Many Requests"), "overloaded", 3),
        (answering("400 Bad Request", b"SECRET"), "unexpected_status", 1),
        (answering("401 Unauthorized"), "refused_us", 1),
        (answering("403 Forbidden"), "refused_us", 1),
        (answering("304 Not Modified"), "redirected", 1),
        (damaged_gzip, "malformed_answer", 1),
        (answering("200 OK", b"", "Content-Length: 7"), "malformed_answer", 1),
        (speak_no_http, "connection_broken", 3),
        (send_a_thousand_headers, "connection_broken", 3),
        (send_a_header_of_a_mebibyte, "connection_broken", 3),
    ],
)
def test_a_misbehaving_server_gives_an_error_with_a_class_word(misbehave: Script, cause: str, tries: int) -> None:
    with RawServer(misbehave) as server:
        with pytest.raises(UpstreamError, match=f"cds: {cause}: ") as caught:
            fetch(server)

        assert (len(server.requests), "SECRET" in str(caught.value), caught.value.status) == (tries, False, 502)


def test_a_server_that_recovers_is_not_noticed() -> None:
    with RawServer(reset_at_once, answering("503 Service Unavailable"), answering(OK, b"third")) as server:
        assert fetch(server).body == b"third"


def test_nobody_listening_is_an_error() -> None:
    with RawServer(never_answer) as server:
        url = server.url

    with pytest.raises(UpstreamError, match="cds: unreachable: "):
        Upstream("cds", url, limits=SOLID).get("x", deadline=Deadline.after(2), most_bytes=10)


def test_nobody_accepting_is_a_timeout() -> None:
    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = server.getsockname()
        for _ in range(2):  # a queue of length 0 has room for one, and one more that is on its way
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError, match="cds: timeout: "):
            Upstream("cds", f"http://127.0.0.1:{address[1]}", limits=BRIEF).get(
                "x", deadline=Deadline.after(0.5), most_bytes=10
            )

        assert time.monotonic() - start < 1.5


def test_an_unknown_host_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="cds: unreachable: "):
        Upstream("cds", "http://no-such-host.invalid", limits=SOLID).get("x", deadline=Deadline.after(2), most_bytes=10)


@pytest.mark.parametrize("flood", [send_a_gibibyte, send_without_end, send_a_bomb])
def test_a_flood_is_cut_at_the_limit_with_little_memory(flood: Script) -> None:
    with RawServer(flood) as server:
        tracemalloc.start()
        try:
            with pytest.raises(TooLargeError, match="cds: expected an answer of at most 1048576 bytes, found more"):
                fetch(server)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        # The server's own buffers count too.
        assert (len(server.requests), peak < 8 * MIB) == (1, True)


def test_a_body_of_exactly_the_limit_is_accepted() -> None:
    with RawServer(answering(OK, b"12345")) as server:
        assert fetch(server, most_bytes=5).body == b"12345"


def test_a_body_one_byte_over_the_limit_is_refused() -> None:
    with RawServer(answering(OK, b"123456")) as server, pytest.raises(TooLargeError):
        fetch(server, most_bytes=5)


def test_retry_after_in_seconds_is_honoured() -> None:
    with RawServer(answering("429 Busy", b"", "Retry-After: 1"), answering(OK)) as server:
        start = time.monotonic()

        fetch(server)

        assert 1.0 <= time.monotonic() - start < 3


def test_retry_after_as_a_date_is_honoured() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)

    assert 18 < fault.of_status(503, date).pause(1, first=0.1) <= 20


def test_a_retry_after_in_the_past_means_at_once() -> None:
    assert fault.of_status(429, "Fri, 31 Dec 1999 23:59:59 GMT").pause(1, first=0.1) == 0


def test_pauses_grow_and_are_jittered() -> None:
    pauses = [fault.of_status(503, None).pause(tried, first=0.1) for tried in (1, 2, 3) for _ in range(50)]

    assert (min(pauses[:50]) >= 0.05, max(pauses[:50]) <= 0.1, min(pauses[100:]) >= 0.2, max(pauses[100:]) <= 0.4) == (
        True,
        True,
        True,
        True,
    )
    assert len(set(pauses)) > 100


@pytest.mark.parametrize("wait", ["60", "999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_past_the_deadline_ends_the_call_at_once(wait: str) -> None:
    with RawServer(answering("429 Busy", b"", f"Retry-After: {wait}")) as server:
        start = time.monotonic()

        with pytest.raises(UpstreamError, match="overloaded"):
            fetch(server, seconds=5)

        assert (len(server.requests), time.monotonic() - start < 1.5) == (1, True)


@pytest.mark.parametrize("wait", ["soon", "-5", "1.5", "\N{SUPERSCRIPT TWO}".encode().decode("latin-1")])
def test_a_retry_after_without_sense_is_ignored(wait: str) -> None:
    with RawServer(answering("429 Busy", b"", f"Retry-After: {wait}"), answering(OK, b"fine")) as server:
        assert fetch(server, seconds=2).body == b"fine"


def test_a_redirect_is_not_followed() -> None:
    with RawServer(answering(OK, b"prey")) as other:
        with (
            RawServer(answering("302 Found", b"", f"Location: {other.url}/prey")) as server,
            pytest.raises(UpstreamError, match="redirected"),
        ):
            fetch(server)

        assert other.requests == []


def test_credentials_and_request_id_travel_to_the_upstream() -> None:
    with RawServer(answering(OK)) as server:
        upstream = Upstream("cds", server.url, credentials=("ccds", Secret("pässword")))

        with structlog.contextvars.bound_contextvars(request_id="0f-1"):
            upstream.get("x", deadline=Deadline.after(2), most_bytes=10)

        assert "Authorization: Basic Y2Nkczpww6Rzc3dvcmQ=\r\n" in server.requests[0]
        assert "X-Request-ID: 0f-1\r\n" in server.requests[0]


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "", "a b", 7, "a" * 129, "é"])
def test_a_request_id_of_a_harmful_form_stays_here(value: object) -> None:
    with RawServer(answering(OK)) as server, structlog.contextvars.bound_contextvars(request_id=value):
        fetch(server)

        assert "X-Request-ID" not in server.requests[0]


def test_neither_proxies_nor_netrc_of_the_environment_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login thief password stolen\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(answering(OK, b"proxied")) as proxy, RawServer(answering(OK, b"direct")) as server:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(variable, proxy.url)

        assert fetch(server).body == b"direct"
        assert (proxy.requests, "Authorization" in server.requests[0]) == ([], False)


def test_cookies_of_the_upstream_are_not_sent_back() -> None:
    with RawServer(answering(OK, b"", "Set-Cookie: session=1; Path=/")) as server:
        upstream = Upstream("cds", server.url)

        upstream.get("x", deadline=Deadline.after(2), most_bytes=10)
        upstream.get("x", deadline=Deadline.after(2), most_bytes=10)

        assert "Cookie" not in server.requests[1]


def attempt(upstream: Upstream) -> str:
    with pytest.raises(UpstreamError) as caught:
        upstream.get("x", deadline=Deadline.after(2), most_bytes=10)
    return str(caught.value)


def test_a_caller_waits_for_its_turn_no_longer_than_its_deadline() -> None:
    with RawServer(never_answer) as server, ThreadPoolExecutor(1) as thread:
        upstream = Upstream("cds", server.url, limits=Limits(parallel=1))
        first = thread.submit(upstream.get, "x", deadline=Deadline.after(0.5), most_bytes=10)
        while not server.requests:
            time.sleep(0.01)
        start = time.monotonic()

        with pytest.raises(UpstreamTimeoutError, match="1 other calls did not end in time"):
            upstream.get("y", deadline=Deadline.after(0.1), most_bytes=10)

        assert (time.monotonic() - start < 1.5, isinstance(first.exception(), UpstreamTimeoutError)) == (True, True)


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "404 Not Found"])
def test_a_check_asks_once_and_ignores_the_body(status: str) -> None:
    with RawServer(answering(status, b"<html>", "Content-Encoding: gzip")) as server:
        Upstream("cds", server.url).check("", deadline=Deadline.after(2))

        assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["500 Internal Server Error", "401 Unauthorized", "302 Found"])
def test_a_check_fails_at_the_first_failure(status: str) -> None:
    with RawServer(answering(status)) as server:
        with pytest.raises(UpstreamError):
            Upstream("cds", server.url).check("", deadline=Deadline.after(2))

        assert len(server.requests) == 1


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    with RawServer(answering(OK)) as server:
        with pytest.raises(UpstreamTimeoutError):
            fetch(server, seconds=0)

        assert server.requests == []


def test_the_credentials_appear_in_no_message_and_no_representation(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with RawServer(answering("500 Internal Server Error", b"BODY-CANARY")) as server:
        upstream = Upstream("cds", server.url, credentials=("ccds", Secret("PASSWORD-CANARY")), limits=SOLID)

        text = attempt(upstream) + repr(upstream) + repr(vars(upstream).get("_origin"))

        everything = text + "".join(capsys.readouterr()) + caplog.text
        assert ("upstream_failed" in everything, "CANARY" in everything) == (True, False)
