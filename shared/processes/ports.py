"""Ports on loopback: free ones for programs that cannot be given a socket, and whether anybody listens on one."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from shared.errors import UnavailableError

LOOPBACK = "127.0.0.1"
# Below the ports that systems give to outgoing connections: what is free now is not taken by accident a moment later.
_RANGE = range(20_000, 32_000)
_CONNECT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Claim:
    """A port that is handed out to nobody else on this machine; use it in a `with` block, or close it.

    A datagram socket of the same number says so: programs that listen for streams are not in its way, and the kernel
    takes it back however we end.
    """

    port: int
    _held: socket.socket

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()


def claimed(count: int) -> list[Claim]:
    """Return so many ports that nobody listens on, and that nobody else is handed out.

    Raises:
        UnavailableError: there are not so many.
    """
    found: list[Claim] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        if len(found) == count:
            return found
        if (held := _held(port)) is not None:
            found.append(Claim(port, held))
    for claim in found:
        claim.__exit__(None, None, None)
    raise _none(count)


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
    raise _none(count)


def answers(port: int) -> bool:
    """Tell whether something takes connections there."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _none(count: int) -> UnavailableError:
    return UnavailableError(f"expected {count} free ports from {_RANGE.start} to {_RANGE.stop - 1}")


def _is_free(port: int) -> bool:
    """Tell whether nobody listens there, and nobody has claimed it."""
    held = _held(port)
    if held is None:
        return False
    held.close()
    return True


def _held(port: int) -> socket.socket | None:
    """Return the socket of a claim; None where somebody listens, or has one."""
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        held.bind((LOOPBACK, port))
        with socket.socket() as sock:
            sock.bind((LOOPBACK, port))
    except OSError:
        held.close()
        return None
    return held
