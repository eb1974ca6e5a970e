"""Prometheus is answered, whoever else is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from orchestrator import metrics_server
from orchestrator.metrics_server import MetricsServer


def driven(scenario: Callable[[int], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        registry = CollectorRegistry()
        Gauge("depth", "Of the sea.", registry=registry).set(7)
        server = MetricsServer(registry)
        await server.start(0)
        try:
            return await asyncio.wait_for(scenario(server.port), 10)
        finally:
            await server.close()

    return asyncio.run(main())


async def asked(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


GET = b"GET /metrics HTTP/1.1\r\nHost: orchestrator\r\n\r\n"


def test_a_scrape_is_answered():
    head, _, body = driven(lambda port: asked(port, GET)).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"depth 7.0" in body


def test_other_methods_are_refused():
    answer = driven(lambda port: asked(port, b"POST / HTTP/1.1\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")


def test_a_head_without_an_end_is_cut_off():
    assert driven(lambda port: asked(port, b"GET /" + b"a" * 40_000)) == b""


def test_silent_connections_take_only_so_many_places():
    async def scenario(port: int) -> tuple[bytes, bytes]:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(metrics_server.MAX_CONNECTIONS)]
        await asyncio.sleep(0.05)
        refused = await asked(port, GET)
        for _, writer in silent:
            writer.close()
        await asyncio.sleep(0.05)
        return refused, await asked(port, GET)

    refused, later = driven(scenario)

    assert refused == b""
    assert b"depth 7.0" in later
