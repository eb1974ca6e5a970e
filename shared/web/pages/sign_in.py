"""Signing in on a page: a token in a form becomes a session, and the visitor is led back to where they were."""

from __future__ import annotations

import re

from flask import Blueprint, Request, Response, request

from shared.errors import BadTokenError, ForbiddenError
from shared.tokens import Verifier
from shared.web.pages.frame import html
from shared.web.sessions import Sessions


def register(blueprint: Blueprint, verifier: Verifier, sessions: Sessions, *, back: re.Pattern[str]) -> None:
    """Add the routes.

    Args:
        blueprint: gets them.
        verifier: of the token.
        sessions: begins the session.
        back: paths beside `/` that signing in may lead back to: nothing that a browser could read as another site.
    """

    @blueprint.get("/sign-in")
    def sign_in_form() -> Response:
        return html("sign-in.html", sessions.read(request))

    @blueprint.post("/sign-in")
    def sign_in() -> Response:
        _refuse_other_sites(request)
        given = request.form.get("back", "")
        try:
            session = sessions.begin(verifier.verify(request.form.get("token", "").strip()))
        except BadTokenError:
            return html("sign-in.html", None, status=401, is_refused=True, back=given)
        response = Response(status=303, headers={"Location": given if back.fullmatch(given) else "/"})
        sessions.remember(response, request, session)
        return response


def _refuse_other_sites(request: Request) -> None:
    """Nobody may sign our visitors in as somebody else: a form of another site must not reach us."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site not in {None, "same-origin", "none"} or (origin and origin.partition("://")[2] != request.host):
        raise ForbiddenError("the request comes from another site")
