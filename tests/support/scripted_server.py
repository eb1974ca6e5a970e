"""An HTTP server that reads requests whole and answers as a test says, each in its turn; the last answer goes on for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request(BaseHTTPRequestHandler):
    """One request, as it came."""

    content: bytes
    stopped: threading.Event
    """Set when the server ends: what is silent until then waits for it."""


Script = Callable[[Request], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with the usual 5, many connections at once wait a second for TCP to try again


@contextmanager
def scripted(*scripts: Script) -> Iterator[tuple[str, list[Request]]]:
    """Serve; give the base URL without a slash at its end, and the requests in the order of their arrival."""
    requests: list[Request] = []
    lock = threading.Lock()
    stopped = threading.Event()

    class Handler(Request):
        def respond(self) -> None:
            self.content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.stopped = stopped
            with lock:
                requests.append(self)
                script = scripts[min(len(requests), len(scripts)) - 1]
            with suppress(OSError):  # whoever asked has gone
                script(self)

        do_GET = do_POST = do_PUT = respond  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def answering(status: int, body: bytes = b"", **headers: str) -> Script:
    """Return a script that answers properly; underscores in names of headers are hyphens."""

    def answer(request: Request) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def cutting(request: Request) -> None:
    """End the connection without a word."""
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


def silent(request: Request) -> None:
    """Never answer."""
    request.stopped.wait(30)
