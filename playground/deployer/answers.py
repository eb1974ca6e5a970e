"""What the playground's server answers to a push: the deployment, or why there is none, in the words of our errors.

Nothing in it becomes a URL as it is: an id has the form of an id, and a code that of a code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from shared import fault, naming
from shared.errors import ConflictError, InvalidSolutionError, RateLimitedError, TooLargeError
from shared.fault import Cause, Fault
from shared.findings import Finding, Findings
from shared.peer import Answer

LONGEST_ID = 52  # as `playground.runtime.deployment.DeploymentId` has it
LONGEST_DETAIL = 300
LONGEST_WAIT = 3600
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,4096}")


@dataclass(frozen=True, slots=True)
class Pushed:
    """A deployment that the server has taken."""

    deployment: str
    is_new: bool
    code: str | None
    """Signs its owner in at the deployment's page, once, within a minute; the server may give none."""
    findings: Findings
    """What the server changed or left out."""


class _Deployment(msgspec.Struct, frozen=True):
    id: str
    visit: str = ""
    findings: tuple[Finding, ...] = ()


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""
    findings: tuple[Finding, ...] = ()


def read(answer: Answer) -> Pushed:
    """Return what the server has taken.

    Raises:
        InvalidSolutionError, ConflictError, RateLimitedError, TooLargeError: as the server says.
        Fault: any other answer; it says whether to try again.
    """
    if answer.status in {200, 202}:
        return _pushed(answer)
    if answer.status not in {409, 413, 422, 429}:
        raise fault.of_status(answer.status, answer.headers.get("Retry-After"))
    problem = _decoded(answer, _Problem)
    detail = _one_line(problem.detail)
    if answer.status == ConflictError.status:
        raise ConflictError(f"playground: {detail}")
    if answer.status == TooLargeError.status:
        raise TooLargeError(f"playground: {detail}")
    if answer.status == RateLimitedError.status:
        raise RateLimitedError(f"playground: {detail}", retry_after=_seconds(answer.headers.get("Retry-After", "")))
    if not problem.findings:
        # Our own zip: that it cannot be read is nobody's fault but ours.
        raise Fault(Cause.UNEXPECTED, "the service refused the bundle without a finding")
    raise InvalidSolutionError(Findings(problem.findings))


def _pushed(answer: Answer) -> Pushed:
    found = _decoded(answer, _Deployment)
    if not naming.is_label(found.id, LONGEST_ID):
        raise Fault(Cause.MALFORMED, "expected the id of a deployment")
    code = found.visit.removeprefix(f"/deployments/{found.id}/visit?code=")
    if found.visit and not _CODE.fullmatch(code):
        raise Fault(Cause.MALFORMED, "expected a link to the deployment")
    is_new = answer.status == 202  # noqa: PLR2004 - HTTP
    return Pushed(found.id, is_new, code or None, Findings(found.findings))


def _decoded(answer: Answer, form: type[Any]) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise Fault(Cause.MALFORMED, "expected JSON as the playground's server writes it") from problem


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)[:LONGEST_DETAIL]


def _seconds(text: str) -> int:
    """Read `Retry-After` as our server writes it."""
    return min(int(text[:6]), LONGEST_WAIT) if text.isascii() and text.isdigit() else 60
