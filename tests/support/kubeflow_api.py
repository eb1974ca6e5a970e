"""Plays the REST API of Kubeflow Pipelines on this machine: what was uploaded and started, and faults on demand."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-of-a-test"
PREFIX = "/pipeline/apis/v2beta1"
LISTED = {
    "experiments": ("experiments", "experiment_id"),
    "runs": ("runs", "run_id"),
    "recurringruns": ("recurringRuns", "recurring_run_id"),
}
PAGE = 2
_PAGES = {"html": 200, "login": 302}


@dataclass
class Api:
    """What the server knows, and what it is to do wrong."""

    url: str = ""
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: list[bytes] = field(default_factory=list)
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {kind: {} for kind in LISTED})
    calls: list[str] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    """(beginning of `METHOD path`, fault): a status, `lost` (done, but nobody hears of it), `html`, `login`, or an answer."""
    ending: dict[str, Any] = field(default_factory=lambda: {"state": "SUCCEEDED"})
    """What becomes of a run that is looked at."""

    def made(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep an object."""
        name = f"{kind}-{len(self.calls)}-{len(self.objects[kind])}"
        moment = f"2026-01-01T00:00:{len(self.calls):02}Z"
        self.objects[kind][name] = {**body, LISTED[kind][1]: name, "created_at": moment}
        return self.objects[kind][name]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the usual 5, many connections at once wait a second for TCP to try again
    api: Api


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def _take(self) -> None:
        api = self.server.api
        parts = urlsplit(self.path)
        call = f"{self.command} {parts.path.removeprefix(PREFIX)}"
        api.calls.append(call)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = _fault(api, call)
        if fault in _PAGES:
            self._send(_PAGES[fault], b"<html>Dashboard</html>")
        elif fault.startswith(("{", "[")):
            self._send(200, fault.encode())
        elif fault and fault != "lost":
            self._send(int(fault), b'{"message": "told so"}')
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, b'{"error_message": "who are you"}')
        else:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            self._tell(_answer(api, call, query, content), is_lost=fault == "lost")

    do_GET = do_POST = do_DELETE = _take  # noqa: N815 - names of the library

    def _tell(self, found: dict[str, Any] | None, *, is_lost: bool) -> None:
        if is_lost:
            self.connection.close()
        elif found is None:
            self._send(404, b'{"message": "not found"}')
        else:
            self._send(200, json.dumps(found).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _fault(api: Api, call: str) -> str:
    for number, (begins, fault) in enumerate(api.faults):
        if call.startswith(begins):
            del api.faults[number]
            return fault
    return ""


@contextmanager
def serving() -> Iterator[Api]:
    """Serve until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.api = Api(url=f"http://127.0.0.1:{server.server_port}/pipeline")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.api
        finally:
            server.shutdown()
            thread.join()


def _answer(api: Api, call: str, query: dict[str, str], content: bytes) -> dict[str, Any] | None:
    method, _, target = call.partition(" ")
    path = target.strip("/").split("/")
    if path[0] == "pipelines":
        return _pipelines(api, method, path[1:], query, content)
    kind = path[0]
    if len(path) == 1 and method == "POST":
        return api.made(kind, json.loads(content))
    if len(path) == 1:
        experiment = query.get("experiment_id", "")
        found = [each for each in api.objects[kind].values() if experiment in {"", each.get("experiment_id")}]
        return _page(LISTED[kind][0], found, query)
    return _one(api, method, kind, *path[1].partition(":")[::2])


def _one(api: Api, method: str, kind: str, name: str, verb: str) -> dict[str, Any] | None:
    found = api.objects[kind].get(name)
    if found is not None and verb == "terminate":
        found["state"] = "CANCELED"
    if found is not None and method == "DELETE":
        del api.objects[kind][name]
    return found if found is None or "state" in found else found | api.ending


def _pipelines(api: Api, method: str, path: list[str], query: dict[str, str], content: bytes) -> dict[str, Any] | None:
    if path == ["upload_version"]:
        api.uploads.append(re.split(rb"\r\n\r\n|\r\n--slipway", content)[1])
        made = {"pipeline_version_id": f"version-{len(api.calls)}", "display_name": query["name"]}
        api.versions[made["pipeline_version_id"]] = made
        return made
    if not path and method == "POST":
        body = json.loads(content)
        api.pipelines[body["display_name"]] = {"pipeline_id": "pipeline-1", **body}
        return api.pipelines[body["display_name"]]
    if path[0] == "names":
        return api.pipelines.get(path[1])
    if method == "DELETE":
        (api.pipelines if len(path) == 1 else api.versions).clear()
        return {}
    return _page("pipeline_versions", list(api.versions.values()), query)


def _page(key: str, found: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    start = int(query.get("page_token", "0"))
    more = {"next_page_token": str(start + PAGE)} if len(found) > start + PAGE else {}
    return {key: found[start : start + PAGE], **more}
