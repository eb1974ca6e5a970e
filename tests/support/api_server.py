"""A stand-in for the API server on 127.0.0.1: a list for each kind, and watches that misbehave as a test asks.

Only for faults that a real server cannot give on demand. It speaks HTTP as a real one does: chunked answers of JSON lines.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from lightkube import Client, KubeConfig, SingleConfig

Object = dict[str, Any]
Change = Callable[["Answer"], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    kind: str
    """The plural, such as `pods`."""
    query: Mapping[str, str]

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query


@dataclass
class Answer:
    """The answer to a watch, which a test writes bit by bit."""

    handler: BaseHTTPRequestHandler
    stopped: threading.Event

    def send(self, data: bytes) -> None:
        """Send a chunk."""
        self.handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.handler.wfile.flush()

    def change(self, type_: str, changed: Object) -> None:
        """Tell of a change."""
        self.send(json.dumps({"type": type_, "object": changed}).encode() + b"\n")

    def cut(self) -> None:
        """Break off without the end that HTTP asks for."""
        self.handler.connection.close()

    def wait(self, event: threading.Event | None = None) -> None:
        """Say nothing until the event, or the end of the server."""
        (event or self.stopped).wait(20)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the usual 5, many connections at once wait a second for TCP to try again


@dataclass
class ApiServer:
    """The stand-in. `lists` is what a list holds, by the kind's plural; `watches` what the next watches of a kind do."""

    lists: dict[str, list[Object]] = field(default_factory=dict)
    watches: dict[str, list[Change]] = field(default_factory=dict)
    version: int = 100
    refused: set[str] = field(default_factory=set)
    """Kinds that are answered with 403."""
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with suppress(OSError, ValueError):
                    outer.answer(self)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def client(self) -> Client:
        """Return a client of it."""
        port = self._server.server_address[1]
        return Client(config(f"http://127.0.0.1:{port}"))

    def asked(self, kind: str, *, watch: bool) -> list[Request]:
        """Return what was asked of a kind."""
        return [request for request in self.requests if request.kind == kind and request.is_watch is watch]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        url = urlsplit(handler.path)
        request = Request(url.path.rpartition("/")[2], dict(parse_qsl(url.query)))
        self.requests.append(request)
        if request.kind in self.refused:
            self._whole(handler, 403, {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "no"})
        elif request.is_watch:
            self._watch(handler, request)
        else:
            listed = {"items": self.lists.get(request.kind, []), "metadata": {"resourceVersion": str(self.version)}}
            self._whole(handler, 200, listed)

    def _watch(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.flush()
        answer = Answer(handler, self.stopped)
        waiting = self.watches.get(request.kind, [])
        (waiting.pop(0) if waiting else Answer.wait)(answer)
        handler.wfile.write(b"0\r\n\r\n")
        handler.wfile.flush()

    def _whole(self, handler: BaseHTTPRequestHandler, status: int, body: Object) -> None:
        data = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)


def config(url: str) -> SingleConfig:
    """Return what leads a client to a server without a name or a key."""
    return KubeConfig.from_dict(
        {
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    ).get()


def named(name: str, version: int, *, namespace: str = "", installation: str = "here", **more: Any) -> Object:
    """Return an object with the labels of an installation."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": str(version),
        "labels": {"slipway.dev/playground": installation},
    }
    return {"metadata": {key: value for key, value in metadata.items() if value}, **more}
