"""A marketplace for tests: answers the calls of CDS and Nexus over real HTTP, from recordings and from what a test adds.

CDS is below `/ccds`, Nexus below `/nexus`, both behind HTTP basic. What is not known gets the answer of the real services:
`null` or an empty list from CDS, 404 from Nexus.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

USER = "ccds_client"
PASSWORD = "made-for-tests"


@dataclass(frozen=True)
class Answer:
    """What one path gives."""

    status: int
    content_type: str
    body: bytes
    seconds: float = 0.0
    """How long it takes, beside what every answer takes."""


@dataclass
class Asked:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128  # with the usual 5, many connections at once wait a second for TCP to try again


@dataclass
class CdsServer:
    """Serves until the `with` block ends; answers may be added at any time."""

    seconds: float = 0.0
    """How long each answer takes at least."""
    unknown_in_cds: Answer | None = None
    """In place of `null` and the empty list."""
    asked: list[Asked] = field(default_factory=list)
    """All requests, in the order of arrival."""
    most_at_once: int = 0
    """How many requests were being answered at the same time, at most."""

    def __post_init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._lock = Lock()
        self._running = 0
        self._held: int | None = None
        self._released = 0
        self._change = Condition(self._lock)
        self._stopped = Event()
        self._connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """The root of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def cds_url(self) -> str:
        """What `SLIPWAY_PERSISTENCE=acumos:…` would name."""
        return f"{self.url}/ccds"

    @property
    def nexus_url(self) -> str:
        """What `SLIPWAY_NEXUS_URL` would name."""
        return f"{self.url}/nexus"

    @property
    def paths(self) -> list[str]:
        """The paths asked for so far."""
        return [asked.path for asked in self.asked]

    def replay(self, recordings: Path) -> Self:
        """Answer as in the recordings, one JSON file for each call."""
        for file in sorted(recordings.glob("*.json")):
            recording = json.loads(file.read_text(encoding="utf-8"))
            response = recording["response"]
            body = response["body"].encode() if "body" in response else json.dumps(response["jsonBody"]).encode()
            self.add(
                recording["request"]["url"],
                body,
                status=response["status"],
                content_type=response["headers"]["Content-Type"],
            )
        return self

    def add(
        self,
        path: str,
        body: bytes | list[Any] | dict[str, Any] | None,
        *,
        status: int = 200,
        content_type: str = "",
        seconds: float = 0.0,
    ) -> None:
        """Answer a path with bytes, or with a value as JSON."""
        is_bytes = isinstance(body, bytes)
        kind = content_type or ("text/plain" if is_bytes else "application/json;charset=UTF-8")
        self._answers[path] = Answer(status, kind, body if is_bytes else json.dumps(body).encode(), seconds)

    def publish(
        self,
        solution_id: str,
        revision_id: str,
        artifacts: Sequence[tuple[str, str, str]],
        *,
        name: str = "a solution",
        toolkit: str | None = "CP",
        owner: str = "",
    ) -> None:
        """Answer for a revision with these artifacts: type, name and uri."""
        self.add(
            f"/ccds/solution/{solution_id}",
            {"solutionId": solution_id, "name": name, "toolkitTypeCode": toolkit, "userId": owner or None},
        )
        self.add(
            f"/ccds/solution/{solution_id}/revision/{revision_id}",
            {"revisionId": revision_id, "solutionId": solution_id, "version": "1"},
        )
        self.add(
            f"/ccds/revision/{revision_id}/artifact",
            [
                {"artifactTypeCode": kind, "name": title, "uri": uri, "version": "1.0.0"}
                for kind, title, uri in artifacts
            ],
        )

    def hold(self) -> None:
        """Hold all answers until `release`."""
        self._held = 0

    def release(self, expected: int) -> bool:
        """Give the answers that are held, once it is so many; those to later requests are held again.

        False when it never was so many: then nobody asks for them at the same time.
        """
        with self._change:
            arrived = self._change.wait_for(lambda: self._held == expected, timeout=5)
            self._held = 0
            self._released += 1
            self._change.notify_all()
        return arrived

    def answer_now(self, path: str) -> Answer:
        """Return what was added for a path."""
        return self._answers[path]

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Return what a request gets, after the time that it takes."""
        with self._lock:
            self.asked.append(Asked(path, headers))
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            answer = self._find(path, headers)
            self._wait_for_release()
            self._stopped.wait(self.seconds + answer.seconds)
            return answer
        finally:
            with self._lock:
                self._running -= 1

    def connected(self, connection: socket.socket) -> None:
        """Remember a connection, to be able to end it."""
        self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    def _wait_for_release(self) -> None:
        with self._change:
            if self._held is None:
                return
            self._held += 1
            before = self._released
            self._change.notify_all()
            self._change.wait_for(lambda: self._released > before, timeout=10)

    def _find(self, path: str, headers: Mapping[str, str]) -> Answer:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if headers.get("Authorization") != f"Basic {pair}":
            return Answer(401, "application/json", b'{"status":401,"error":"Unauthorized"}')
        if path in self._answers:
            return self._answers[path]
        if not path.startswith("/ccds/"):
            return Answer(404, "text/html", b"<html>no such artifact</html>")
        is_list = path.endswith("/artifact") or path.startswith("/ccds/catalog/solution/")
        return self.unknown_in_cds or Answer(200, "application/json", b"[]" if is_list else b"null")


def _handler(server: CdsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet
        timeout = 5

        def setup(self) -> None:
            super().setup()
            server.connected(self.connection)

        def finish(self) -> None:
            server.disconnected(self.connection)
            super().finish()

        def do_GET(self) -> None:
            answer = server.answer(unquote(self.path), dict(self.headers))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Stay quiet: the tests read `asked`."""

    return Handler
