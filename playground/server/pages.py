"""The pages that show: all deployments, one of them, and what operators see. Forms and folders are modules of their own."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Flask, Response, request

from playground.runtime.deployment import Deployment, State
from playground.server import api, fleet, page_views
from playground.server.callers import Callers
from playground.server.desk import Desk
from playground.server.fleet import Choice
from playground.server.glances import AWAKE, Glances
from shared.errors import BadTokenError, ForbiddenError, InvalidRequestError, SlipwayError
from shared.findings import Severity
from shared.graph_picture import svg
from shared.solution import Solution
from shared.web.pages.frame import html
from shared.web.sessions import Session

PER_PAGE = 200
SHOWN_EVENTS = 40
LONGEST_TEXT = 100
WIDE = 900
"""Pixels; a wider picture stands above everything, not beside the log."""
# Where signing in may lead back to: nothing that a browser could read as another site.
BACK = re.compile(r"/deployments/[a-z0-9-]{1,63}(?:/shared-folder/)?|/operator")
_GRAVITY = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True)
class Pages:
    """What the pages need."""

    desk: Desk
    callers: Callers
    glances: Glances

    def session(self) -> Session:
        """Return the visitor's session.

        Raises:
            BadTokenError: nobody has signed in.
            ForbiddenError, RateLimitedError: as `Callers.session` says.
        """
        session = self.callers.session()
        if session is None:
            raise BadTokenError("the request carries no session")
        return session


def prepare(app: Flask) -> None:
    """Give the templates our words for amounts and times."""
    app.jinja_env.globals["lights"] = page_views.LIGHTS
    app.jinja_env.filters.update(
        age=lambda moment: page_views.age(time.time() - moment),
        amount=page_views.amount,
        rate=page_views.rate,
        size=page_views.size,
        clock=_clock,
        moment=_moment,
    )


def register(blueprint: Blueprint, pages: Pages) -> None:
    """Add the routes to `blueprint`."""
    desk = pages.desk

    @blueprint.get("/")
    def overview() -> Response:
        session = pages.callers.session()
        if session is None:
            return html("welcome.html", None)
        return _overview(session, desk.deployments(session.principal))

    @blueprint.get("/deployments/<deployment_id>")
    def deployment(deployment_id: str) -> Response:
        session = pages.session()
        found = desk.deployment(deployment_id, session.principal)
        desk.look(found)
        return _deployment(pages, session, found)

    @blueprint.get("/operator")
    def operator() -> Response:
        session = pages.session()
        if not session.principal.is_operator:
            raise ForbiddenError("only operators may see this")
        seen = api.overview(desk)
        awake = [sum(each["states"].get(state, 0) for state in AWAKE) for each in seen["owners"]]
        return html("operator.html", session, seen=seen, states=list(State), awake=awake)


def _overview(session: Session, found: Sequence[Deployment]) -> Response:
    choice = Choice(_state(request.args.get("state", "")), request.args.get("text", "").strip()[:LONGEST_TEXT])
    named = replace(choice, state=None).of(found)
    chosen = choice.of(named)
    last = max(1, -(-len(chosen) // PER_PAGE))
    number = min(api.number(request, "page", least=1, most=9999) or 1, last)
    return html(
        "list.html",
        session,
        rows=fleet.rows(chosen[(number - 1) * PER_PAGE : number * PER_PAGE]),
        states=fleet.states(named),
        named=len(named),
        choice=choice,
        total=len(found),
        is_long=len(found) >= fleet.SEARCHED_FROM,
        page=number,
        last=last,
    )


def _state(text: str) -> State | None:
    try:
        return State(text) if text else None
    except ValueError:
        raise InvalidRequestError(f"state: expected one of {', '.join(State)}") from None


def _deployment(pages: Pages, session: Session, found: Deployment) -> Response:
    desk = pages.desk
    statistics = pages.glances.statistics(found)
    solution = _solution(desk, found)
    nodes, edges = page_views.nodes(found, statistics), page_views.edges(solution, statistics)
    drawing = svg(solution, standalone=False, live=page_views.live(nodes, edges)) if solution else ""
    return html(
        "deployment.html",
        session,
        found=found,
        run=statistics["run"],
        is_running=statistics["run"] is not None and statistics["run"]["state"] in page_views.ACTIVE,
        statistics=statistics,
        solution=solution,
        nodes=nodes,
        edges=edges,
        total=page_views.total(edges),
        drawing=drawing,
        is_wide=page_views.width(drawing) > WIDE,
        events=list(reversed(desk.runtime.events(found.id)))[:SHOWN_EVENTS],
        findings=sorted(found.findings, key=lambda finding: _GRAVITY[finding.severity]),
        has_folder=desk.has_data(found),
        revision=next((each for each in found.revisions if each.number == found.current), None),
    )


def _solution(desk: Desk, found: Deployment) -> Solution | None:
    """Return what runs; a page without a picture is better than none."""
    try:
        return desk.blueprints.solution(found)
    except SlipwayError:
        return None


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds))
