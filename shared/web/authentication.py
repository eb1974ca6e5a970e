"""Who calls: the token of an API request, or the session of a page's visitor. An API never reads the cookie."""

from __future__ import annotations

from flask import Flask, Request

from shared.principal import Principal
from shared.web.sessions import Session


class Authenticator:
    """Turns a request into a principal. Made with `Authenticator(verifier, sessions=Sessions(…) | None)`."""

    def caller(self, request: Request, *, allow_query_token: bool = False) -> Principal:
        """Return who presents a token, in `Authorization` (with or without `Bearer`) or `jwtToken`.

        Raises:
            BadTokenError: no token or a bad one; the answer is the same 401 for every cause.
        """
        raise NotImplementedError

    def session(self, request: Request) -> Session | None:
        """Return the visitor's session, or None without a valid one.

        Raises:
            ForbiddenError: the method is unsafe and the request does not prove that our own page sent it.
        """
        raise NotImplementedError

    def visitor(self, request: Request) -> Principal | None:
        """Return the principal of `session(request)`."""
        raise NotImplementedError

    def register(self, app: Flask, *, landing: str = "/") -> None:
        """Add the session routes; only with `sessions`.

        `POST /session` (token in a header → 204 and the cookie), `POST /session/codes` (token → 201 `{"code","url"}`,
        single use, 60 s), `GET /session?code=…` (→ cookie and 303 to `landing`), `DELETE /session` and
        `POST /session/end` (sign out; CSRF-protected).
        """
        raise NotImplementedError
