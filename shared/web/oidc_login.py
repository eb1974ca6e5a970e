"""Signing in with an OpenID provider: authorization code flow with PKCE, state and nonce; for services with pages.

Nothing is stored: a short-lived cookie binds a login to the browser that began it, and nonce and PKCE verifier are made
anew from its state under our key, so that neither the cookie nor the URL tells them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Request, Response, request
from werkzeug.exceptions import MethodNotAllowed

from shared.errors import BadTokenError, ForbiddenError, InvalidRequestError
from shared.tokens import Proof
from shared.web import cookies
from shared.web.limits import Gate
from shared.web.oidc_provider import Provider
from shared.web.seal import Seal
from shared.web.sessions import Sessions
from shared.web.settings import SessionSettings

PATH = "/login"
CALLBACK = "/login/callback"
LOGIN_SECONDS = 600
"""What somebody gets to type a password and find a second factor."""
MAX_CODE_CHARACTERS = 2048
AT_ONCE = 4
"""Requests that wait for the provider; others are refused soon, so that a silent provider holds no more threads."""
WAIT_SECONDS = 2.0

_LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%?-][A-Za-z0-9._~!$&'()*+,;=:@%?/-]{0,500})?")
_ERROR = re.compile(r"[a-z_]{1,60}")
Spend = Callable[[str], bool]


class Login:
    """The two routes of a login."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        sessions: Sessions,
        settings: SessionSettings,
        *,
        public_url: str,
        spend: Spend,
        landing: str = "/",
        now: Callable[[], float] = time.time,
    ) -> None:
        """Prepare the keys.

        Args:
            name: the service, as its sessions have it.
            provider: where people sign in.
            sessions: begins a session for whom the provider names.
            settings: of these sessions.
            public_url: base URL at which browsers reach the service; the request's own host decides nothing.
            spend: returns True the first time a login is named (32 hex digits), for `LOGIN_SECONDS`.
            landing: where somebody arrives who did not come from a page.
            now: seconds since the epoch.
        """
        key = settings.key.reveal().encode()
        self._cookie = f"slipway-{name}-login"
        self._logins = Seal(key, f"login of {name}")
        self._nonces = Seal(key, f"nonce of {name}")
        self._verifiers = Seal(key, f"verifier of {name}")
        self._provider = provider
        self._sessions = sessions
        self._session_seconds = settings.seconds
        self._redirect_uri = public_url.rstrip("/") + CALLBACK
        self._spend = spend
        self._landing = landing
        self._now = now
        self._gate = Gate(AT_ONCE, wait_seconds=WAIT_SECONDS)

    def register(self, app: Flask | Blueprint) -> None:
        """Add `GET /login?next=/path` (302 to the provider) and where the provider sends people back to."""

        @app.get(PATH)
        def login() -> Response:
            return self._begun(request)

        @app.get(CALLBACK)
        def login_callback() -> Response:
            if request.method == "HEAD":
                # Whoever only looks at a link must not use it up.
                raise MethodNotAllowed(["GET"])
            return self._ended(request)

    def _begun(self, request: Request) -> Response:
        wanted = request.args.get("next", self._landing)
        if not is_local_path(wanted):
            raise InvalidRequestError("next: expected the path of a page of this service")
        state, expires = secrets.token_hex(16), int(self._now()) + LOGIN_SECONDS
        verifier = self._verifiers.mark(state)
        with self._gate.passed():
            url = self._provider.login_url(
                redirect_uri=self._redirect_uri,
                state=state,
                nonce=self._nonces.mark(state),
                challenge=_base64url(hashlib.sha256(verifier.encode()).digest()),
            )
        response = Response(status=302, headers={"Location": url})
        value = {"state": state, "expires": expires, "next": wanted}
        cookies.put(response, request, self._cookie, self._logins.close(value), expires=expires)
        return response

    def _ended(self, request: Request) -> Response:
        state, wanted = self._login_of(request)
        with self._gate.passed():
            self._provider.check_sender(_only(request, "iss"))
            # From here on the login is over, however it ends: a second answer for it comes from somebody else.
            if not self._spend(state):
                raise BadTokenError("the login was answered before")
            principal = self._provider.redeem(
                _code(request),
                redirect_uri=self._redirect_uri,
                verifier=self._verifiers.mark(state),
                nonce=self._nonces.mark(state),
            )
        # An ID token says who somebody is now; how long a session lives is our own matter.
        session = self._sessions.begin(Proof(principal, int(self._now()) + self._session_seconds))
        response = Response(status=303, headers={"Location": wanted})
        self._sessions.remember(response, request, session)
        cookies.drop(response, request, self._cookie)
        return response

    def _login_of(self, request: Request) -> tuple[str, str]:
        """Return the state and the wanted page of the login that this browser began.

        Raises:
            BadTokenError: it began none, another, or long ago.
        """
        sealed = cookies.read(request, self._cookie)
        value = self._logins.open(sealed) if sealed else None
        if value is None or value["expires"] <= self._now():
            raise BadTokenError("this browser began no login, or too long ago")
        if not hmac.compare_digest((_only(request, "state") or "").encode(), value["state"].encode()):
            raise BadTokenError("the answer is for another login")
        return value["state"], value["next"]


def is_local_path(text: str) -> bool:
    """Return whether a text is the path of a page of this service, however a browser reads it."""
    # Browsers take a second slash or a backslash for the beginning of a host.
    return _LOCAL_PATH.fullmatch(text) is not None and not urlsplit(text).netloc


def _code(request: Request) -> str:
    """Return the code that the provider has sent.

    Raises:
        ForbiddenError: it refuses, or the visitor has.
        BadTokenError: there is none, or one of another form.
    """
    refusal = _only(request, "error")
    if refusal is not None:
        said = refusal if _ERROR.fullmatch(refusal) else "unknown_error"
        raise ForbiddenError(f"the identity provider did not sign you in: {said}")
    code = _only(request, "code")
    if not code or len(code) > MAX_CODE_CHARACTERS or not code.isascii() or not code.isprintable():
        raise BadTokenError("the provider sent no code")
    return code


def _only(request: Request, name: str) -> str | None:
    """Return a parameter that stands there once."""
    given = request.args.getlist(name)
    if len(given) > 1:
        raise BadTokenError(f"{name} stands there more than once")
    return given[0] if given else None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
