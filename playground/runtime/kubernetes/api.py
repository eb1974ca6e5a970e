"""The way to the API server for what takes long: watches, logs, programs in containers, forwarded ports.

It has connections of its own, as many as are needed: followers of logs must never take those of short calls. Where the
server is, whom to trust and who we are comes from the configuration of a lightkube client.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

import httpx2
import msgspec
from lightkube import SingleConfig
from lightkube.config.client_adapter import ConnectionParams

from playground.runtime.kubernetes import first_use  # noqa: F401 - it makes types ready

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
LONGEST_LINE = 8 << 20  # of a watch: several times the largest object that the API takes
_LONGEST_REFUSAL = 64 << 10
_EXPIRED = frozenset({410})
_PROBLEMS = (httpx2.HTTPError, httpx2.StreamError, OSError)

T = TypeVar("T")

Parameters = Mapping[str, str | int]


class UnreachableError(Exception):
    """The API server does not answer, or no longer; the cause is the reason."""


class RefusedError(Exception):
    """The API server answered with a refusal."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        """In the API's one word, such as `AlreadyExists` or `Conflict`."""

    @property
    def is_expired(self) -> bool:
        """What was asked for is older than what the server remembers."""
        return self.code in _EXPIRED


class _Status(msgspec.Struct):
    """The API's own words, as far as they are read."""

    code: int = 0
    message: str = ""
    reason: str = ""


# Made here, before there are threads: see `first_use`.
_STATUSES = msgspec.json.Decoder(_Status)


class Stream:
    """An answer that comes bit by bit. `cut` may be called from any thread, the rest by one."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self._is_cut = False

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes; ends when the server ends the answer, or it is cut.

        Raises:
            UnreachableError: the connection broke, or was silent for too long.
        """
        try:
            yield from self._response.iter_bytes()
        except _PROBLEMS as problem:
            if not self._is_cut:
                raise UnreachableError from problem

    def lines(self) -> Iterator[bytes]:
        """Yield whole lines without their ends; raises what `pieces` does, and that for a line without an end, too."""
        rest = b""
        for piece in self.pieces():
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
            if len(rest) > LONGEST_LINE:
                raise UnreachableError(f"a line of more than {LONGEST_LINE} bytes")

    def cut(self) -> None:
        """End it now: whoever waits for the next piece comes to the end."""
        self._is_cut = True
        stream = self._response.extensions.get("network_stream")
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            with suppress(OSError):
                # Closing would not wake who reads. Not the method of a TLS connection, which would forget its keys first.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Api:
    """See the module. Its methods may be called from many threads; all raise UnreachableError and RefusedError."""

    def __init__(self, config: SingleConfig) -> None:
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=4)
        self.http = httpx2.Client(**ConnectionParams(timeout=timeout).httpx_params(config), limits=limits)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self.http.close()

    def read(self, path: str, parameters: Parameters) -> bytes:
        """Return a whole answer."""
        try:
            response = self.http.get(path, params=parameters)
        except _PROBLEMS as problem:
            raise UnreachableError from problem
        if not response.is_success:
            raise refusal(response.status_code, response.content)
        return response.content

    @contextmanager
    def stream(self, path: str, parameters: Parameters, *, silence: float) -> Iterator[Stream]:
        """Ask for an answer that goes on; `silence` is how many seconds may pass between two pieces."""
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, read=silence)
        request = self.http.build_request("GET", path, params=parameters, timeout=timeout)
        try:
            response = self.http.send(request, stream=True)
        except _PROBLEMS as problem:
            raise UnreachableError from problem
        try:
            if not response.is_success:
                raise refusal(response.status_code, _beginning(response))
            yield Stream(response)
        finally:
            with suppress(*_PROBLEMS):
                response.close()


def refusal(code: int, body: bytes) -> RefusedError:
    """Return the error for an answer with a code that is no success."""
    with suppress(msgspec.DecodeError):
        status = _STATUSES.decode(body)
        return RefusedError(status.code or code, status.message, status.reason)
    return RefusedError(code, "")


def _beginning(response: httpx2.Response) -> bytes:
    body = b""
    with suppress(*_PROBLEMS):
        for piece in response.iter_bytes():
            body += piece
            if len(body) > _LONGEST_REFUSAL:
                break
    return body


def decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return what a JSON text holds, or raise UnreachableError: somebody else than an API server answered."""
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as problem:
        raise UnreachableError("an answer that is not the API's") from problem
