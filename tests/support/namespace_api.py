"""A stand-in for the API of one namespace, over HTTP: objects are made once, applied, found and listed.

Only so that a test decides what happens between two calls, and what becomes of workloads: a real server is met by
`tests/cluster`. What it knows of conflicts, it knows from there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

Manifest = dict[str, Any]


@dataclass
class NamespaceApi:
    """The objects by `plural/name`; `before` sees every call, and `then` gives a new object its status."""

    url: str = ""
    objects: dict[str, Manifest] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)
    before: Callable[[str, str], None] = lambda _method, _path: None
    then: Callable[[Manifest], Manifest] = lambda _made: {}
    _uids: Iterator[int] = field(default_factory=lambda: count(1))

    def put(self, plural: str, manifest: Manifest) -> None:
        """Let an object be there."""
        about = {**manifest["metadata"], "uid": f"uid-{next(self._uids)}", "generation": 1}
        self.objects[f"{plural}/{about['name']}"] = {**manifest, "metadata": about, "status": self.then(manifest)}

    def answer(self, method: str, path: str, body: Manifest) -> tuple[int, Manifest]:
        """Return status and object."""
        self.before(method, path)
        place = path.partition("/namespaces/ml/")[2]
        there = self.objects.get(place)
        if method == "GET":
            return (200, there) if there else (404, {"message": f"{place} not found"})
        if method == "POST":
            return self._make(f"{place}/{body['metadata']['name']}", body)
        return self._change(place, body)

    def _make(self, place: str, body: Manifest) -> tuple[int, Manifest]:
        if place in self.objects:
            return 409, {"reason": "AlreadyExists", "message": f"{place} already exists"}
        self.written.append(place)
        self.put(place.partition("/")[0], body)
        return 201, self.objects[place]

    def _change(self, place: str, body: Manifest) -> tuple[int, Manifest]:
        there = self.objects.get(place, {"metadata": {}, "status": {}})
        if body["metadata"].get("uid") != there["metadata"].get("uid"):
            return 422, {"reason": "Invalid", "message": f"{place}: metadata.uid: field is immutable"}
        self.written.append(place)
        self.objects[place] = {**body, "metadata": {**there["metadata"], **body["metadata"]}, "status": there["status"]}
        return 200, self.objects[place]


@contextmanager
def serving() -> Iterator[NamespaceApi]:
    """Serve an empty namespace `ml`."""
    api = NamespaceApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.partition("?")[0]
            status, found = api.answer(self.command, path, json.loads(given or b"{}"))
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = reply  # noqa: N815 - as the server calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        try:
            yield api
        finally:
            server.shutdown()
