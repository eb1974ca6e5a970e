"""The one way out: an HTTP client for one upstream, with every limit that a misbehaving server needs.

It is bound to the upstream's origin and credentials. It knows GET only, so everything may be tried again.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from types import MappingProxyType

import requests
import structlog

from shared import fault
from shared.breaker import Breaker
from shared.deadline import Deadline
from shared.deadline_adapter import DeadlineAdapter, obeying
from shared.errors import TooLargeError
from shared.fault import Cause, Fault
from shared.origin import ForeignUriError, Origin
from shared.settings import Secret

_log = structlog.get_logger(__name__)

_CHUNK_BYTES = 64 * 1024  # read at a time: bounds what a compressed chunk may unfold to at once
_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience one upstream gets. Times are in seconds."""

    connect: float = 3.0
    read: float = 10.0
    """For one piece of the answer; the deadline of the call limits the whole."""
    tries: int = 3
    first_pause: float = 0.1
    """Before the second try; twice as long before each further one."""
    parallel: int = 32
    """Calls at the same time, by all threads together; more wait for their turn."""
    failures: int = 5
    """In a row, by all threads together, before the upstream is left alone."""
    pause: float = 10.0
    """How long it is left alone before one call tries again."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with a status of 200 to 299, or 404 with an empty body."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes

    @property
    def is_found(self) -> bool:
        """False for 404."""
        return self.status != _NOT_FOUND

    @property
    def is_html(self) -> bool:
        """True for a page meant for people, which some servers send in place of what was asked for."""
        return self.headers.get("Content-Type", "").lower().startswith("text/html")


class Upstream:
    """A client for everything below one base URL; safe to use from many threads, which share its connections.

    It sends directly through an adapter instead of a `requests.Session`: a session would add cookies, `.netrc`, proxies
    from the environment and redirects, which all could carry a request or its credentials elsewhere.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        credentials: tuple[str, Secret] | None = None,
        limits: Limits | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            name: the upstream in messages and logs.
            base_url: `http(s)://host[:port]/path`; another form is a ValueError.
            credentials: user and password for HTTP basic.
            limits: the usual ones when left out.
            ca_file: authorities (PEM) that may vouch for the upstream, in place of the public ones.
        """
        self.name = name
        self._origin = Origin.parse(base_url)
        self._limits = limits or Limits()
        headers = {"User-Agent": "slipway", "Accept": "*/*", "Accept-Encoding": "gzip", **_basic(credentials)}
        self._request = requests.Request("GET", self._origin.base, headers=headers).prepare()
        self._verify: str | bool = str(ca_file) if ca_file else True
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=self._limits.parallel)
        self._turns = BoundedSemaphore(self._limits.parallel)
        self._breaker = Breaker(failures=self._limits.failures, pause=self._limits.pause)

    def url(self, uri: str) -> str:
        """Return the URL that `uri` stands for: always one below the base.

        Raises:
            UpstreamError: it leaves the configured origin or base path; nothing was sent.
        """
        try:
            return self._origin.resolve(uri)
        except ForeignUriError as problem:
            raise Fault(Cause.FOREIGN_URI, str(problem)).error(self.name) from problem

    def get(
        self, uri: str, *, deadline: Deadline, most_bytes: int, headers: Mapping[str, str] = MappingProxyType({})
    ) -> Response:
        """Fetch `uri`, trying again what may succeed the next time, within `deadline`.

        Args:
            uri: a path below the base, not yet percent-encoded, or an absolute URL that stays there.
            deadline: for all tries and pauses together.
            most_bytes: of the body, decompressed.
            headers: beside those of every request.

        Raises:
            UpstreamError: any other status than 200 to 299 and 404, a broken answer, a uri that leads elsewhere;
                UpstreamTimeoutError past the deadline. The message begins with a word of `Cause`.
            TooLargeError: the body is larger.
        """
        url = self.url(uri)
        tried = 0
        while True:
            tried += 1
            try:
                return self._try(url, deadline=deadline, most_bytes=most_bytes, headers=headers)
            except Fault as problem:
                pause = problem.pause(tried, first=self._limits.first_pause)
                is_last = tried == self._limits.tries or not problem.may_be_retried or pause >= deadline.remaining
                _log.warning("upstream_failed", upstream=self.name, cause=problem.cause, tried=tried, is_last=is_last)
                if is_last:
                    raise problem.error(self.name) from problem
            time.sleep(pause)

    def check(self, uri: str, *, deadline: Deadline) -> None:
        """Ask once for `uri` and ignore the body: any success or 404 shows that the upstream works and accepts us.

        Raises:
            UpstreamError: it does not.
        """
        url = self.url(uri)
        try:
            with self._turn(deadline):
                self._exchange(url, deadline=deadline, most_bytes=None, headers={})
        except Fault as problem:
            raise problem.error(self.name) from problem
        self._breaker.succeeded()

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()

    def _try(self, url: str, *, deadline: Deadline, most_bytes: int, headers: Mapping[str, str]) -> Response:
        with self._turn(deadline):
            if not self._breaker.allows():
                raise Fault(Cause.CIRCUIT_OPEN, "the service failed too often and is left alone for a while")
            # A call that came with little time left says nothing about the upstream when it runs out of it.
            is_patient = deadline.remaining >= self._limits.read
            try:
                response = self._exchange(url, deadline=deadline, most_bytes=most_bytes, headers=headers)
            except Fault as problem:
                if not problem.is_unhealthy:
                    self._breaker.succeeded()
                elif (is_patient or problem.cause is not Cause.TIMEOUT) and self._breaker.failed():
                    _log.error("upstream_left_alone", upstream=self.name, seconds=self._limits.pause)
                raise
            self._breaker.succeeded()
            return response

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[None]:
        if not self._turns.acquire(timeout=deadline.remaining):
            raise Fault(Cause.TIMEOUT, f"{self._limits.parallel} other calls did not end in time")
        try:
            yield
        finally:
            self._turns.release()

    def _exchange(
        self, url: str, *, deadline: Deadline, most_bytes: int | None, headers: Mapping[str, str]
    ) -> Response:
        request = self._request.copy()
        request.url = url  # `resolve` left nothing in it that would have to be prepared
        request.headers.update({**headers, **_request_id()})
        timeout = (min(self._limits.connect, deadline.remaining), self._limits.read)
        if deadline.has_passed:
            raise Fault(Cause.TIMEOUT, "the deadline has passed")
        try:
            with (
                obeying(deadline),
                self._adapter.send(request, stream=True, timeout=timeout, verify=self._verify) as answer,
            ):
                return self._response(answer, most_bytes)
        except fault.HTTP_PROBLEMS as problem:
            raise fault.of_exception(problem) from problem

    def _response(self, answer: requests.Response, most_bytes: int | None) -> Response:
        is_found = answer.status_code != _NOT_FOUND
        if is_found and not 200 <= answer.status_code < 300:  # noqa: PLR2004 - the successes of HTTP
            raise fault.of_status(answer.status_code, answer.headers.get("Retry-After"))
        body = b"" if most_bytes is None or not is_found else self._body(answer, most_bytes)
        return Response(answer.status_code, answer.headers, body)

    def _body(self, answer: requests.Response, most_bytes: int) -> bytes:
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > most_bytes:
                raise TooLargeError(f"{self.name}: expected an answer of at most {most_bytes} bytes, found more")
        return bytes(body)


def _basic(credentials: tuple[str, Secret] | None) -> dict[str, str]:
    if credentials is None:
        return {}
    user, password = credentials
    pair = base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _request_id() -> dict[str, str]:
    """Pass on the id of the request that we serve, where its form is harmless in a header."""
    value = structlog.contextvars.get_contextvars().get("request_id")
    return {"X-Request-ID": value} if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else {}
