"""Asks deployers for bundles on a visitor's behalf, with a token made for this one call.

A deployer is another origin that takes tokens and no cookies; a page without scripts cannot ask it, so the catalog does.
A build is never asked for twice: an upstream that pushes would deploy twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import requests
import structlog

from services.catalog import claims
from services.catalog.settings import DeployerPlace
from shared import fault
from shared.deadline import Deadline
from shared.deadline_adapter import DeadlineAdapter, obeying
from shared.errors import (
    NotFoundError,
    RateLimitedError,
    SlipwayError,
    TooLargeError,
    UnavailableError,
    UpstreamError,
)
from shared.findings import Finding, Severity
from shared.origin import Origin
from shared.principal import Principal
from shared.solution import Ids
from shared.tokens import development_token

log = structlog.get_logger(__name__)

TOKEN_SECONDS = 60
BUILD_SECONDS = 45.0  # a deployer's own load may take 30
DESCRIBE_SECONDS = 1.0  # nobody waits longer for the title on a button
DESCRIBED_SECONDS = 300.0
FORGIVEN_SECONDS = 20.0  # a deployer that did not describe itself is asked again after this
MOST_ZIP = 64 << 20
MOST_JSON = 1 << 20
_CHUNK = 64 * 1024


class _Finding(msgspec.Struct, frozen=True):
    severity: str
    code: str
    path: str
    expected: str
    found: str
    hint: str = ""


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""
    findings: tuple[_Finding, ...] = ()


class _About(msgspec.Struct, frozen=True):
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Deployer:
    """What a page says of a deployer."""

    name: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Built:
    """The bundle."""

    zip: bytes
    findings: str
    """The header `Slipway-Findings`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The deployer could not build the solution, and said why."""

    detail: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The deployer pushes, and has begun."""

    location: str | None
    """Where to watch: a URL of the deployer, or None when it names another place."""


Outcome = Built | Refused | Accepted


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class DeployerClient:
    """Speaks to one deployer; safe to use from many threads."""

    def __init__(self, place: DeployerPlace, secret: bytes, *, ca_file: Path | None = None) -> None:
        """Prepare; nothing is sent yet.

        Args:
            place: its name and where it answers.
            secret: what tokens are signed with, here and there.
            ca_file: authorities (PEM) that may vouch for it, in place of the public ones.
        """
        self.name = place.name
        self._origin = Origin.parse(place.url)
        self._secret = secret
        self._verify: str | bool = str(ca_file) if ca_file else True
        self._adapter = DeadlineAdapter(pool_connections=1, pool_maxsize=8)
        self._about: tuple[float, Deployer] | None = None

    def build(self, ids: Ids, principal: Principal) -> Outcome:
        """Ask for a bundle with the deployer's defaults.

        Raises:
            NotFoundError, RateLimitedError, UnavailableError: as the deployer says.
            UpstreamError: it misbehaved; UpstreamTimeoutError past the deadline; TooLargeError for a huge answer.
        """
        body = json.dumps({"solutionId": ids.solution_id, "revisionId": ids.revision_id, "options": {}}).encode()
        answer = self._send("POST", "v1/bundles", body, principal, Deadline.after(BUILD_SECONDS), most_bytes=MOST_ZIP)
        if answer.status == 200:  # noqa: PLR2004 - statuses of HTTP are known by their number
            return self._built(answer)
        if answer.status == 202:  # noqa: PLR2004
            return Accepted(self._own_place(answer.headers.get("Location", "")))
        return self._failed(answer, ids)

    def describe(self, principal: Principal) -> Deployer:
        """Return its title and summary, kept for a while; its name where it does not say them in time."""
        if self._about and self._about[0] > time.monotonic():
            return self._about[1]
        try:
            deadline = Deadline.after(DESCRIBE_SECONDS)
            answer = self._send("GET", "v1/deployer", b"", principal, deadline, most_bytes=MOST_JSON)
            about = msgspec.json.decode(answer.body, type=_About)
            found, fresh = Deployer(self.name, about.title, about.summary), DESCRIBED_SECONDS
        except (SlipwayError, msgspec.MsgspecError):
            log.warning("deployer_undescribed", deployer=self.name)
            found, fresh = Deployer(self.name, self.name, ""), FORGIVEN_SECONDS
        self._about = (time.monotonic() + fresh, found)
        return found

    def close(self) -> None:
        """Close the idle connections."""
        self._adapter.close()

    def _built(self, answer: _Answer) -> Built:
        if answer.headers.get("Content-Type", "").partition(";")[0] != "application/zip" or answer.body[:2] != b"PK":
            raise UpstreamError(self.name, "malformed_answer: expected a zip")
        findings = answer.headers.get("Slipway-Findings", "")
        return Built(answer.body, findings if findings.isascii() and findings.isprintable() else "")

    def _failed(self, answer: _Answer, ids: Ids) -> Refused:
        log.warning("deployer_refused", deployer=self.name, status=answer.status)
        if answer.status == NotFoundError.status:
            raise NotFoundError(f"{self.name} does not know solution {ids.solution_id}, revision {ids.revision_id}")
        if answer.status == RateLimitedError.status:
            raise RateLimitedError(f"{self.name}: too many builds, try again in a minute", retry_after=60)
        if answer.status == UnavailableError.status:
            raise UnavailableError(f"{self.name} is busy or not ready; try again in a moment")
        if answer.status not in {413, 422}:
            raise fault.of_status(answer.status, None).error(self.name)
        try:
            problem = msgspec.json.decode(answer.body, type=_Problem)
            findings = tuple(_finding(found) for found in problem.findings)
        except (msgspec.MsgspecError, ValueError) as malformed:
            raise UpstreamError(self.name, "malformed_answer: expected a problem in JSON") from malformed
        return Refused(problem.detail, findings)

    def _own_place(self, location: str) -> str | None:
        """Return a URL that stays with the deployer: no answer may send the visitor elsewhere."""
        try:
            return self._origin.resolve(location) if location else None
        except ValueError:
            return None

    def _send(
        self, method: str, path: str, body: bytes, principal: Principal, deadline: Deadline, *, most_bytes: int
    ) -> _Answer:
        request = requests.Request(method, self._origin.resolve(path), headers=self._headers(principal), data=body)
        try:
            with (
                obeying(deadline),
                self._adapter.send(
                    request.prepare(), stream=True, timeout=(3.0, deadline.remaining), verify=self._verify
                ) as answer,
            ):
                return _Answer(answer.status_code, answer.headers, self._body(answer, most_bytes))
        except fault.HTTP_PROBLEMS as problem:
            raise fault.of_exception(problem).error(self.name) from problem

    def _headers(self, principal: Principal) -> dict[str, str]:
        token = development_token(
            self._secret,
            principal=principal.id,
            user_id=claims.derived_id(principal.id),
            now=time.time(),
            lifetime=TOKEN_SECONDS,
        )
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        known = {"X-Request-ID": request_id} if isinstance(request_id, str) else {}
        return {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/zip, application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "slipway",
            **known,
        }

    def _body(self, answer: requests.Response, most_bytes: int) -> bytes:
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > most_bytes:
                raise TooLargeError(f"{self.name}: expected an answer of at most {most_bytes} bytes, found more")
        return bytes(body)


def _finding(found: _Finding) -> Finding:
    """Take a finding from another service; ValueError for a severity that there is not."""
    return Finding(Severity(found.severity), found.code, found.path, found.expected, found.found, found.hint)
