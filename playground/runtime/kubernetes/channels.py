"""Bytes to and from a pod through the API server: a WebSocket whose messages begin with the number of a channel.

Programs in containers and forwarded ports both work so. All calls have a time limit, and no thread is started: whoever
reads and writes at once does so from two threads of its own.
"""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpcore2
import httpx2
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, TextMessage
from wsproto.utilities import ProtocolError

from playground.runtime.kubernetes.api import Api, UnreachableError, refusal

LONGEST_MESSAGE = 1 << 20
_READ_BYTES = 64 << 10
_SWITCHING = 101
_PROBLEMS = (httpx2.HTTPError, httpcore2.NetworkError, httpcore2.TimeoutException, OSError, ProtocolError)

Query = Sequence[tuple[str, str]]


class Channels:
    """An open connection to a pod. One thread may send while another receives."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._frames = Connection(ConnectionType.CLIENT)
        self._lock = threading.Lock()  # of the frames, and of writing
        self._received: list[bytes] = []
        self._partial = b""
        self._is_over = False

    def send(self, channel: int, data: bytes, *, seconds: float) -> None:
        """Send to a channel.

        Raises:
            UnreachableError: the connection broke, or took nothing for so many seconds.
        """
        try:
            with self._lock:
                framed = self._frames.send(BytesMessage(data=bytes((channel,)) + data))
                self._network.write(framed, timeout=seconds)
        except _PROBLEMS as problem:
            raise UnreachableError from problem

    def receive(self, *, seconds: float) -> tuple[int, bytes] | None:
        """Return the next channel and what came on it, or None when the other side has ended.

        Raises:
            TimeoutError: nothing came for so many seconds; the connection stands.
            UnreachableError: the connection broke.
        """
        end = time.monotonic() + seconds
        while not self._received:
            if self._is_over:
                return None
            try:
                self._take(self._network.read(_READ_BYTES, timeout=max(0.001, end - time.monotonic())))
            except httpcore2.ReadTimeout:
                raise TimeoutError from None
            except _PROBLEMS as problem:
                raise UnreachableError from problem
        message = self._received.pop(0)
        return message[0], message[1:]

    def close(self) -> None:
        """End the connection, without waiting for the other side."""
        with suppress(*_PROBLEMS), self._lock:
            self._network.write(self._frames.send(CloseConnection(code=1000)), timeout=1.0)
        with suppress(*_PROBLEMS):
            self._network.close()

    def _take(self, data: bytes) -> None:
        with self._lock:
            self._frames.receive_data(data or None)
            for event in self._frames.events():
                if isinstance(event, Ping):
                    self._network.write(self._frames.send(event.response()), timeout=1.0)
                elif isinstance(event, CloseConnection):
                    self._is_over = True
                elif isinstance(event, Message):
                    self._keep(event)
        self._is_over = self._is_over or not data

    def _keep(self, event: Message[Any]) -> None:
        piece = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
        self._partial += piece
        if len(self._partial) > LONGEST_MESSAGE:
            raise UnreachableError(f"a message of more than {LONGEST_MESSAGE} bytes")
        if event.message_finished:
            if self._partial:
                self._received.append(self._partial)
            self._partial = b""


@contextmanager
def opened(api: Api, path: str, query: Query, protocols: Sequence[str]) -> Iterator[Channels]:
    """Open channels to a pod, and close them in the end.

    Raises:
        RefusedError: the API server does not allow it, or there is no such pod.
        UnreachableError: it does not answer.
    """
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
        "Sec-WebSocket-Protocol": ", ".join(protocols),
    }
    request = api.http.build_request("GET", path, params=list(query), headers=headers)
    try:
        response = api.http.send(request, stream=True)
    except _PROBLEMS as problem:
        raise UnreachableError from problem
    try:
        if response.status_code != _SWITCHING:
            raise refusal(response.status_code, response.read())
        channels = Channels(response.extensions["network_stream"])
        try:
            yield channels
        finally:
            channels.close()
    finally:
        with suppress(*_PROBLEMS):
            response.close()
