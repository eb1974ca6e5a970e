"""What all nodes have in common: serve gRPC on PORT, log one event a line, end on SIGTERM. Copied beside each `node.py`."""

import json
import math
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

import grpc

Servicer = TypeVar("Servicer")
Number = TypeVar("Number", int, float)

PORT = 8061  # where a marketplace expects the gRPC server of a container
WORKERS = 16  # calls at a time; an open stream holds one of them as long as it lives
MAX_MESSAGE_BYTES = 64 * 1024 * 1024  # gRPC's own default of 4 MiB is less than one photo
GRACE_SECONDS = 0.5  # what calls in flight get to finish; streams would go on for ever
OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not a server that shares its calls
)


def serve(add_to_server: Callable[[Servicer, grpc.Server], None], servicer: Servicer) -> None:
    """Serve until SIGTERM or Ctrl-C; after GRACE_SECONDS, open calls end with UNAVAILABLE and may be tried again."""
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: stop.put(received))
    server = grpc.server(ThreadPoolExecutor(max_workers=WORKERS), options=OPTIONS)
    add_to_server(servicer, server)
    port = _listen(server, f"{host()}:{number_setting('PORT', PORT)}")
    server.start()
    log("serving", host=host(), port=port)
    received = stop.get()
    server.stop(GRACE_SECONDS).wait()
    log("stopped", signal=signal.Signals(received).name)


def _listen(server: grpc.Server, address: str) -> int:
    try:
        return server.add_insecure_port(address)
    except RuntimeError:
        raise SystemExit(f"PORT: expected a free port, cannot listen on {address}") from None


def ended(context: grpc.ServicerContext) -> threading.Event:
    """Return an event that is set when the call is over: the caller hung up, or this node stops.

    A streaming operation that waits for its next message waits on this, so that nothing holds it.
    """
    event = threading.Event()
    if not context.add_callback(event.set):
        event.set()
    return event


def log(event: str, **facts: object) -> None:
    """Write one line of JSON to standard output. Text from outside stays one escaped string, whatever it holds."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    # One write: two threads never share a line. JSON has no infinity, so such a fact is written as text.
    shown = {name: _jsonable(fact) for name, fact in facts.items()}
    sys.stdout.write(json.dumps({"time": now, "event": event, **shown}) + "\n")
    sys.stdout.flush()


def _jsonable(fact: object) -> object:
    return str(fact) if isinstance(fact, float) and not math.isfinite(fact) else fact


def host() -> str:
    """Return the address to listen on: all of a container's by default."""
    return os.environ.get("HOST") or "0.0.0.0"  # noqa: S104 the other containers have to reach it


def number_setting(variable: str, default: Number, *, least: Number | None = None) -> Number:
    """Return the number in an environment variable. Anything else there stops the start, with the variable's name."""
    text = os.environ.get(variable) or str(default)
    kind = type(default)
    try:
        value = kind(text)
    except ValueError:
        raise SystemExit(f"{variable}: expected {kind.__name__}, found {text!r}") from None
    if not math.isfinite(value) or value < (least or 0):
        raise SystemExit(f"{variable}: expected a number of at least {least or 0}, found {text!r}")
    return value
