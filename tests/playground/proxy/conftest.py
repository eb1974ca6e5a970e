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


@pytest.fixture(scope="session")
def one_proxy() -> Iterator[Proxy]:
    """Give one proxy to all tests that need no other: most take less time than its start."""
    with proxied(Told()) as made:
        yield made


@pytest.fixture
def runtime(one_proxy: Proxy) -> Told:
    """Give a runtime that knows nothing yet."""
    told = one_proxy.runtime
    told.deployments.clear()
    told.addresses.clear()
    told.failure = None
    return told


@pytest.fixture
def proxy(one_proxy: Proxy, runtime: Told) -> Proxy:
    assert one_proxy.runtime is runtime
    one_proxy.ended.clear()
    return one_proxy


@pytest.fixture
def web_ui(runtime: Told) -> Iterator[RawServer]:
    """Give a web UI that says hello, and knows what it was asked."""
    with RawServer(answering("200 OK", b"hello", "Content-Type: text/plain")) as server:
        runtime.put(server.port)
        yield server
