"""A real sample on the process runtime, from the page's link to its web UI; and how the server starts the proxy."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from support import playground
from support.playground import ADA, push, session

from playground.proxy import serving
from playground.proxy.settings import UiSettings
from playground.runtime.deployment import State
from playground.runtime.process.runtime import ProcessRuntime
from playground.server.__main__ import web_ui_proxy
from playground.server.app import create_app
from playground.server.settings import Settings
from shared.errors import SettingsError
from shared.settings import load


@pytest.fixture
def runtime_of_processes(tmp_path: Path) -> Iterator[ProcessRuntime]:
    playground.table(tmp_path / "table")
    made = playground.runtime(tmp_path / "table", tmp_path / "runtime")
    yield made
    made.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def client(runtime_of_processes: ProcessRuntime, listener: socket.socket, tmp_path: Path) -> Iterator[FlaskClient]:
    """Give a visitor of a server whose proxy runs."""
    domain = f"localhost:{listener.getsockname()[1]}"
    settings = playground.settings(tmp_path / "server", web_uis=UiSettings(domain=domain))
    proxy = web_ui_proxy(settings, runtime_of_processes, listener)
    proxy.start()
    yield create_app(settings, runtime=runtime_of_processes).test_client()
    proxy.close()


def asked(port: int, host: str, target: str, cookie: str = "") -> tuple[int, HTTPMessage, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", target, headers={"Host": host, "Cookie": cookie})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_the_dashboard_of_a_sample_is_seen_and_ends_with_the_session(
    client: FlaskClient, runtime_of_processes: ProcessRuntime, listener: socket.socket
) -> None:
    name = push(client, playground.zipped("sensor-stream"), ADA).json["id"]  # type: ignore[index]
    end = time.monotonic() + 40
    while runtime_of_processes.get(name).state is not State.READY:
        assert time.monotonic() < end
        time.sleep(0.02)
    csrf = session(client)
    link = urlsplit(client.get(f"/visitor/deployments/{name}/web-uis/dashboard").headers["Location"])
    port = int(listener.getsockname()[1])

    entered, fields, _ = asked(port, link.netloc, f"{link.path}?{link.query}")
    cookie = fields["Set-Cookie"].partition(";")[0]
    page, _, shown = asked(port, link.netloc, "/", cookie)
    script, _, _ = asked(port, link.netloc, "/page.js", cookie)
    readings, _, _ = asked(port, link.netloc, "/readings.json", cookie)
    without, _, _ = asked(port, link.netloc, "/")
    client.delete("/session", headers={"X-CSRF-Token": csrf})
    after, _, _ = asked(port, link.netloc, "/", cookie)

    assert (entered, page, script, readings, without, after) == (303, 200, 200, 200, 401, 401)
    assert b"<html" in shown


def test_an_address_that_is_taken_stops_the_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = UiSettings(bind=f"127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(SettingsError, match="SLIPWAY_PLAYGROUND_UI_BIND: the address is taken"):
            serving.listening(settings)


def read(**changes: str) -> UiSettings:
    needed = {"SLIPWAY_PLAYGROUND_RUNTIME": "process:/data", "SLIPWAY_JWT_SECRET": playground.SECRET}
    given = {f"SLIPWAY_PLAYGROUND_UI_{name}": value for name, value in changes.items()}
    return load(Settings, needed | given).web_uis


@pytest.mark.parametrize(
    ("changes", "scheme", "public"),
    [
        ({}, "http", "127.0.0.1:8090"),
        ({"DOMAIN": "localhost:8090"}, "http", "localhost:8090"),
        ({"DOMAIN": "UI.example.org"}, "https", "ui.example.org"),
        ({"DOMAIN": "ui.example.org:8443", "SCHEME": "http"}, "http", "ui.example.org:8443"),
        ({"HOST": "play.example.org:8443", "BIND": "0.0.0.0:8090"}, "https", "play.example.org:8443"),
        ({"BIND": "[::1]:8090"}, "http", "[::1]:8090"),
    ],
    ids=str,
)
def test_browsers_speak_tls_but_on_this_machine(changes: dict[str, str], scheme: str, public: str) -> None:
    found = read(**changes)

    assert (found.public_scheme, found.public, found.is_on) == (scheme, public, True)


def test_web_uis_may_be_off() -> None:
    assert not read(BIND="off").is_on


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BIND", "8090"),
        ("BIND", "127.0.0.1:0"),
        ("BIND", "127.0.0.1:70000"),
        ("DOMAIN", "https://ui.example.org"),
        ("DOMAIN", "ui.example.org/path"),
        ("DOMAIN", "ui_x.example.org"),
        ("DOMAIN", ".example.org"),
        ("DOMAIN", "127.0.0.1:8090"),
        ("DOMAIN", f"{'a.' * 100}org"),
        ("HOST", "a b"),
        ("SCHEME", "ftp"),
        ("CONNECTIONS", "0"),
    ],
)
def test_what_has_another_form_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"SLIPWAY_PLAYGROUND_UI_{name}: expected "):
        read(**{name: value})


def test_a_domain_and_one_host_exclude_each_other() -> None:
    with pytest.raises(SettingsError, match="SLIPWAY_PLAYGROUND_UI_HOST: expected none with"):
        read(DOMAIN="ui.example.org", HOST="play.example.org")
