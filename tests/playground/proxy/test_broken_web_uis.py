"""Web UIs and clients that misbehave: each gets what it can be given, costs little, and disturbs nobody else."""

from __future__ import annotations

import socket
import time

import pytest
from support.raw_server import Peer, RawServer, Script, answering
from support.web_uis import OTHER, Proxy, Told, proxied, received

from playground.proxy.limits import Limits

HEAD = b"HTTP/1.1 200 OK\r\n"


def broken(name: str) -> Script:
    """Return how a web UI misbehaves before an answer."""

    def garbage_for_ever(peer: Peer) -> None:
        while True:
            peer.send(b"\x00\xff" * 32_768)

    scripts: dict[str, Script] = {
        "nothing": lambda _peer: None,
        "reset": lambda peer: peer.reset(),
        "garbage": lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        "garbage for ever": garbage_for_ever,
        "half a head": lambda peer: peer.send(HEAD + b"X: "),
        "a giant header": lambda peer: peer.send(HEAD + b"X: " + b"x" * 200_000 + b"\r\n\r\n"),
        "many headers": lambda peer: peer.send(HEAD + b"X: y\r\n" * 20_000 + b"\r\n"),
        "two lengths": lambda peer: peer.send(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        "a length that is none": lambda peer: peer.send(HEAD + b"Content-Length: -1\r\n\r\n"),
        "an unasked upgrade": lambda peer: peer.send(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n"),
        "a strange coding": lambda peer: peer.send(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
        "a line in a header": lambda peer: peer.send(HEAD + b"X: a\rSet-Cookie: b\r\n\r\n"),
        "only interim answers": lambda peer: peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100),
    }
    return scripts[name]


@pytest.fixture
def cookie(proxy: Proxy) -> str:
    return proxy.arrive()[0]


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "reset",
        "garbage",
        "garbage for ever",
        "half a head",
        "a giant header",
        "many headers",
        "two lengths",
        "a length that is none",
        "an unasked upgrade",
        "a strange coding",
        "a line in a header",
        "only interim answers",
    ],
)
def test_no_proper_answer_is_a_502(proxy: Proxy, runtime: Told, cookie: str, name: str) -> None:
    with RawServer(broken(name)) as server:
        runtime.put(server.port)
        answer, body = proxy.ask("/", Cookie=cookie)

    assert answer.status == 502
    assert b"no proper HTTP" in body


@pytest.mark.parametrize("said", [b"", HEAD + b"X: "], ids=["nothing", "half a head"])
def test_silence_is_a_504(proxy: Proxy, runtime: Told, cookie: str, said: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.send(said)
        peer.wait(10)

    with RawServer(script) as server:
        runtime.put(server.port)
        began = time.monotonic()
        answer, _ = proxy.ask("/", Cookie=cookie)
        seconds = time.monotonic() - began

    assert answer.status == 504
    assert seconds < 2


@pytest.mark.parametrize(
    "said",
    [
        b"Content-Length: 10\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
    ],
    ids=["length", "chunks", "no chunk", "wrong chunk"],
)
def test_an_answer_that_was_cut_does_not_look_whole(proxy: Proxy, runtime: Told, cookie: str, said: bytes) -> None:
    with RawServer(lambda peer: peer.send(HEAD + said)) as server, proxy.raw() as connection:
        runtime.put(server.port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
        found = received(connection)

    assert found.startswith(b"HTTP/1.1 200") or found == b""
    assert b"0\r\n\r\n" not in found
    assert not found.endswith(b"defghijklm")


def test_an_answer_that_stands_still_is_cut(proxy: Proxy, runtime: Told, cookie: str) -> None:
    def script(peer: Peer) -> None:
        peer.send(HEAD + b"Content-Length: 10\r\n\r\nabc")
        peer.wait(10)

    with RawServer(script) as server, proxy.raw() as connection:
        runtime.put(server.port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
        began = time.monotonic()
        received(connection)

    assert time.monotonic() - began < 3


def test_a_visitor_who_takes_nothing_is_let_go(proxy: Proxy, runtime: Told, cookie: str) -> None:
    stuck: list[float] = []

    def flood(peer: Peer) -> None:
        began = time.monotonic()
        peer.send(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        try:
            while True:
                peer.send(bytes(65_536))
        finally:
            stuck.append(time.monotonic() - began)

    with RawServer(flood) as server, proxy.raw() as connection:
        runtime.put(server.port)
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
        end = time.monotonic() + 5
        while not stuck and time.monotonic() < end:
            time.sleep(0.01)

    assert stuck


def test_a_visitor_who_stops_in_the_middle_of_a_body_is_let_go(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with RawServer(lambda peer: peer.wait(10)) as server, proxy.raw() as connection:  # type: ignore[arg-type,return-value]
        runtime.put(server.port)
        connection.sendall(
            f"POST / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\nContent-Length: 100\r\n\r\nabc".encode()
        )
        began = time.monotonic()
        received(connection)

    assert time.monotonic() - began < 2


def test_a_head_that_drips_is_cut_off(proxy: Proxy) -> None:
    with proxy.raw() as connection:
        began = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        connection.settimeout(0.05)
        ended = False
        while not ended and time.monotonic() - began < 5:
            try:
                connection.sendall(b"x")
                ended = connection.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True

    assert ended
    assert time.monotonic() - began < 2


BAD = {
    "no HTTP": b"hello\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: {host}\r\nHost: other\r\n\r\n",
    "a host that is none": b'GET / HTTP/1.1\r\nHost: {host}"\r\n\r\n',
    "two ports": b"GET / HTTP/1.1\r\nHost: {host}:80:80\r\n\r\n",
    "whole url": b"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "connect": b"CONNECT {host}:80 HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "trace": b"TRACE / HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: {host}\r\n{cookie}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "length and chunks": b"POST / HTTP/1.1\r\nHost: {host}\r\n{cookie}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\nHost: {host}\r\n{cookie}Transfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "blank before colon": b"GET / HTTP/1.1\r\nHost: {host}\r\nContent-Length : 1\r\n\r\nx",
    "folded": b"GET / HTTP/1.1\r\nHost: {host}\r\n{cookie}Transfer-Encoding:\r\n\tchunked\r\nX y\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: {host}\r\nX: a\x00b\r\n\r\n",
    "a length that is none": b"POST / HTTP/1.1\r\nHost: {host}\r\n{cookie}Content-Length: +1\r\n\r\nx",
    "many headers": b"GET / HTTP/1.1\r\nHost: {host}\r\n" + b"X: y\r\n" * 80 + b"\r\n",
    "giant": b"GET / HTTP/1.1\r\nHost: {host}\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_could_mean_two_things_reaches_no_web_ui(proxy: Proxy, web_ui: RawServer, cookie: str, name: str) -> None:
    request = BAD[name].replace(b"{host}", proxy.host().encode()).replace(b"{cookie}", f"Cookie: {cookie}\r\n".encode())
    with proxy.raw() as connection:
        connection.sendall(request)
        found = received(connection)

    assert found[9:12] in {b"400", b"431", b"501"}
    assert found.count(b"HTTP/1.1 ") == 1
    assert web_ui.requests == []


def test_bad_chunks_of_a_request_end_it(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with RawServer(lambda peer: peer.wait(5)) as server, proxy.raw() as connection:  # type: ignore[arg-type,return-value]
        runtime.put(server.port)
        head = f"POST / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode() + b"1\r\nx\r\n-1\r\nGET /smuggled HTTP/1.1\r\n\r\n")
        found = received(connection)

    assert b"HTTP/1.1 200" not in found
    assert not [one for one in server.requests if "smuggled" in one]


def until_asked(server: RawServer, count: int) -> None:
    end = time.monotonic() + 20
    while len(server.requests) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_deployment_has_as_many_connections_as_it_may(runtime: Told) -> None:
    silent: Script = lambda peer: peer.wait(20)  # type: ignore[arg-type,return-value]  # noqa: E731
    with proxied(runtime, connections_per_deployment=2, limits=Limits()) as proxy, RawServer(silent) as slow:
        runtime.put(slow.port)
        with RawServer(answering("200 OK", b"other")) as other:
            runtime.put(other.port, OTHER)
            cookie, others = proxy.arrive()[0], proxy.arrive(proxy.link(OTHER))[0]
            held = [proxy.raw() for _ in range(2)]
            for each in held:
                each.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
            until_asked(slow, 2)
            refused, _ = proxy.ask("/", Cookie=cookie)
            served, _ = proxy.ask("/", host=proxy.host(OTHER), Cookie=others)
            for each in held:
                each.close()
            time.sleep(0.1)

    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert served.status == 200


def test_idle_connections_keep_nobody_out(runtime: Told, web_ui: RawServer) -> None:
    with proxied(runtime, connections=8, limits=Limits()) as proxy:
        cookie, _ = proxy.arrive()
        idle = [proxy.raw() for _ in range(30)]

        answer, _ = proxy.ask("/", Cookie=cookie)
        for each in idle:
            each.close()

    assert (answer.status, len(web_ui.requests)) == (200, 1)


def test_a_visitor_too_many_is_told(runtime: Told) -> None:
    silent: Script = lambda peer: peer.wait(20)  # type: ignore[arg-type,return-value]  # noqa: E731
    with proxied(runtime, connections=8, limits=Limits()) as proxy, RawServer(silent) as slow:
        runtime.put(slow.port)
        cookie, _ = proxy.arrive()
        held = [proxy.raw() for _ in range(8)]
        for each in held:
            each.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
        until_asked(slow, 8)
        refused, _ = proxy.ask("/", Cookie=cookie)
        for each in held:
            each.close()

    assert refused.status == 503


def test_a_closed_proxy_leaves_no_connection(runtime: Told) -> None:
    with RawServer(lambda peer: peer.drip(HEAD + b"\r\nx", every=0.01)) as server:
        runtime.put(server.port)
        with proxied(runtime) as proxy:
            cookie, _ = proxy.arrive()
            connection = proxy.raw()
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
            assert connection.recv(10)
        received(connection)
        connection.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=1)
