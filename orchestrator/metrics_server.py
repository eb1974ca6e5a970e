"""Answers Prometheus over HTTP: a few connections, each for a few seconds, whoever opens them."""

from __future__ import annotations

import asyncio

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

MAX_CONNECTIONS = 20
SECONDS = 10.0
"""From the first byte to the last: Prometheus gives up after as many."""
HEAD_BYTES = 16 << 10


class MetricsServer:
    """Serves one registry on every path."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.port = 0
        """The port that was bound, once started."""
        self._registry = registry
        self._server: asyncio.Server | None = None
        self._open = 0
        self._rendering = asyncio.Lock()

    async def start(self, port: int) -> None:
        """Listen on every address.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(self._serve, "0.0.0.0", port, limit=HEAD_BYTES)  # noqa: S104 scrapers are elsewhere

        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= MAX_CONNECTIONS:
                async with asyncio.timeout(SECONDS):
                    writer.write(await self._answer(await reader.readuntil(b"\r\n\r\n")))
                    writer.close()
                    await writer.wait_closed()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # who asked is gone, or asks for no metrics
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _answer(self, head: bytes) -> bytes:
        if not head.startswith(b"GET "):
            return _response("405 Method Not Allowed", "text/plain", b"expected GET\n")
        async with self._rendering:
            body = await asyncio.to_thread(generate_latest, self._registry)
        return _response("200 OK", CONTENT_TYPE_LATEST, body)


def _response(status: str, kind: str, body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body
