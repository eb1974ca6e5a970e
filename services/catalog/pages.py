"""The pages for people: what there is, one revision with its graph, and a button per deployer. No scripts anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Blueprint, Request, Response, request

from services.catalog import descriptions
from services.catalog.deployers import Accepted, Deployer, DeployerClient, Outcome, Refused
from services.catalog.pictures import picture
from services.catalog.shelf import Shelf, Summary
from shared.errors import BadTokenError, NotFoundError
from shared.findings import Severity
from shared.graph_picture import svg
from shared.persistence.record import Record
from shared.principal import ANONYMOUS, Principal
from shared.solution import ID_PATTERN, Ids
from shared.web.authentication import Authenticator
from shared.web.limits import Gate, RateLimit
from shared.web.pages.frame import html
from shared.web.sessions import Session

PER_PAGE = 24
# The one place beside the list that signing in may lead back to: nothing that a browser could read as another site.
SOLUTION_PATH = re.compile(rf"/solutions/{ID_PATTERN.pattern}/{ID_PATTERN.pattern}")
_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One solution in the list: its newest revision, and how many there are."""

    record: Record
    summary: Summary | None
    revisions: int
    is_mine: bool


@dataclass(frozen=True)
class Pages:
    """What the pages need."""

    shelf: Shelf
    authenticator: Authenticator
    rate: RateLimit
    gate: Gate
    """For builds: while one runs, the deployer asks us for the solution, and somebody must be free to answer."""
    deployers: Mapping[str, DeployerClient] = field(default_factory=dict)
    """By name; empty where the catalog cannot make tokens that they accept."""


def register(blueprint: Blueprint, pages: Pages) -> None:
    """Add the routes to `blueprint`."""
    _add_reading(blueprint, pages)
    _add_acting(blueprint, pages)


def _add_reading(blueprint: Blueprint, pages: Pages) -> None:
    @blueprint.get("/")
    def overview() -> Response:
        session = pages.authenticator.session(request)
        entries = _entries(pages.shelf, _principal(session))
        page, last = _page(request, len(entries))
        shown = entries[(page - 1) * PER_PAGE : page * PER_PAGE]
        return html("list.html", session, entries=_filled(pages.shelf, shown), page=page, last=last)

    @blueprint.get("/solutions/<solution_id>/<revision_id>")
    def solution(solution_id: str, revision_id: str) -> Response:
        session = pages.authenticator.session(request)
        record = pages.shelf.record(Ids.parse(solution_id, revision_id), _principal(session))
        return _solution(pages, session, record)

    @blueprint.get("/solutions/<solution_id>/<revision_id>/graph.svg")
    def graph(solution_id: str, revision_id: str) -> Response:
        record = pages.shelf.record(Ids.parse(solution_id, revision_id), _visitor(pages))
        return picture(pages.shelf.revision(record), request, operations=request.args.get("detail") != "names")

    @blueprint.get("/solutions/<solution_id>/<revision_id>/icon")
    def icon(solution_id: str, revision_id: str) -> Response:
        ids = Ids.parse(solution_id, revision_id)
        data = pages.shelf.revision(pages.shelf.record(ids, _visitor(pages))).files.attachments.icon
        if not _is_png(data):
            raise NotFoundError("the solution has no icon")
        return Response(data, content_type="image/png", headers={"Cache-Control": "private, max-age=300"})


def _add_acting(blueprint: Blueprint, pages: Pages) -> None:
    @blueprint.post("/solutions/<solution_id>/<revision_id>/bundles/<deployer>")
    def build(solution_id: str, revision_id: str, deployer: str) -> Response:
        session = pages.authenticator.session(request)
        if session is None:
            raise BadTokenError("the request carries no session")
        record = pages.shelf.record(Ids.parse(solution_id, revision_id), session.principal)
        client = pages.deployers.get(deployer)
        if client is None:
            raise NotFoundError("there is no such deployer")
        pages.rate.take(session.principal.id)
        with pages.gate.passed():
            outcome = client.build(record.ids, session.principal)
        return _outcome(session, record, client, outcome)


def _solution(pages: Pages, session: Session | None, record: Record) -> Response:
    found = pages.shelf.revision(record)
    principal = _principal(session)
    attachments = found.files.attachments
    others = [r for r in pages.shelf.of_solution(record.ids.solution_id) if r.is_visible_to(principal)]
    return html(
        "solution.html",
        session,
        record=record,
        revision=found,
        findings=sorted(found.findings, key=lambda finding: _GRAVITY[finding.severity]),
        drawing=svg(found.solution, standalone=False),
        description=descriptions.sanitised(attachments.description or ""),
        has_icon=_is_png(attachments.icon),
        others=[other for other in others if other.ids != record.ids],
        deployers=_described(pages, session),
        is_mine=record.owner == principal.id,
    )


def _outcome(session: Session, record: Record, client: DeployerClient, outcome: Outcome) -> Response:
    if isinstance(outcome, Refused):
        about = client.describe(session.principal)
        return html("refused.html", session, status=422, record=record, deployer=about, refused=outcome)
    if isinstance(outcome, Accepted):
        about = client.describe(session.principal)
        return html("accepted.html", session, status=202, record=record, deployer=about, location=outcome.location)
    name = f"{record.ids.solution_id}-{client.name}.zip"  # of ids, so nothing in it has to be quoted
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Slipway-Findings": outcome.findings}
    return Response(outcome.zip, content_type="application/zip", headers=headers)


def _described(pages: Pages, session: Session | None) -> list[Deployer]:
    if session is None:
        return []
    return [client.describe(session.principal) for client in pages.deployers.values()]


def _entries(shelf: Shelf, principal: Principal) -> list[Entry]:
    """Return one entry per solution, the one stored last first; summaries are filled in for those that are shown."""
    grouped: dict[str, list[Record]] = {}
    for record in shelf.records(principal):
        grouped.setdefault(record.ids.solution_id, []).append(record)
    return [Entry(group[0], None, len(group), group[0].owner == principal.id) for group in grouped.values()]


def _filled(shelf: Shelf, entries: Sequence[Entry]) -> list[Entry]:
    return [Entry(e.record, shelf.summary(e.record), e.revisions, e.is_mine) for e in entries]


def _page(request: Request, count: int) -> tuple[int, int]:
    """Return which page of the list is asked for, and which is the last."""
    last = max(1, -(-count // PER_PAGE))
    text = request.args.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 1  # noqa: PLR2004 - digits
    return min(max(number, 1), last), last


def _principal(session: Session | None) -> Principal:
    return session.principal if session else ANONYMOUS


def _visitor(pages: Pages) -> Principal:
    return pages.authenticator.visitor(request) or ANONYMOUS


def _is_png(data: bytes | None) -> bool:
    return data is not None and data.startswith(PNG)
