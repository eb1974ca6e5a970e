"""Execution data as Graphene writes them, and sent to an allowed marketplace only."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, bearer, bundle, push, zipped

from playground.runtime.deployment import Push
from playground.runtime.process.runtime import ProcessRuntime
from playground.server.app import create_app
from playground.server.execution_data import execution_run
from shared import archive
from shared.errors import InvalidSolutionError, NotFoundError
from shared.origin import Origin
from shared.principal import Principal

BODY = {"fullId": "s-1", "origin": "here", "apiToken": "very secret"}


class Marketplace(BaseHTTPRequestHandler):
    """Remembers what it is sent."""

    seen: list[tuple[str, dict[str, str], bytes]] = []  # noqa: RUF012 - one server per test
    status = 200

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.seen.append((self.path, dict(self.headers), self.rfile.read(length)))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def marketplace() -> Iterator[ThreadingHTTPServer]:
    kind = type("OfThisTest", (Marketplace,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/market"


def from_marketplace(source: str) -> bytes:
    """Return the zip of a bundle that says where it comes from."""
    made = bundle()
    return archive.write(replace(made, files={**made.files, "source_system_url.txt": source.encode()}).sealed)


def client_with(runtime: ProcessRuntime, folder: Path, *origins: str) -> FlaskClient:
    settings = playground.settings(folder, source_systems=tuple(map(Origin.parse, origins)))
    return create_app(settings, runtime=runtime).test_client()


def sent(client: FlaskClient, source: str, **changes: Any) -> Any:
    path = push(client, from_marketplace(source)).headers["Location"]
    return client.post(f"{path}/execution-data", json=BODY | changes, headers=bearer())


def test_what_ran_is_the_blueprint_with_a_checksum_for_each_node(client: FlaskClient) -> None:
    path = push(client).headers["Location"]

    answer = client.get(f"{path}/execution_run.json", headers=bearer())

    assert answer.json is not None
    blueprint = json.loads(bundle().files["blueprint.json"])
    assert answer.json["type"] == "execution-run/v1"
    assert set(answer.json) == {*blueprint, "system_info", "type"}
    assert [{**node, "checksum": ""} for node in blueprint["nodes"]] == answer.json["nodes"]
    assert {node["container_name"] for node in answer.json["nodes"]} == {"sensor", "detector", "dashboard"}
    assert set(answer.json["system_info"]) == {"system_name", "fqdn", "cpu", "gpu", "memory"}
    assert answer.json["system_info"]["system_name"] == "slipway-playground"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="execution_run.json"'


def test_the_checksum_is_what_really_runs_or_the_digest_of_the_image(runtime: ProcessRuntime) -> None:
    made = bundle()
    found, _ = runtime.create(Push(Principal(ADA), "s", made.ids, made.digest, made.sealed))
    nodes = [replace(found.nodes[0], image_id="sha256:aa"), replace(found.nodes[1], image="x/y@sha256:bb")]

    document = execution_run(replace(found, nodes=tuple(nodes)), made.sealed, name="here")

    checksums = {node["container_name"]: node["checksum"] for node in document["nodes"]}
    assert checksums == {"sensor": "sha256:aa", "detector": "sha256:bb", "dashboard": ""}


def test_a_node_that_runs_under_a_plainer_name_has_its_checksum(runtime: ProcessRuntime) -> None:
    made = bundle()
    found, _ = runtime.create(Push(Principal(ADA), "s", made.ids, made.digest, made.sealed))
    text = made.files["blueprint.json"].replace(b'"container_name": "sensor"', b'"container_name": "Sensor"')
    running = replace(found, nodes=(replace(found.nodes[0], image_id="sha256:aa"),))

    document = execution_run(running, {**made.sealed, "blueprint.json": text}, name="here")

    assert [node["checksum"] for node in document["nodes"] if node["container_name"] == "Sensor"] == ["sha256:aa"]


def test_a_model_has_none(client: FlaskClient) -> None:
    path = push(client, zipped("sentiment")).headers["Location"]

    assert client.get(f"{path}/execution_run.json", headers=bearer()).status_code == 404


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"nodes": 1}', b"[" * 100_000])
def test_a_blueprint_that_cannot_be_read_is_told(runtime: ProcessRuntime, text: bytes) -> None:
    made = bundle()
    found, _ = runtime.create(Push(Principal(ADA), "s", made.ids, made.digest, made.sealed))

    with pytest.raises(InvalidSolutionError):
        execution_run(found, {"blueprint.json": text}, name="here")
    with pytest.raises(NotFoundError):
        execution_run(found, {}, name="here")


def test_data_are_sent_to_the_marketplace_that_the_bundle_comes_from(
    runtime: ProcessRuntime, tmp_path: Path, marketplace: ThreadingHTTPServer
) -> None:
    client = client_with(runtime, tmp_path, url(marketplace))

    answer = sent(client, url(marketplace))

    ((path, headers, body),) = marketplace.RequestHandlerClass.seen  # type: ignore[attr-defined]
    assert (answer.status_code, answer.json) == (200, {"sent": True})
    assert urlsplit(path).path == "/market/set_execution_run_data"
    assert parse_qs(urlsplit(path).query) == {"fullId": ["s-1"], "origin": ["here"], "apiToken": ["very secret"]}
    assert json.loads(body)["type"] == "execution-run/v1"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    "source",
    [
        "http://169.254.169.254/market",
        "http://127.0.0.1:1/market",
        "https://127.0.0.1/market",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user@127.0.0.1/market",
        "http://2130706433/market",
        "http://[::ffff:127.0.0.1]/market",
        "//127.0.0.1/market",
        "http://127.0.0.1:{port}/other",
        "http://127.0.0.1:{port}/market/../other",
        "http://127.0.0.1:{port}@evil.example/market",
        "http://127.0.0.1:{port}\\@evil.example/market",
    ],
)
def test_a_bundle_decides_nothing_about_where_data_go(
    runtime: ProcessRuntime, tmp_path: Path, marketplace: ThreadingHTTPServer, source: str
) -> None:
    client = client_with(runtime, tmp_path, url(marketplace))

    answer = sent(client, source.format(port=marketplace.server_port))

    assert answer.status_code == 403
    assert marketplace.RequestHandlerClass.seen == []  # type: ignore[attr-defined]


def test_nothing_is_sent_where_nothing_is_allowed(client: FlaskClient, marketplace: ThreadingHTTPServer) -> None:
    assert sent(client, url(marketplace)).status_code == 403
    assert marketplace.RequestHandlerClass.seen == []  # type: ignore[attr-defined]


def test_a_bundle_from_nowhere_is_sent_nowhere(client: FlaskClient) -> None:
    path = push(client).headers["Location"]

    assert client.post(f"{path}/execution-data", json=BODY, headers=bearer()).status_code == 404


@pytest.mark.parametrize("status", [302, 401, 500])
def test_a_marketplace_that_does_not_take_them_is_an_upstream_error(
    runtime: ProcessRuntime, tmp_path: Path, marketplace: ThreadingHTTPServer, status: int, logs: Any
) -> None:
    marketplace.RequestHandlerClass.status = status  # type: ignore[attr-defined]
    client = client_with(runtime, tmp_path, url(marketplace))

    answer = sent(client, url(marketplace))

    assert (answer.status_code, len(marketplace.RequestHandlerClass.seen)) == (502, 1)  # type: ignore[attr-defined]
    assert "very secret" not in logs.text + answer.text
    assert "very+secret" not in logs.text + answer.text


@pytest.mark.parametrize("changes", [{"fullId": ""}, {"fullId": 1}, {"more": 1}, {"apiToken": "x" * 501}], ids=str)
def test_a_body_of_another_form_is_refused(client: FlaskClient, changes: dict[str, Any]) -> None:
    assert sent(client, "http://127.0.0.1:1/", **changes).status_code == 400
