"""Shows errors to people as a page: an answer in problem+json becomes one where the caller asks for HTML by name."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Flask, Response, render_template, request

from shared.web.problems import PROBLEM_TYPE
from shared.web.sessions import Sessions

TITLES = {
    401: "You are not signed in",
    403: "This is not yours to do",
    404: "There is nothing here",
    429: "A little too fast",
}
OTHERWISE = "That did not work"


def register(app: Flask, sessions: Sessions, titles: Mapping[int, str]) -> None:
    """Look at every answer of `app`; `titles` are the service's own for a status."""
    known = {**TITLES, **titles}

    def show(response: Response) -> Response:
        if response.mimetype != PROBLEM_TYPE or "text/html" not in request.headers.get("Accept", ""):
            return response
        problem = json.loads(response.get_data())
        title = known.get(response.status_code, OTHERWISE)
        page = render_template(
            "error.html", session=sessions.read(request), title=title, problem=problem, path=request.path
        )
        response.set_data(page)
        response.content_type = "text/html; charset=utf-8"
        return response

    app.after_request(show)
