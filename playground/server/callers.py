"""Who calls: a program with its token, a visitor with a session, or the deployer that pushes for somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from flask import Request, request

from playground.server.push_tokens import PushTokens, is_push_token
from shared.errors import BadTokenError, ForbiddenError
from shared.principal import Principal
from shared.web.authentication import Authenticator, presented
from shared.web.limits import RateLimit
from shared.web.sessions import Session


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller of one request."""

    principal: Principal
    until: float
    """Seconds since the epoch: when the proof ends, what it opened ends too."""


@dataclass(frozen=True, slots=True)
class Pusher:
    """Who sent a bundle, and the bundle."""

    principal: Principal
    body: bytes
    is_service: bool
    """The deployer sent it on behalf of `principal`."""
    token_id: str = ""
    """Of the token that the deployer made for this push; empty for everybody else."""


Who = Callable[[], Caller]
"""Says who makes the request that is being served."""


class Callers:
    """Knows every way to prove who one is."""

    def __init__(
        self,
        authenticator: Authenticator,
        *,
        pushes: PushTokens | None,
        operators: frozenset[str],
        requests: RateLimit,
    ) -> None:
        """Prepare.

        Args:
            authenticator: of tokens and sessions.
            pushes: of the deployer's tokens; None where no service may push.
            operators: principals who are operators without a role in a token.
            requests: what one principal may ask in all.
        """
        self._authenticator = authenticator
        self._pushes = pushes
        self._operators = operators
        self._requests = requests

    def program(self) -> Caller:
        """Return who presents a token of their own.

        Raises:
            BadTokenError: nobody.
            RateLimitedError: too often.
        """
        proof = self._authenticator.proof(request)
        self._requests.take(proof.principal.id)
        return Caller(proof.principal, proof.expires)

    def visitor(self) -> Caller:
        """Return whose session the request carries; its unsafe methods must come from our own pages.

        Raises:
            BadTokenError: it carries none.
            ForbiddenError: another site sent it.
            RateLimitedError: too often.
        """
        session = self.session()
        if session is None:
            raise BadTokenError("the request carries no session")
        return Caller(session.principal, session.expires)

    def session(self) -> Session | None:
        """Return the visitor's session, or None. Raises what `visitor` does but for BadTokenError.

        A node's web UI is a sibling site, and browsers send it our cookie along: it may not even look.
        """
        if request.headers.get("Sec-Fetch-Site") not in {None, "none", "same-origin"} and not _is_navigation(request):
            raise ForbiddenError("the request comes from another site")
        session = self._authenticator.session(request)
        if session is not None:
            self._requests.take(session.principal.id)
        return session

    def pusher(self) -> Pusher:
        """Return who sends a bundle with a token, and the whole body.

        Raises:
            BadTokenError: no token, a bad one, or one for another body: the same answer for every cause.
            RateLimitedError: too often.
        """
        token = presented(request) or ""
        if self._pushes is None or not is_push_token(token):
            caller = self.program()
            return Pusher(caller.principal, request.get_data(cache=False), is_service=False)
        proof = self._pushes.read(token)
        self._requests.take(proof.principal_id)
        body = request.get_data(cache=False)
        proof.check(body)
        principal = Principal(proof.principal_id, is_operator=proof.principal_id in self._operators)
        structlog.contextvars.bind_contextvars(caller=principal.owner_hash)
        return Pusher(principal, body, is_service=True, token_id=proof.token_id)

    def visiting_pusher(self) -> Pusher:
        """Return the visitor who sends a bundle from our own page, and the whole body. Raises what `visitor` does."""
        caller = self.visitor()
        return Pusher(caller.principal, request.get_data(cache=False), is_service=False)


def _is_navigation(request: Request) -> bool:
    """Answer whether somebody follows a link: what they get is shown to them and not to the page with the link."""
    return request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
