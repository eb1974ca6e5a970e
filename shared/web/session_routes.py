"""The routes that begin and end a browser session; for services with pages."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import MethodNotAllowed

from shared.errors import BadTokenError
from shared.web.authentication import Authenticator
from shared.web.sessions import Sessions


def register(app: Flask, authenticator: Authenticator, sessions: Sessions, *, landing: str = "/") -> None:
    """Add the routes.

    `POST /session` exchanges a token in a header for the cookie (204). `POST /session/codes` exchanges it for a link
    that works once, within a minute (201, `{"code","url"}`); `GET /session?code=…` is that link (303 to `landing`).
    `DELETE /session` and, for plain forms, `POST /session/end` sign out.
    """

    @app.post("/session")
    def begin_session() -> Response:
        session = sessions.begin(authenticator.proof(request))
        response = Response(status=204)
        sessions.remember(response, request, session)
        return response

    @app.post("/session/codes")
    def make_code() -> Response:
        code = sessions.code(authenticator.proof(request))
        response = jsonify(code=code, url=f"/session?code={code}")
        response.status_code = 201
        return response

    @app.get("/session")
    def redeem_code() -> Response:
        if request.method == "HEAD":
            # Whoever only looks at a link (mail scanners, chats) must not use it up.
            raise MethodNotAllowed(["GET", "POST", "DELETE"])
        session = sessions.redeem(request.args.get("code", ""))
        response = _to(landing)
        sessions.remember(response, request, session)
        return response

    @app.delete("/session")
    def end_session() -> Response:
        return _signed_out(Response(status=204))

    @app.post("/session/end")
    def end_session_by_form() -> Response:
        return _signed_out(_to(landing))

    def _signed_out(response: Response) -> Response:
        if authenticator.session(request) is None:
            raise BadTokenError("the request carries no session")
        sessions.forget(response, request)
        return response


def _to(path: str) -> Response:
    return Response(status=303, headers={"Location": path})
