"""gunicorn's threaded worker with what it lacks: a deadline for receiving a request, and silence about its content.

A client that sends a byte now and then would hold a thread for ever; a malformed request line may carry a token, which
gunicorn would log and repeat in the answer.
"""

from __future__ import annotations

import gc
import json
import signal
import socket
import time
from http import HTTPStatus
from types import FrameType
from typing import Any

import structlog
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from shared.web.problems import PROBLEM_TYPE

log = structlog.get_logger(__name__)

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
"""Blocked by the master while it forks: a worker that has no handlers yet would lose them and be waited for in vain."""

GC_ALLOCATIONS = 50_000  # a build of 30 nodes makes about as many values, none of them in a circle; the default is 700

RECEIVE_SECONDS = 30.0  # for head and body together: 8 MiB at 2.2 Mbit/s

_STATUSES = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
}


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker process of a service."""

    receive_seconds = RECEIVE_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begun: dict[Any, float] = {}

    def init_process(self) -> None:
        """Serve; what was imported is left out of every garbage collection, and short-lived values do not start one."""
        gc.freeze()
        gc.set_threshold(GC_ALLOCATIONS, *gc.get_threshold()[1:])
        super().init_process()

    def init_signals(self) -> None:
        """Install the handlers, then take the signals that came meanwhile."""
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """End at once.

        gunicorn's threaded worker first tells its threads to end, for which it needs a lock: where the signal interrupts
        the handing over of a request, this very thread holds it, and would wait for itself until the master kills it.
        Threads are told to end at the end of the process anyway.
        """
        super(ThreadWorker, self).handle_quit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Handle one request, remembering when it began."""
        self._begun[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._begun.pop(conn, None)

    def notify(self) -> None:
        """Tell the master that we live, as the main loop does every second, and stop waiting for slow clients."""
        super().notify()
        for conn, begun in self._begun.copy().items():  # other threads come and go meanwhile
            if time.monotonic() - begun > self.receive_seconds:
                _stop_receiving(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what gunicorn itself refuses, without a word of the request."""
        del req, addr
        is_malformed = isinstance(exc, errors.ParseException)
        status = _STATUSES.get(type(exc), HTTPStatus.BAD_REQUEST) if is_malformed else HTTPStatus.INTERNAL_SERVER_ERROR
        if is_malformed:
            log.info("request_malformed", cause=type(exc).__name__, status=int(status))
        else:
            log.error("request_crashed", exc_info=exc)
        _send(client, status)


def _stop_receiving(conn: Any) -> None:
    """Close the reading half only: an answer that is being computed or sent is not touched."""
    try:
        conn.sock.shutdown(socket.SHUT_RD)
    except OSError:
        return


def _send(client: Any, status: HTTPStatus) -> None:
    code = "invalid_request" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal_error"
    about = {"type": "about:blank", "title": status.phrase, "status": status, "detail": status.phrase}
    body = json.dumps({**about, "code": code, "requestId": ""})
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\nContent-Type: {PROBLEM_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )
    try:
        util.write_nonblock(client, (head + body).encode())
    except OSError:
        log.debug("client_gone")
