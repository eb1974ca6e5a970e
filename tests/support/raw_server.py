"""A server on 127.0.0.1 that answers with raw bytes, so that a test can misbehave in every way that a socket allows."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

Script = Callable[["Peer"], None]


class Peer:
    """One connection of a client, for the length of one request."""

    def __init__(self, connection: socket.socket, stopped: Event) -> None:
        self._connection = connection
        self._stopped = stopped

    def send(self, *pieces: bytes) -> None:
        """Send at once."""
        self._connection.sendall(b"".join(pieces))

    def drip(self, text: bytes, *, every: float) -> None:
        """Send byte by byte, then go on with the last one for ever."""
        for place in range(1_000_000):
            self.send(text[place : place + 1] or text[-1:])
            if self.wait(every):
                return

    def wait(self, seconds: float) -> bool:
        """Wait; True when the server stops."""
        return self._stopped.wait(seconds)

    def reset(self) -> None:
        """Break the connection the hard way."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


class RawServer:
    """Runs one script per request and closes the connection after it. The last script goes on for ever."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        """The head of each request, in the order of arrival."""
        self._scripts = scripts
        self._tls = tls
        self._lock = Lock()
        self._stopped = Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._threads = [Thread(target=self._accept)]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._stopped.is_set():
                connection, _ = self._listener.accept()
                thread = Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), self._wrapped(connection) as client:
            client.settimeout(10)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65536)
                if not piece:
                    return
                head += piece
            with self._lock:
                self.requests.append(head.decode("latin-1"))
                script = self._scripts[min(len(self.requests), len(self._scripts)) - 1]
            script(Peer(client, self._stopped))

    def _wrapped(self, connection: socket.socket) -> socket.socket:
        with suppress(OSError):
            return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
        return connection


def answering(status: str, body: bytes = b"", *headers: str) -> Script:
    """Return a script that answers properly."""
    lines = "".join(f"{header}\r\n" for header in headers)

    def script(peer: Peer) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
        peer.send(head.encode(), body)

    return script
