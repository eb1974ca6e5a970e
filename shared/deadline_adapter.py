"""A `requests` adapter whose connections obey a deadline in total, where the libraries only limit each single read.

A server that drips its header or body byte by byte, or a host name with many dead addresses, is cut at the deadline.
The one thing that Python cannot interrupt is the resolver of host names, which has limits of its own.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from shared.deadline import Deadline

# The libraries offer no way to hand a value down to the socket; a call and all its reads happen in one context.
_DEADLINE: ContextVar[Deadline] = ContextVar("deadline")


@contextmanager
def obeying(deadline: Deadline) -> Iterator[None]:
    """Hold every connection that this context uses to `deadline`."""
    token = _DEADLINE.set(deadline)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


class DeadlineAdapter(HTTPAdapter):
    """An adapter to be used inside `obeying`, reading of the body included; requests are sent directly, never proxied."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Put our connections in the place of urllib3's."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _Reader(io.RawIOBase):
    """The receiving side of a socket: each read may take what is left until the deadline, at most the read timeout."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._timeout = sock.gettimeout()
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = _DEADLINE.get().remaining
        if remaining <= 0:
            raise TimeoutError("the deadline has passed")
        self._socket.settimeout(remaining if self._timeout is None else min(self._timeout, remaining))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock))


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        """Connect within one connect timeout, shared evenly among the addresses of the host that are still to be tried."""
        by = _DEADLINE.get().sooner(self.timeout or 0)
        try:
            addresses = socket.getaddrinfo(self._dns_host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as problem:
            raise NameResolutionError(self.host, self, problem) from problem
        refusal: OSError | None = None
        for tried, (family, kind, protocol, _, address) in enumerate(addresses):
            try:
                return _connected(socket.socket(family, kind, protocol), address, by, share=len(addresses) - tried)
            except OSError as problem:
                refusal = problem
        if isinstance(refusal, TimeoutError):
            raise ConnectTimeoutError(self, f"connecting to {self.host} timed out") from refusal
        raise NewConnectionError(self, f"cannot connect to {self.host}") from refusal

    def getresponse(self) -> HTTPResponse:  # type: ignore[override] # as urllib3 itself has it
        """Free the socket of an answer that http.client accepts and urllib3 refuses: nobody else would."""
        sock = self.sock
        try:
            return super().getresponse()
        except Exception:
            descriptor = sock.detach()
            if descriptor >= 0:
                socket.close(descriptor)
            raise


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _connected(sock: socket.socket, address: Any, by: Deadline, *, share: int) -> socket.socket:
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(_positive(by.remaining / share))
        sock.connect(address)
        # A TLS handshake follows under this timeout; CPython counts it for the handshake as a whole.
        sock.settimeout(_positive(by.remaining))
    except OSError:
        sock.close()
        raise
    return sock


def _positive(seconds: float) -> float:
    """Zero would mean a socket that does not wait at all."""
    return max(seconds, 0.001)
