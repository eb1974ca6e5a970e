"""Ports on loopback: free ones for programs that cannot be given a socket, and whether anybody listens on one."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection

from shared.errors import UnavailableError

LOOPBACK = "127.0.0.1"
# Below the ports that systems give to outgoing connections: what is free now is not taken by accident a moment later.
_RANGE = range(20_000, 32_000)
_CONNECT_SECONDS = 0.25


def free(count: int, *, taken: Collection[int] = ()) -> list[int]:
    """Return so many ports that nobody listens on, none of them in `taken`.

    Raises:
        UnavailableError: there are not so many.
    """
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):  # two servers on one machine rarely meet
        if len(found) == count:
            return found
        if port not in taken and _is_free(port):
            found.append(port)
    raise UnavailableError(f"expected {count} free ports from {_RANGE.start} to {_RANGE.stop - 1}")


def answers(port: int) -> bool:
    """Tell whether something takes connections there."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
