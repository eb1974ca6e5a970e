"""Asks deployers for bundles on a visitor's behalf, with a token made for this one call.

A deployer is another origin that takes tokens and no cookies; a page without scripts cannot ask it, so the catalog does.
A build is never asked for twice: an upstream that pushes would deploy twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from services.catalog import claims
from services.catalog.settings import DeployerPlace
from shared import fault
from shared.deadline import Deadline
from shared.errors import (
    NotFoundError,
    RateLimitedError,
    SlipwayError,
    UnavailableError,
    UpstreamError,
)
from shared.fault import Fault
from shared.findings import Finding
from shared.origin import Origin
from shared.peer import Answer, Peer
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
# A deployment of a playground, or the link that signs its owner in there, once.
_PAGE = re.compile(r"deployments/[a-z][a-z0-9-]{0,51}(?:/visit\?code=[A-Za-z0-9_.-]{1,4096})?")


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""
    findings: tuple[Finding, ...] = ()


class _Pushed(msgspec.Struct, frozen=True):
    page: str


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
    """Where to watch: a URL of the deployer or a page of a known playground, or None when it names another place."""


Outcome = Built | Refused | Accepted


class DeployerClient:
    """Speaks to one deployer; safe to use from many threads."""

    def __init__(
        self,
        place: DeployerPlace,
        secret: bytes,
        *,
        playgrounds: Sequence[Origin] = (),
        ca_file: Path | None = None,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            place: its name and where it answers.
            secret: what tokens are signed with, here and there.
            playgrounds: where else it may send visitors to watch what it pushed.
            ca_file: authorities (PEM) that may vouch for it, in place of the public ones.
        """
        self.name = place.name
        self._peer = Peer(place.name, Origin.parse(place.url), ca_file=ca_file)
        self._playgrounds = tuple(place.base for place in playgrounds)
        self._secret = secret
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
            return Accepted(self._page(answer.body) or self._own_place(answer.headers.get("Location", "")))
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
        self._peer.close()

    def _built(self, answer: Answer) -> Built:
        if answer.headers.get("Content-Type", "").partition(";")[0] != "application/zip" or answer.body[:2] != b"PK":
            raise UpstreamError(self.name, "malformed_answer: expected a zip")
        findings = answer.headers.get("Slipway-Findings", "")
        return Built(answer.body, findings if findings.isascii() and findings.isprintable() else "")

    def _failed(self, answer: Answer, ids: Ids) -> Refused:
        log.warning("deployer_refused", deployer=self.name, status=answer.status)
        if answer.status == NotFoundError.status:
            raise NotFoundError(f"{self.name} does not know solution {ids.solution_id}, revision {ids.revision_id}")
        if answer.status == RateLimitedError.status:
            raise RateLimitedError(f"{self.name}: {_limit(answer)}", retry_after=60)
        if answer.status == UnavailableError.status:
            raise UnavailableError(f"{self.name} is busy or not ready; try again in a moment")
        if answer.status not in {409, 413, 422}:
            raise fault.of_status(answer.status, None).error(self.name)
        problem = self._problem(answer)
        return Refused(problem.detail, problem.findings)

    def _problem(self, answer: Answer) -> _Problem:
        try:
            return msgspec.json.decode(answer.body, type=_Problem)
        except (msgspec.MsgspecError, UnicodeDecodeError) as malformed:
            raise UpstreamError(self.name, "malformed_answer: expected a problem in JSON") from malformed

    def _page(self, body: bytes) -> str | None:
        """Return where the visitor may watch what was pushed: a page of a playground that the operator named, or None."""
        try:
            page = msgspec.json.decode(body, type=_Pushed).page
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None
        bases = [base for base in self._playgrounds if page.startswith(base)]
        return page if any(_PAGE.fullmatch(page.removeprefix(base)) for base in bases) else None

    def _own_place(self, location: str) -> str | None:
        """Return a URL that stays with the deployer: no answer may send the visitor elsewhere."""
        try:
            return self._peer.origin.resolve(location) if location else None
        except ValueError:
            return None

    def _send(
        self, method: str, path: str, body: bytes, principal: Principal, deadline: Deadline, *, most_bytes: int
    ) -> Answer:
        headers = self._headers(principal)
        try:
            return self._peer.send(method, path, headers=headers, deadline=deadline, most_bytes=most_bytes, body=body)
        except Fault as problem:
            raise problem.error(self.name) from problem

    def _headers(self, principal: Principal) -> dict[str, str]:
        token = development_token(
            self._secret,
            principal=principal.id,
            user_id=claims.derived_id(principal.id),
            now=time.time(),
            lifetime=TOKEN_SECONDS,
        )
        return {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/zip, application/json",
        }


def _limit(answer: Answer) -> str:
    """Return which limit the visitor has met: of builds, or of what a playground keeps for one person."""
    try:
        return msgspec.json.decode(answer.body, type=_Problem).detail
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "too many builds, try again in a minute"
