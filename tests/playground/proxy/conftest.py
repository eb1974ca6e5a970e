"""A proxy before web UIs that a test writes as raw bytes."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs
from support.raw_server import RawServer, answering
from support.web_uis import Proxy, Told, proxied


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """Give what is logged."""
    with capture_logs() as found:
        yield found


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
