"""What can go wrong with one exchange with an upstream, in one closed list.

Each has its word for logs and messages, says whether to try again, and whether the upstream as a whole is ill.
"""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime
from enum import StrEnum

import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from shared.errors import UpstreamError, UpstreamTimeoutError

LONGEST_RETRY_AFTER = 3600.0  # seconds; whatever is longer fits no deadline anyway


class Cause(StrEnum):
    """The class of a fault."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls_failed"
    BROKEN = "connection_broken"
    DOWN = "unavailable"
    FAILED = "server_error"
    BUSY = "overloaded"
    REFUSED = "refused_us"
    REDIRECT = "redirected"
    UNEXPECTED = "unexpected_status"
    MALFORMED = "malformed_answer"
    CIRCUIT_OPEN = "circuit_open"
    FOREIGN_URI = "foreign_uri"


_RETRIED = {Cause.UNREACHABLE, Cause.TIMEOUT, Cause.BROKEN, Cause.DOWN, Cause.FAILED, Cause.BUSY}
# A plain 500 is left out: one solution that the upstream stumbles over must not shut it off for everybody.
_UNHEALTHY = {Cause.UNREACHABLE, Cause.TIMEOUT, Cause.TLS, Cause.BROKEN, Cause.DOWN}


class Fault(Exception):  # noqa: N818 - never leaves the client: `error` makes the caller's error of it
    """One exchange failed. `text` is ours: nothing that the upstream sent."""

    def __init__(self, cause: Cause, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{cause}: {text}")
        self.cause = cause
        self.retry_after = retry_after

    @property
    def may_be_retried(self) -> bool:
        """True when the next try may have more luck."""
        return self.cause in _RETRIED

    @property
    def is_unhealthy(self) -> bool:
        """True when it tells of the upstream as a whole, not of one resource."""
        return self.cause in _UNHEALTHY

    def pause(self, tried: int, *, first: float) -> float:
        """Return the seconds to wait after so many tries: what the upstream asked for, else jittered, doubling `first`."""
        if self.retry_after is not None:
            return self.retry_after
        spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers in time, guards no secret
        return float(first * 2 ** (tried - 1) * spread)

    def error(self, service: str) -> UpstreamError:
        """Return the error of the tree that the caller sees."""
        kind = UpstreamTimeoutError if self.cause is Cause.TIMEOUT else UpstreamError
        return kind(service, str(self))


def of_exception(problem: Exception) -> Fault:
    """Classify what the HTTP library raised."""
    reasons = tuple(_reasons(problem))
    if any(isinstance(reason, requests.Timeout | ReadTimeoutError | TimeoutError) for reason in reasons):
        return Fault(Cause.TIMEOUT, "the service did not answer in time")
    if isinstance(problem, requests.exceptions.SSLError):
        return Fault(Cause.TLS, "no trustworthy TLS connection")
    if any(isinstance(reason, NewConnectionError) for reason in reasons):
        return Fault(Cause.UNREACHABLE, "no connection to the service")
    if isinstance(problem, requests.exceptions.ContentDecodingError):
        return Fault(Cause.MALFORMED, "the answer's encoding is damaged")
    if isinstance(problem, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return Fault(Cause.BROKEN, "the connection broke or the answer ended too soon")
    return Fault(Cause.MALFORMED, "the answer is not HTTP as we know it")


def of_status(status: int, retry_after: str | None) -> Fault:
    """Classify an answer that is neither a success nor a plain 404."""
    text = f"the service answered {status}"
    if status in {401, 403, 407}:
        return Fault(Cause.REFUSED, text)
    if status < 400:  # noqa: PLR2004 - the classes of HTTP statuses are known by their number
        return Fault(Cause.REDIRECT, text)
    if status == 429:  # noqa: PLR2004
        return Fault(Cause.BUSY, text, retry_after=_seconds(retry_after))
    if status in {502, 503, 504}:
        return Fault(Cause.DOWN, text, retry_after=_seconds(retry_after))
    return Fault(Cause.FAILED if status >= 500 else Cause.UNEXPECTED, text)  # noqa: PLR2004


def _reasons(problem: BaseException | None) -> list[BaseException]:
    """Unfold what the libraries wrapped, as an argument, a `reason` or a context."""
    found: list[BaseException] = []
    while problem is not None and problem not in found:
        found.append(problem)
        inner = getattr(problem, "reason", None) or next((a for a in problem.args if isinstance(a, Exception)), None)
        problem = inner if isinstance(inner, BaseException) else problem.__cause__
    return found


def _seconds(retry_after: str | None) -> float | None:
    """Read `Retry-After` in either of its two forms; None when there is none that makes sense."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after[:6]), LONGEST_RETRY_AFTER)
    try:
        wait = parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait), LONGEST_RETRY_AFTER)


HTTP_PROBLEMS = (requests.RequestException, HTTPError, OSError)
"""Everything that the HTTP library raises for a misbehaving upstream."""
