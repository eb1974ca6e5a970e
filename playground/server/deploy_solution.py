"""Graphene's `POST /deploy_solution` and `GET /dashboard`: its deployers push here for the users of a marketplace.

Graphene believed whoever had the right address. Here a caller has a secret of its own, and names users of its own
domains only.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence

import msgspec
import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from playground.server.callers import Pusher
from playground.server.desk import ID, Desk
from playground.server.settings import DeployCaller
from shared.errors import BadTokenError, ForbiddenError, InvalidRequestError, RateLimitedError, SlipwayError
from shared.principal import Principal
from shared.web.authentication import presented

log = structlog.get_logger(__name__)

ROUTE = "/deploy_solution"
DASHBOARD = "/dashboard"
SELECTED = "selected_deployment_id"
_USER = re.compile(r"[^@\s]{1,64}@([A-Za-z0-9.-]{1,255})")


class Body(msgspec.Struct, frozen=True):
    """What Graphene's deployer sends; fields that we do not know are left alone."""

    solution: str
    username: str


_BODY = msgspec.json.Decoder(Body)


def register(blueprint: Blueprint, desk: Desk, callers: Sequence[DeployCaller]) -> None:
    """Add the routes, where there are callers."""
    if not callers:
        return
    log.warning("deploy_solution_is_on", callers=[caller.name for caller in callers])

    @blueprint.post(ROUTE)
    def deploy_solution() -> Response:
        caller = _caller(callers, presented(request) or "")
        try:
            found, _ = desk.create(_pusher(caller))
        except (BadTokenError, RateLimitedError):
            raise
        except SlipwayError as error:
            log.warning("deploy_solution_failed", code=error.code)
            said = str(error) if error.status < 500 else error.code  # noqa: PLR2004 - HTTP
            text = f"deploy solution failed with: {said}"
            return Response(text, status=error.status, content_type="text/plain; charset=utf-8")
        # Graphene's deployer puts this in the place of our path and sends the browser there.
        return Response(f"{DASHBOARD}?{SELECTED}={found.id}", content_type="text/plain; charset=utf-8")

    @blueprint.get(DASHBOARD)
    def dashboard() -> Response:
        selected = request.args.get(SELECTED, "")
        page = f"/deployments/{selected}" if ID.fullmatch(selected) else "/"
        return Response(status=303, headers={"Location": page})


def _caller(callers: Sequence[DeployCaller], given: str) -> DeployCaller:
    # All are compared, so that the time says nothing of which is near.
    found = [caller for caller in callers if hmac.compare_digest(caller.secret.reveal().encode(), given.encode())]
    if not found:
        raise BadTokenError("the secret is no caller's")
    structlog.contextvars.bind_contextvars(service=found[0].name)
    return found[0]


def _pusher(caller: DeployCaller) -> Pusher:
    """Read who wants what.

    Raises:
        InvalidRequestError: the body is not Graphene's JSON.
        ForbiddenError: the user is of a domain that the caller may not name.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        body = _BODY.decode(request.get_data(cache=False))
        data = base64.b64decode(body.solution, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError) as problem:
        raise InvalidRequestError("body: expected JSON with solution (a zip in base64) and username") from problem
    user = body.username.strip()
    domain = _USER.fullmatch(user)
    if domain is None or not user.isprintable():
        raise InvalidRequestError("username: expected an e-mail address")
    if domain[1].lower() not in caller.domains:
        raise ForbiddenError("username: expected a user of a domain that this caller may name")
    return Pusher(Principal(user), data, is_service=True)
