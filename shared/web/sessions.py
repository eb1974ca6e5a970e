"""Browser sessions: a token is exchanged once for a short-lived signed cookie that every copy of a service can read.

The cookie holds who the visitor is, a random id and an expiry; only ended sessions are remembered, so that a stolen
cookie ends with its owner's. Unsafe requests must prove that our own page sent them.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from shared.errors import BadTokenError, ForbiddenError
from shared.principal import Principal
from shared.tokens import Proof
from shared.web import cookies, spent
from shared.web.seal import Seal
from shared.web.settings import SessionSettings

CODE_SECONDS = 60
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Session:
    """A visitor's session as its cookie carries it."""

    principal: Principal
    id: str
    expires: int
    """Seconds since the epoch; never later than the token's own expiry."""
    csrf: str
    """What an unsafe request must bring as `X-CSRF-Token` or as the form field `csrf_token`."""


class Sessions:
    """Makes and reads the sessions of one service."""

    def __init__(self, name: str, settings: SessionSettings, *, now: Callable[[], float] = time.time) -> None:
        """Prepare the keys.

        Args:
            name: the service: its cookie bears the name, and a cookie of another service is not accepted.
            settings: the key, which all copies of the service share, and the longest life.
            now: seconds since the epoch.

        Raises:
            SettingsError: the folder for used codes cannot be made.
        """
        key = settings.key.reveal().encode()
        self._cookie = f"slipway-{name}"
        self._seconds = settings.seconds
        self._cookies = Seal(key, f"cookie of {name}")
        self._codes = Seal(key, f"code of {name}")
        self._csrf = Seal(key, f"csrf of {name}")
        self._spent = spent.SpentCodes(spent.folder(settings.spent_folder))
        self._now = now

    def begin(self, proof: Proof) -> Session:
        """Return a new session for whom a token proves."""
        expires = min(proof.expires, int(self._now()) + self._seconds)
        return self._session(proof.principal, secrets.token_hex(16), expires)

    def read(self, request: Request) -> Session | None:
        """Return the session of a request's cookie, or None without a valid one."""
        sealed = cookies.read(request, self._cookie)
        value = self._cookies.open(sealed) if sealed else None
        if value is None or value["expires"] <= self._now() or self._spent.is_spent(value["id"]):
            return None
        return self._session(_principal(value), value["id"], value["expires"])

    def guard(self, request: Request, session: Session) -> None:
        """Let safe methods pass, and others that our own page sent.

        Raises:
            ForbiddenError: the request may come from a foreign page.
        """
        if request.method in _SAFE_METHODS:
            return
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site not in {None, "same-origin"} or (origin is not None and origin.partition("://")[2] != request.host):
            raise ForbiddenError("the request comes from another site")
        given = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise ForbiddenError(f"expected the page's token in the header {CSRF_HEADER} or the field {CSRF_FIELD}")

    def remember(self, response: Response, request: Request, session: Session) -> None:
        """Put the session into the visitor's browser."""
        value = {**_identity(session.principal), "id": session.id, "expires": session.expires}
        cookies.put(response, request, self._cookie, self._cookies.close(value), expires=session.expires)

    def forget(self, response: Response, request: Request) -> None:
        """End the session, for whoever has a copy of the cookie too, and take it out of the visitor's browser.

        Raises:
            UnavailableError: the end cannot be noted, so that it has not ended.
        """
        session = self.read(request)
        if session is not None:
            self._spent.spend(session.id)
        cookies.drop(response, request, self._cookie)

    def code(self, proof: Proof) -> str:
        """Return a code for a link; it can be redeemed once, within a minute."""
        value = {
            **_identity(proof.principal),
            "id": secrets.token_hex(16),
            "expires": proof.expires,
            "redeemable": int(self._now()) + CODE_SECONDS,
        }
        return self._codes.close(value)

    def redeem(self, code: str) -> Session:
        """Return a session for a code's principal.

        Raises:
            BadTokenError: the code is not ours, too old, or used already.
        """
        value = self._codes.open(code)
        if value is None or value["redeemable"] <= self._now() or value["expires"] <= self._now():
            raise BadTokenError("the one-time code is foreign or has expired")
        if not self._spent.spend(value["id"]):
            raise BadTokenError("the one-time code was used before")
        return self.begin(Proof(_principal(value), value["expires"]))

    def _session(self, principal: Principal, session_id: str, expires: int) -> Session:
        return Session(principal, session_id, expires, self._csrf.mark(session_id))


def _identity(principal: Principal) -> dict[str, Any]:
    return {"principal": principal.id, "user": principal.user_id, "operator": principal.is_operator}


def _principal(value: Mapping[str, Any]) -> Principal:
    return Principal(value["principal"], user_id=value["user"], is_operator=value["operator"])
