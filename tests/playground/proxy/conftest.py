"""A proxy before web UIs that a test writes as raw bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.raw_server import RawServer, Script, answering
from support.web_uis import Proxy, Told, proxied


@pytest.fixture
def runtime() -> Told:
    return Told()


@pytest.fixture
def proxy(runtime: Told) -> Iterator[Proxy]:
    with proxied(runtime) as made:
        yield made


@pytest.fixture
def web_ui(runtime: Told) -> Iterator[RawServer]:
    """Give a web UI that says hello, and knows what it was asked."""
    with RawServer(answering("200 OK", b"hello", "Content-Type: text/plain")) as server:
        runtime.put(server.port)
        yield server


def serving(runtime: Told, *scripts: Script) -> RawServer:
    """Return a web UI that runs these scripts, to be used in `with`."""
    server = RawServer(*scripts)
    runtime.put(server.port)
    return server
