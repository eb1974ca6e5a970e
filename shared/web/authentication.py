"""Who calls: the token of an API request, or the session of a page's visitor. An API never reads the cookie."""

from __future__ import annotations

import structlog
from flask import Request

from shared.errors import BadTokenError
from shared.principal import Principal
from shared.tokens import Proof, Verifier
from shared.web.sessions import Session, Sessions

QUERY_TOKEN = "jwtToken"  # noqa: S105 - the name of Graphene's parameter and header


class Authenticator:
    """Turns a request into a principal."""

    def __init__(self, verifier: Verifier, *, sessions: Sessions | None = None) -> None:
        """Check tokens with `verifier`; `sessions` only for services with pages."""
        self._verifier = verifier
        self._sessions = sessions

    def caller(self, request: Request, *, allow_query_token: bool = False) -> Principal:
        """Return who presents a token, in `jwtToken` or `Authorization` (with or without `Bearer`).

        Args:
            request: of an API route.
            allow_query_token: also read the query parameter `jwtToken`: the compatibility profile's two routes only.

        Raises:
            BadTokenError: no token or a bad one; the answer is the same 401 for every cause.
        """
        return self.proof(request, allow_query_token=allow_query_token).principal

    def proof(self, request: Request, *, allow_query_token: bool = False) -> Proof:
        """Return what `caller` does, with the token's expiry."""
        token = presented(request, allow_query_token=allow_query_token)
        if token is None:
            raise BadTokenError("the request carries no token")
        proof = self._verifier.verify(token)
        _name_caller(proof.principal)
        return proof

    def session(self, request: Request) -> Session | None:
        """Return the visitor's session, or None without a valid one.

        Raises:
            ForbiddenError: the method is unsafe and the request does not prove that our own page sent it.
        """
        session = self._sessions.read(request) if self._sessions else None
        if self._sessions is None or session is None:
            return None
        self._sessions.guard(request, session)
        _name_caller(session.principal)
        return session

    def visitor(self, request: Request) -> Principal | None:
        """Return the principal of `session(request)`."""
        session = self.session(request)
        return session.principal if session else None


def presented(request: Request, *, allow_query_token: bool = False) -> str | None:
    """Return the token that a request carries, or None. Graphene's own header goes first, as Graphene has it."""
    given = request.headers.get("jwtToken") or request.headers.get("Authorization")
    if given:
        scheme, _, rest = given.strip().partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else given.strip()
    # More than one value is nobody's token.
    return ",".join(request.args.getlist(QUERY_TOKEN)) or None if allow_query_token else None


def _name_caller(principal: Principal) -> None:
    structlog.contextvars.bind_contextvars(caller=principal.owner_hash)
