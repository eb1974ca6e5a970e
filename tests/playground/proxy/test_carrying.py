"""What is carried: bodies of any size in both directions, streams as they come, WebSockets, and each request once."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import wsproto
from support.raw_server import Peer, RawServer, answering
from support.web_uis import NODE, Proxy, Told, proxied, received
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    RejectConnection,
    Request,
    TextMessage,
)

from playground.proxy.limits import Limits

MIB = 1024 * 1024


class Handler(BaseHTTPRequestHandler):
    """A web UI of the standard library: it takes and gives as much as it is told."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        size = int(self.path.rpartition("/")[2] or 0)
        self.send_response(200)
        if self.path.startswith("/chunked"):
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(size))
        self.end_headers()
        for sent in range(0, size, MIB):
            piece = bytes(min(MIB, size - sent))
            if self.path.startswith("/chunked"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            else:
                self.wfile.write(piece)
        if self.path.startswith("/chunked"):
            self.wfile.write(b"0\r\nX-Trailer: x\r\n\r\n")

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "12345")
        self.end_headers()

    def do_POST(self) -> None:
        digest, size = hashlib.sha256(), 0
        for piece in self.pieces():
            digest.update(piece)
            size += len(piece)
        body = json.dumps({"size": size, "digest": digest.hexdigest(), "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pieces(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", "0"))
        while left and (piece := self.rfile.read(min(MIB, left))):
            left -= len(piece)
            yield piece

    def log_message(self, *_args: Any) -> None:
        return


class Standard(ThreadingHTTPServer):
    """Runs it."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_args: Any) -> None:
        """Say nothing of visitors who go away."""


@pytest.fixture
def standard(runtime: Told) -> Iterator[ThreadingHTTPServer]:
    with Standard(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        runtime.put(server.server_port)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cookie(proxy: Proxy) -> str:
    return proxy.arrive()[0]


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("path", ["/plain/0", "/plain/1", f"/plain/{32 * MIB}", f"/chunked/{32 * MIB}", "/chunked/0"])
def test_answers_of_any_size_come_whole(proxy: Proxy, cookie: str, path: str) -> None:
    answer, body = proxy.ask(path, Cookie=cookie)

    assert (answer.status, len(body)) == (200, int(path.rpartition("/")[2]))
    assert "X-Trailer" not in answer.headers


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("size", [0, 1, 65_536, 32 * MIB])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_requests_of_any_size_arrive_whole(proxy: Proxy, cookie: str, size: int, is_chunked: bool) -> None:  # noqa: FBT001
    data = b"x" * size
    body = (data[at : at + MIB] for at in range(0, size, MIB)) if is_chunked else data

    answer, told = proxy.ask("/", method="POST", body=body, Cookie=cookie)

    assert answer.status == 200
    assert json.loads(told)["digest"] == hashlib.sha256(data).hexdigest()


@pytest.mark.usefixtures("standard")
def test_a_head_has_the_length_of_what_would_come(proxy: Proxy, cookie: str) -> None:
    answer, body = proxy.ask("/", method="HEAD", Cookie=cookie)

    assert (answer.status, answer.headers["Content-Length"], body) == (200, "12345", b"")


@pytest.mark.usefixtures("standard")
def test_who_waits_to_be_asked_for_the_body_is_asked(proxy: Proxy, cookie: str) -> None:
    with proxy.raw() as connection:
        head = f"POST / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        interim = connection.recv(65536)
        connection.sendall(b"abc")

        final = connection.recv(65536)

    assert interim.startswith(b"HTTP/1.1 100")
    assert final.startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("standard")
def test_a_connection_is_used_again(proxy: Proxy, cookie: str) -> None:
    connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    statuses = []
    for _ in range(5):
        connection.request("POST", "/", body=b"abc", headers={"Host": proxy.host(), "Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        statuses.append((answer.status, connection.sock is not None))
    connection.close()

    assert statuses == [(200, True)] * 5


@pytest.mark.usefixtures("standard")
def test_requests_one_behind_the_other_are_answered_in_order(proxy: Proxy, cookie: str) -> None:
    one = f"HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n"
    with proxy.raw() as connection:
        connection.sendall(
            f"GET /plain/1 {one}\r\nGET /plain/2 {one}\r\nGET /plain/3 {one}Connection: close\r\n\r\n".encode()
        )
        found = received(connection)

    lengths = [line for line in found.lower().split(b"\r\n") if line.startswith(b"content-length")]
    assert lengths == [b"content-length: 1", b"content-length: 2", b"content-length: 3"]


def test_an_old_client_gets_an_answer_that_ends_with_the_connection(proxy: Proxy, standard: Any, cookie: str) -> None:
    with proxy.raw() as connection:
        connection.sendall(f"GET /chunked/5 HTTP/1.0\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
        head, _, body = received(connection).partition(b"\r\n\r\n")

    assert standard
    assert b"transfer-encoding" not in head.lower()
    assert body == bytes(5)


def test_events_come_as_they_are_sent(proxy: Proxy, runtime: Told, cookie: str) -> None:
    heard = threading.Event()

    def stream(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        assert heard.wait(10)
        peer.send(b"data: 2\n\n")

    with RawServer(stream) as server:
        runtime.put(server.port)
        connection = HTTPConnection("127.0.0.1", proxy.port, timeout=10)
        connection.request("GET", "/", headers={"Host": proxy.host(), "Cookie": cookie})
        answer = connection.getresponse()
        first = answer.readline()
        heard.set()
        rest = answer.read()
        connection.close()

    assert (first, rest) == (b"data: 1\n", b"\ndata: 2\n\n")


def test_an_answer_may_come_before_the_request_is_over(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with RawServer(answering("413 Content Too Large", b"no")) as server, proxy.raw() as connection:
        runtime.put(server.port)
        connection.sendall(
            f"POST / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\nContent-Length: 100000000\r\n\r\nxxx".encode()
        )
        found = received(connection)

    assert found.startswith(b"HTTP/1.1 413")
    assert found.endswith(b"no")


def test_who_goes_away_is_noticed_though_nothing_is_sent(proxy: Proxy, runtime: Told, cookie: str) -> None:
    gone = threading.Event()

    def wait(peer: Peer) -> None:
        peer._connection.settimeout(5)
        if not peer._connection.recv(1):
            gone.set()

    with RawServer(wait) as server:
        runtime.put(server.port)
        with proxy.raw() as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
            while not server.requests:
                time.sleep(0.001)

        assert gone.wait(3)


class Socket:
    """The client's side of a WebSocket; wsproto is the oracle."""

    def __init__(self, proxy: Proxy, cookie: str, **headers: str) -> None:
        self.tcp = proxy.raw()
        self.http = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        extra = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        extra += [(b"Cookie", cookie.encode())] if cookie else []
        self.send(Request(host=proxy.host(), target="/ws?x=1", extra_headers=extra, subprotocols=["chat"]))

    def send(self, event: Any) -> None:
        self.tcp.sendall(self.http.send(event))

    def next(self) -> Any:
        while True:
            for event in self.http.events():
                return event
            data = self.tcp.recv(65536)
            self.http.receive_data(data or None)

    def message(self) -> bytes | str:
        found: Any = self.next()
        assert isinstance(found, Message)
        data = found.data
        while not found.message_finished:
            found = self.next()
            data += found.data
        return data  # type: ignore[no-any-return]


@contextmanager
def echoing(runtime: Told) -> Iterator[RawServer]:
    """Give a WebSocket node that sends back what it gets."""

    def script(peer: Peer) -> None:
        tcp = peer._connection
        http = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        http.receive_data(server.requests[-1].encode("latin-1"))
        while True:
            for event in http.events():
                if isinstance(event, Request):
                    tcp.sendall(http.send(AcceptConnection(subprotocol="chat")) + http.send(TextMessage("hello")))
                elif isinstance(event, Message):
                    tcp.sendall(http.send(type(event)(event.data, message_finished=event.message_finished)))
                elif isinstance(event, CloseConnection):
                    tcp.sendall(http.send(event.response()))
                    return
            data = tcp.recv(65536)
            if not data:
                return
            http.receive_data(data)

    with RawServer(script) as server:
        runtime.put(server.port)
        yield server


def test_a_websocket_carries_messages_both_ways(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with echoing(runtime) as server:
        client = Socket(proxy, cookie, Origin=f"http://{proxy.host()}")
        accepted, hello = client.next(), client.message()
        client.send(TextMessage("ä"))
        text = client.message()
        client.send(BytesMessage(bytes(3 * MIB)))
        data = client.message()
        client.send(CloseConnection(1000))
        closed = client.next()
        client.tcp.close()

    assert (accepted.subprotocol, hello, text, data) == ("chat", "hello", "ä", bytes(3 * MIB))
    assert closed.code == 1000
    assert server.requests[0].startswith("GET /ws?x=1 HTTP/1.1\r\n")
    assert "slipway-ui" not in server.requests[0]


def test_a_websocket_ends_with_the_deployment(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with echoing(runtime):
        client = Socket(proxy, cookie)
        client.next()
        client.message()
        runtime.deployments.clear()
        began = time.monotonic()
        received(client.tcp)
        client.tcp.close()

    assert time.monotonic() - began < 2


def test_a_websocket_ends_with_the_session(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with echoing(runtime):
        client = Socket(proxy, cookie)
        client.next()
        client.message()
        proxy.ended.add("s1")
        began = time.monotonic()
        received(client.tcp)
        client.tcp.close()

    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("origin", "status"), [("http://evil.example.org", 403), ("null", 403), ("", 101), (None, 101)], ids=str
)
def test_a_foreign_page_opens_no_websocket(
    proxy: Proxy, runtime: Told, cookie: str, origin: str | None, status: int
) -> None:
    with echoing(runtime) as server:
        own = {} if origin is None else {"Origin": origin or f"http://{proxy.host()}"}
        client = Socket(proxy, cookie, **own)
        found = client.next()
        client.tcp.close()
        asked = len(server.requests)

    assert (found.status_code if isinstance(found, RejectConnection) else 101, asked) == (status, int(status == 101))


def test_without_a_cookie_there_is_no_websocket(proxy: Proxy, runtime: Told) -> None:
    with echoing(runtime) as server:
        client = Socket(proxy, "")
        found = client.next()
        client.tcp.close()

    assert (found.status_code, server.requests) == (401, [])


def test_a_web_ui_that_takes_no_websocket_says_so(proxy: Proxy, runtime: Told, cookie: str) -> None:
    with RawServer(answering("426 Upgrade Required", b"version 14 only")) as server:
        runtime.put(server.port)
        client = Socket(proxy, cookie)
        found = client.next()
        client.tcp.close()

    assert found.status_code == 426


@pytest.mark.parametrize("upgrade", ["h2c", "websocket, h2c", "TLS/1.0"])
def test_nothing_but_websockets_is_upgraded_to(proxy: Proxy, runtime: Told, cookie: str, upgrade: str) -> None:
    with RawServer(answering("200 OK", b"plain")) as server:
        runtime.put(server.port)
        answer, body = proxy.ask("/", Cookie=cookie, Connection="Upgrade, HTTP2-Settings", Upgrade=upgrade)

    assert (answer.status, body) == (200, b"plain")
    assert "upgrade" not in server.requests[0].lower()


def test_200_connections_at_once_are_served(runtime: Told, standard: Any) -> None:
    assert standard
    with proxied(runtime, limits=Limits()) as proxy:
        cookie, _ = proxy.arrive()
        connections = [socket.create_connection(("127.0.0.1", proxy.port), timeout=20) for _ in range(200)]
        request = f"GET /plain/20000 HTTP/1.1\r\nHost: {proxy.host(node=NODE)}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        for each in connections:
            each.sendall(request.encode())
        found = [received(each).partition(b"\r\n\r\n") for each in connections]
        for each in connections:
            each.close()

    assert {head.partition(b"\r\n")[0] for head, _, _ in found} == {b"HTTP/1.1 200 OK"}
    assert {len(body) for _, _, body in found} == {20_000}


def test_small_answers_wait_for_nothing(proxy: Proxy, web_ui: RawServer, cookie: str) -> None:
    took = []
    with proxy.raw() as connection:
        for _ in range(15):
            began = time.monotonic()
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {proxy.host()}\r\nCookie: {cookie}\r\n\r\n".encode())
            found = b""
            while not found.endswith(b"hello"):
                found += connection.recv(65536)
            took.append(time.monotonic() - began)

    # What holds a part back until another was acknowledged costs 40 ms each time.
    assert min(took) < 0.03
    assert len(web_ui.requests) == 15
