"""Waits until a node takes connections: in a workflow, a sidecar starts beside its driver, not before it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog

from orchestrator.driver.errors import RunFailedError

_LOG = structlog.get_logger()
_PAUSE_SECONDS = 0.1
_CONNECT_SECONDS = 5.0


def host_and_port(target: str) -> tuple[str, int]:
    """Split `host:port`, or `[address]:port`.

    Raises:
        ValueError: it has another form.
    """
    host, _, port = target.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) <= 65535:  # noqa: PLR2004 TCP's ports
        raise ValueError(f"expected HOST:PORT, found {target[:100]!r}")
    return host, int(port)


async def wait(target: str, seconds: float) -> None:
    """Return as soon as somebody listens there.

    Raises:
        RunFailedError: nobody did within the time.
    """
    host, port = host_and_port(target)
    started = time.monotonic()
    while True:
        reason = await _refusal(host, port)
        waited = time.monotonic() - started
        if not reason:
            _LOG.info("target_answers", target=target, seconds=round(waited, 3))
            return
        if waited >= seconds:
            raise RunFailedError(f"{target} did not answer within {seconds:g} s: {reason}")
        await asyncio.sleep(min(_PAUSE_SECONDS, max(0.0, seconds - waited)))


async def _refusal(host: str, port: int) -> str:
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return "no answer"
    except OSError as problem:
        return problem.strerror or str(problem)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return ""
