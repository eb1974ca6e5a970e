"""The deployer before a real server, whose runtime takes bundles and starts none of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from support import playground
from support.deployer import client, stored
from support.logs import Logs, kept
from werkzeug.serving import make_server

from playground.runtime.process.runtime import ProcessRuntime
from playground.server.app import create_app


@dataclass(frozen=True)
class Server:
    """A playground's server on a port of this machine."""

    url: str
    runtime: ProcessRuntime


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    with kept() as found:
        yield found


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put the samples' nodes together, once."""
    folder = tmp_path_factory.mktemp("table")
    playground.table(folder)
    return folder


@pytest.fixture(scope="session")
def shared_server(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    runtime = playground.runtime(table, tmp_path_factory.mktemp("still"), running=0)
    app = create_app(playground.settings(tmp_path_factory.mktemp("server")), runtime=runtime)
    listener = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Server(f"http://127.0.0.1:{listener.server_port}", runtime)
    listener.shutdown()
    thread.join()
    listener.server_close()
    runtime.close()


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """Give it empty."""
    yield shared_server
    playground.emptied(shared_server.runtime)


@pytest.fixture(scope="session")
def solutions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep ada's private pipeline, and her public one."""
    return stored(tmp_path_factory.mktemp("solutions"))


@pytest.fixture
def deployer(solutions: Path, server: Server) -> FlaskClient:
    """Give a client of the service in Graphene's profile."""
    return client(solutions, server.url)
