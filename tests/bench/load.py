"""Sends one request again and again over several connections for a while; prints requests per second.

`python -m tests.bench.load PORT CONNECTIONS SECONDS`, the request on standard input. Any answer but 200 ends it.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time


class Connection:
    """One connection with at most one request under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self._request = request
        self._received = bytearray()
        self._wanted = 0
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; when an answer is complete, send the next request and return True."""
        chunk = self.socket.recv(1 << 18)
        if not chunk:
            raise RuntimeError("the server closed a connection")
        self._received += chunk
        if not self._wanted:
            head, found, _ = self._received.partition(b"\r\n\r\n")
            if not found:
                return False
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise RuntimeError(bytes(self._received[:500]).decode(errors="replace"))
            self._wanted = len(head) + 4 + int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(self._received) < self._wanted:
            return False
        self._received.clear()
        self._wanted = 0
        self.socket.sendall(self._request)
        return True


def main() -> None:
    """Run the load."""
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    request = sys.stdin.buffer.read()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = Connection(port, request)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        start, count = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - start) < seconds:
            count += sum(key.data.receive() for key, _ in selector.select(timeout=1))
        print(count / elapsed)


if __name__ == "__main__":
    main()
