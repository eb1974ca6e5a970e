"""Links with which somebody who pressed a button elsewhere arrives here signed in: once, within a minute, at one page."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from playground.runtime.deployment import Deployment
from playground.runtime.interface import Runtime, SpendsCodes
from playground.server.callers import Pusher
from shared.errors import BadTokenError
from shared.principal import Principal
from shared.tokens import Proof
from shared.web import spent
from shared.web.seal import Seal
from shared.web.sessions import CODE_SECONDS, Sessions
from shared.web.settings import SessionSettings

Spend = Callable[[str], bool]


class Visits:
    """Makes and redeems the codes of such links; a code names its principal and its deployment."""

    def __init__(
        self, sessions: Sessions, settings: SessionSettings, *, spend: Spend, now: Callable[[], float] = time.time
    ) -> None:
        """Prepare the key.

        Args:
            sessions: begins a session for whom a code names.
            settings: of these sessions.
            spend: returns True the first time a code is named.
            now: seconds since the epoch.
        """
        self._sessions = sessions
        self._seconds = settings.seconds
        self._seal = Seal(settings.key.reveal().encode(), "visit of the playground")
        self._spend = spend
        self._now = now

    def link(self, found: Deployment, pusher: Pusher) -> str | None:
        """Return the path of a link for whom a service has pushed, once per token; nobody else needs one.

        Whoever has seen a push on its way and repeats it must not become its owner.
        """
        if not pusher.token_id or not self._spend(_spent_name(pusher.token_id)):
            return None
        code = {
            "principal": pusher.principal.id,
            "operator": pusher.principal.is_operator,
            "deployment": found.id,
            "id": secrets.token_hex(16),
            "redeemable": int(self._now()) + CODE_SECONDS,
        }
        return f"/deployments/{found.id}/visit?code={self._seal.close(code)}"

    def register(self, blueprint: Blueprint) -> None:
        """Add the route that such a link leads to."""

        @blueprint.get("/deployments/<deployment_id>/visit")
        def visit(deployment_id: str) -> Response:
            if request.method == "HEAD":
                # Whoever only looks at a link (mail scanners, chats) must not use it up.
                raise MethodNotAllowed(["GET"])
            proof = self._redeem(request.args.get("code", ""), deployment_id)
            response = Response(status=303, headers={"Location": f"/deployments/{deployment_id}"})
            self._sessions.remember(response, request, self._sessions.begin(proof))
            return response

    def _redeem(self, code: str, deployment_id: str) -> Proof:
        value = self._seal.open(code)
        if value is None or value["redeemable"] <= self._now() or value["deployment"] != deployment_id:
            raise BadTokenError("the link is foreign, has expired, or leads elsewhere")
        if not self._spend(value["id"]):
            raise BadTokenError("the link was used before")
        principal = Principal(value["principal"], is_operator=value["operator"])
        return Proof(principal, int(self._now()) + self._seconds)


def _spent_name(token_id: str) -> str:
    """Return what a push token is remembered as: it shares a folder with codes, which are 32 hex digits."""
    return hashlib.sha256(b"push " + token_id.encode()).hexdigest()[:32]


def spender(runtime: Runtime, settings: SessionSettings, *, seconds: float = CODE_SECONDS) -> Spend:
    """Return what remembers used codes: the runtime where copies of the server share one, else this machine.

    Args:
        runtime: of the server.
        settings: name the folder where this machine remembers them.
        seconds: for which a code is good.
    """
    if isinstance(runtime, SpendsCodes):
        return lambda code: runtime.spend(code, 2 * seconds)
    return spent.SpentCodes(spent.folder(settings.spent_folder)).spend
