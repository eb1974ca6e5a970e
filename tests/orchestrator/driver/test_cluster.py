"""The cluster's API where it fails for a while, or for good: what no real one does on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from orchestrator.driver.cluster import Cluster
from shared.errors import UpstreamError

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


class Api:
    """An API that gives these answers, the last one for ever, and with a reason; 0: it closes the connection instead."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.answers = [200]
        self.reason = ""
        self.calls: list[str] = []
        self.url = f"http://127.0.0.1:{server.server_port}"

    def next(self, call: str) -> int:
        self.calls.append(call)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def api() -> Iterator[Api]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = found.next(f"{self.command} {self.path.partition('?')[0]}")
            if not status:
                self.close_connection = True
                return
            body = json.dumps({"message": "in words", "reason": found.reason, **CONFIG_MAP}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_POST = do_DELETE = answer  # noqa: N815 - as the server calls them

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Api(server)
        Thread(target=server.serve_forever, args=(0.02,)).start()
        try:
            yield found
        finally:
            server.shutdown()


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "token").write_text("token-of-this-pod")
    with Cluster(api.url, tmp_path, "ml", pause=0) as made:
        yield made


@pytest.mark.parametrize("passing", [[500], [503, 429], [0, 0, 0], [409]])
def test_what_the_api_cannot_do_just_now_is_done_a_moment_later(api: Api, cluster: Cluster, passing: list[int]) -> None:
    api.answers = [*passing, 200]

    cluster.apply(CONFIG_MAP, "uid-1")

    assert api.calls == ["PATCH /api/v1/namespaces/ml/configmaps/a"] * (len(passing) + 1)


@pytest.mark.parametrize("passing", [[500], [409], [0]])
def test_what_cannot_be_made_just_now_is_made_a_moment_later(api: Api, cluster: Cluster, passing: list[int]) -> None:
    api.answers = [*passing, 201]
    api.reason = "Conflict"

    assert cluster.create(CONFIG_MAP)
    assert api.calls == ["POST /api/v1/namespaces/ml/configmaps"] * 2


def test_a_name_that_is_taken_is_not_asked_for_again(api: Api, cluster: Cluster) -> None:
    api.answers = [409]
    api.reason = "AlreadyExists"

    assert not cluster.create(CONFIG_MAP)
    assert len(api.calls) == 1


@pytest.mark.parametrize(("answer", "told"), [(503, "503: in words"), (0, "the API does not answer")])
def test_what_stays_broken_is_told(api: Api, cluster: Cluster, answer: int, told: str) -> None:
    api.answers = [answer]

    with pytest.raises(UpstreamError, match=told):
        cluster.find("ConfigMap", "a")
    assert len(api.calls) == 6


def test_what_is_refused_is_not_asked_again(api: Api, cluster: Cluster) -> None:
    api.answers = [422]

    with pytest.raises(UpstreamError, match="422: in words"):
        cluster.apply(CONFIG_MAP, "uid-1")
    assert len(api.calls) == 1


def test_a_conflict_that_stays_is_told(api: Api, cluster: Cluster) -> None:
    api.answers = [409]
    api.reason = "Conflict"

    with pytest.raises(UpstreamError, match="409: in words"):
        cluster.apply(CONFIG_MAP, "uid-1")
    assert len(api.calls) == 6


def test_what_is_not_there_is_none(api: Api, cluster: Cluster) -> None:
    api.answers = [404]

    assert cluster.find("ConfigMap", "a") is None
    assert cluster.select("ConfigMap", "a=b") == []
    cluster.delete("ConfigMap", {"metadata": {"name": "a", "uid": "uid-1"}})


def test_a_namespace_that_is_missing_is_told_to_who_writes(api: Api, cluster: Cluster) -> None:
    api.answers = [404]

    with pytest.raises(UpstreamError, match="404: in words"):
        cluster.create(CONFIG_MAP)
    with pytest.raises(UpstreamError, match="404: in words"):
        cluster.apply(CONFIG_MAP, "uid-1")
