"""The listener for web UIs: an event loop on a thread of the server's worker process.

On a thread, because a runtime may know its deployments in this process only. An event loop, because a visitor who
watches a web UI holds a connection for hours, and a thread for each would be what the pages need to live on.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from playground.proxy import refusals
from playground.proxy.connection import Connection
from playground.proxy.crowd import Crowd
from playground.proxy.door import Door
from playground.proxy.exchange import CutError
from playground.proxy.limits import Limits
from playground.proxy.passes import Pass, Passes
from playground.proxy.places import Places
from playground.proxy.settings import UiSettings
from playground.proxy.wire import PIECE_BYTES, GoneError, Wire
from playground.server.desk import Desk
from shared.errors import SettingsError
from shared.settings import Secret

log = structlog.get_logger(__name__)

T = TypeVar("T")

BACKLOG = 256
ASKING_THREADS = 8
CLOSE_SECONDS = 5.0


def listening(settings: UiSettings) -> socket.socket:
    """Return the listening socket, which worker processes share that are forked afterwards.

    Raises:
        SettingsError: the address is taken, or not one of this machine.
    """
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not settings.is_loopback and settings.public_scheme == "http":
        log.warning("web_uis_without_tls", detail="browsers cannot tell the requests of one web UI from another's")
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as problem:
        raise SettingsError("SLIPWAY_PLAYGROUND_UI_BIND: the address is taken, or not one of this machine") from problem


class ProxyServer:
    """Serves the web UIs of all deployments."""

    def __init__(
        self,
        desk: Desk,
        settings: UiSettings,
        *,
        key: Secret,
        spend: Callable[[str], bool],
        has_ended: Callable[[str], bool],
        listener: socket.socket,
        trusted_proxies: int = 0,
        limits: Limits | None = None,
    ) -> None:
        """Prepare.

        Args:
            desk: knows deployments, and who may see them.
            settings: names, and how many connections there may be.
            key: seals codes, cookies and tickets; the one that seals sessions.
            spend: returns True the first time a code is named.
            has_ended: says whether a session of that id was ended before its time.
            listener: see `listening`; closed with the server.
            trusted_proxies: how many in front of us are believed to say who asks.
            limits: how long anybody may take.
        """
        self._limits = limits or Limits()
        self._door = Door(desk, Places(settings), Passes(key), spend=spend, has_ended=has_ended)
        self._crowd = Crowd(most=settings.connections, most_per_deployment=settings.connections_per_deployment)
        self._listener = listener
        self._trusted_proxies = trusted_proxies
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = ThreadPoolExecutor(ASKING_THREADS, thread_name_prefix="web-uis")
        self._thread = threading.Thread(target=self._run, name="web-uis", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True while it serves."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Break off what is under way, and return when nothing is left of it."""
        if self.is_alive:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(CLOSE_SECONDS)
        self._asking.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        except Exception:
            # The last resort: a thread that dies silently would leave all web UIs unreachable without a word.
            log.exception("web_uis_crashed")
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accepted, sock=self._listener, limit=PIECE_BYTES)
        watching = asyncio.ensure_future(self._watch())
        await self._over.wait()
        server.close()
        watching.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(watching, *self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._connected(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer, is_server=True, most_head_bytes=self._limits.head_bytes)
        connection = Connection(wire, self._door, self._crowd, self._limits, self._ask, self._trusted_proxies)
        if self._crowd.is_overrun:
            wire.abort()
            return
        try:
            # asyncio does so by itself only where a socket names its protocol, which one accepted here does not.
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._crowd.connected(wire) as has_room:
                await (connection.serve() if has_room else connection.refuse(refusals.crowded("web UIs")))
            wire.close()
        except (GoneError, CutError, OSError, asyncio.CancelledError):
            # Cancelled are those whose visit is over, and all when the server ends.
            wire.abort()
        except Exception:
            # The last resort: a defect of ours ends one connection, and is told.
            log.exception("web_ui_connection_crashed")
            wire.abort()

    async def _ask(self, question: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._asking, question)

    async def _watch(self) -> None:
        """End what is under way for whoever may not see it any more."""
        while True:
            await asyncio.sleep(self._limits.recheck_seconds)
            try:
                over = await self._loop.run_in_executor(self._asking, self._no_longer, self._crowd.visits)
            except Exception:
                # The last resort, as in `_run`.
                log.exception("web_ui_visits_not_checked")
                continue
            count = self._crowd.send_away(over)
            if count:
                log.info("web_ui_visits_ended", count=count)

    def _no_longer(self, visits: frozenset[Pass]) -> frozenset[Pass]:
        return frozenset(visit for visit in visits if not self._door.still_may(visit))
