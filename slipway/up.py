"""`slipway up`: the catalog, every installed deployer and the playground on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import socket
import threading
from pathlib import Path
from types import FrameType

from shared.errors import ConflictError
from slipway import platform, terminal
from slipway.client import Client
from slipway.processes import Running, started

WATCH_SECONDS = 1.0


def run(arguments: argparse.Namespace) -> int:
    """Start, say where the page is, watch; return 0 after Ctrl-C or SIGTERM."""
    ports = consecutive_ports(arguments.port)
    here = platform.on_this_machine(data=Path(arguments.data), ports=ports)
    stopped = stop_signal()
    with started(here) as running:
        client = Client(here)
        terminal.say(f"page       {client.page_link()}")
        terminal.say(f"playground {client.page_link(here.playground)}")
        for deployer in here.deployers:
            terminal.say(f"deployer   {deployer.name} at {deployer.url}")
        terminal.say(f"token      slipway token --data {arguments.data}")
        terminal.say("Ctrl-C ends everything; the data stays.")
        watch(running, stopped)
    return 0


def watch(running: Running, stopped: threading.Event) -> None:
    """Return when `stopped` is set; raise when a service ends by itself."""
    while not stopped.wait(WATCH_SECONDS):
        running.check()


def stop_signal() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set, from now on."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def consecutive_ports(first: int) -> list[int]:
    """Return the ports from `first` on, checked to be free; from 0, any free ports.

    Raises:
        ConflictError: a port is taken.
    """
    held = []
    try:
        for offset in range(platform.ports_needed()):
            sock = socket.socket()
            held.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(sock, first + offset if first else 0)
        return [sock.getsockname()[1] for sock in held]
    finally:
        for sock in held:
            sock.close()


def _bind(sock: socket.socket, port: int) -> None:
    try:
        sock.bind((platform.HOST, port))
    except OSError as taken:
        raise ConflictError(f"port {port} is taken: choose another with --port") from taken
