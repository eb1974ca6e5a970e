"""Another service of the platform, asked with any method: one request, one answer, whatever its status.

`shared.outbound` is for upstreams that are only read; here the caller decides what a status means and what may be tried
again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
import structlog

from shared import fault
from shared.deadline import Deadline
from shared.deadline_adapter import DeadlineAdapter, obeying
from shared.errors import TooLargeError
from shared.origin import Origin

CONNECT_SECONDS = 3.0
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


class Peer:
    """Sends requests below one base URL; follows no redirect, knows no proxy; safe to use from many threads."""

    def __init__(self, name: str, origin: Origin, *, ca_file: Path | None = None, connections: int = 8) -> None:
        """Prepare; nothing is sent yet.

        Args:
            name: the service in messages.
            origin: its base URL.
            ca_file: authorities (PEM) that may vouch for it, in place of the public ones.
            connections: kept open at most.
        """
        self.name = name
        self.origin = origin
        self._verify: str | bool = str(ca_file) if ca_file else True
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=connections)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        deadline: Deadline,
        most_bytes: int,
        body: bytes = b"",
    ) -> Answer:
        """Send one request, once.

        Args:
            method: of HTTP.
            path: below the base, not yet percent-encoded.
            headers: beside those of every request.
            deadline: for everything, the answer's last byte included.
            most_bytes: of the answer's body.
            body: of the request.

        Raises:
            Fault: there was no answer, or not a whole one.
            TooLargeError: the body is larger.
        """
        prepared = requests.Request(
            method, self.origin.resolve(path), headers={**_usual_headers(), **headers}, data=body
        ).prepare()
        timeout = (min(CONNECT_SECONDS, deadline.remaining), deadline.remaining)
        if deadline.has_passed:
            raise fault.Fault(fault.Cause.TIMEOUT, "the deadline has passed")
        try:
            with (
                obeying(deadline),
                self._adapter.send(prepared, stream=True, timeout=timeout, verify=self._verify) as answer,
            ):
                return Answer(answer.status_code, answer.headers, self._body(answer, most_bytes))
        except fault.HTTP_PROBLEMS as problem:
            raise fault.of_exception(problem) from problem

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()

    def _body(self, answer: requests.Response, most_bytes: int) -> bytes:
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > most_bytes:
                raise TooLargeError(f"{self.name}: expected an answer of at most {most_bytes} bytes, found more")
        return bytes(body)


def _usual_headers() -> dict[str, str]:
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    known = {"X-Request-ID": request_id} if isinstance(request_id, str) else {}
    return {"Accept-Encoding": "identity", "User-Agent": "slipway", **known}
