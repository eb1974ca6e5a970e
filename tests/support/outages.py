"""A way to the API server that can be cut: for programs that must live through a cluster that is away for a while."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from support.cluster import Kubectl

CONNECT_SECONDS = 10
CHUNK_BYTES = 1 << 16


class Way:
    """Forwards connections from a port of this machine to a server; cut, it either refuses them or says nothing."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_silent = False
        self._start()

    def cut(self, *, silently: bool) -> None:
        """Let nothing through: new connections are refused, or `silently` accepted and never answered."""
        self._is_silent = silently
        if not silently:
            self._end_listening()
            self._end_connections()

    def mend(self) -> None:
        """Let new connections through again; those that were silent end, as after a restart of the server."""
        if self._is_silent:
            self._is_silent = False
            self._end_connections()
        else:
            self._listener = self._listen(self.port)
            self._start()

    def close(self) -> None:
        """End everything."""
        self._end_listening()
        self._end_connections()

    def _listen(self, port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port), backlog=128)

    def _start(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _end_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _end_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _is_kept(self, connection: socket.socket, listener: socket.socket) -> bool:
        """Remember a connection for the next cut; end it if the cut that should have ended it was quicker."""
        with self._lock:
            if listener.fileno() >= 0:
                self._open.append(connection)
                return True
        connection.close()
        return False

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if not self._is_kept(client, listener):
                continue
            try:
                server = socket.create_connection(self._target, timeout=CONNECT_SECONDS)
            except OSError:  # the server is away itself, for a while
                client.close()
                continue
            server.settimeout(None)
            if not self._is_kept(server, listener):
                client.close()
                continue
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if not self._is_silent:
                    sink.sendall(data)
        for connection in (source, sink):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextmanager
def way_to(kubectl: Kubectl, desk: Path) -> Iterator[tuple[Kubectl, Way]]:
    """Return the same kubectl, whose calls take a way that can be cut, and that way."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    cluster = config["clusters"][0]["cluster"]
    server = urlsplit(cluster["server"])
    way = Way(str(server.hostname), server.port or 443)
    cluster |= {"server": f"https://127.0.0.1:{way.port}", "tls-server-name": server.hostname}
    file = desk / "way.kubeconfig"
    file.touch(mode=0o600)  # there are keys in it
    file.write_text(json.dumps(config), encoding="utf-8")
    try:
        yield replace(kubectl, environment={**kubectl.environment, "KUBECONFIG": str(file)}), way
    finally:
        way.close()
        file.unlink()
