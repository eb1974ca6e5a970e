"""A port of this machine that leads to a port of a pod, through the API server: for a server that runs outside the cluster.

Each connection gets channels of its own, to whatever pod is the right one when it is made.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import structlog

from playground.runtime.deployment import Address
from playground.runtime.kubernetes import channels
from playground.runtime.kubernetes.api import Api, RefusedError, UnreachableError
from playground.runtime.kubernetes.channels import Channels
from shared.errors import SlipwayError

_LOG = structlog.get_logger()
_LOOPBACK = "127.0.0.1"
_DATA = 0  # the other one, 1, is for errors
_PROTOCOLS = ("v4.channel.k8s.io",)
_PORT_BYTES = 2  # both channels begin with the number of the port
_PIECE_BYTES = 64 * 1024
_STUCK_SECONDS = 30.0
_LOOK_SECONDS = 1.0

Target = Callable[[], tuple[str, str, int]]
"""Returns namespace, pod and port; raises UnavailableError where there is none now."""


class Forwarding:
    """See the module."""

    def __init__(self, api: Api, target: Target) -> None:
        self._api, self._target = api, target
        self._ended = threading.Event()
        self._listener = socket.create_server((_LOOPBACK, 0))
        threading.Thread(target=self._accept, name="forwarding", daemon=True).start()

    @property
    def address(self) -> Address:
        """Where it listens."""
        return Address(_LOOPBACK, int(self._listener.getsockname()[1]))

    def close(self) -> None:
        """End it with all connections."""
        self._ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ended.is_set():
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), name="forwarding", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                namespace, pod, port = self._target()
                path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
                with channels.opened(self._api, path, [("ports", str(port))], _PROTOCOLS) as opened:
                    self._carry(connection, opened)
            except (SlipwayError, UnreachableError, RefusedError, OSError) as problem:
                _LOG.info("forwarding_ended", problem=str(problem))

    def _carry(self, connection: socket.socket, opened: Channels) -> None:
        sender = threading.Thread(target=_send, args=(connection, opened), name="forwarding", daemon=True)
        sender.start()
        unread = _PORT_BYTES
        while sender.is_alive() and not self._ended.is_set():
            try:
                received = opened.receive(seconds=_LOOK_SECONDS)
            except TimeoutError:
                continue
            if received is None:
                break
            channel, data = received
            if channel == _DATA:
                data, unread = data[unread:], max(0, unread - len(data))
                connection.sendall(data)
            elif len(data) > _PORT_BYTES:
                _LOG.info("forwarding_refused", problem=data.decode(errors="replace"))
                break
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sender.join()


def _send(connection: socket.socket, opened: Channels) -> None:
    with suppress(OSError, UnreachableError):
        while data := connection.recv(_PIECE_BYTES):
            opened.send(_DATA, data, seconds=_STUCK_SECONDS)
