"""The compatibility profile `SLIPWAY_COMPAT=graphene`: the two routes that Graphene's portal links to.

Off by default, because links cannot carry headers: here, and nowhere else, the token may stand in the query, where
proxies and histories keep it. Our own logs and answers never repeat it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from shared.bundle import Bundle
from shared.errors import (
    BadTokenError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    SlipwayError,
    UnknownRevisionError,
)
from shared.principal import ANONYMOUS, Principal
from shared.solution import ID_PATTERN, Ids
from shared.web.authentication import Authenticator, presented
from shared.web.bundles import Builds, Push, download, zipped
from shared.web.settings import BuildSettings

log = structlog.get_logger(__name__)


def register(
    app: Flask, builds: Builds, authenticator: Authenticator, *, settings: BuildSettings, push: Push | None
) -> None:
    """Add `GET /getSolutionZip/…` and `GET /deploy/…` when the profile is on, and warn that it is.

    Args:
        app: the deployer's application.
        builds: what builds.
        authenticator: reads tokens; a session cookie counts on neither route.
        settings: whether the profile is on, and anonymous download with it.
        push: makes `/deploy` push and redirect; such a deployer has no `/getSolutionZip`.
    """
    if not settings.is_graphene:
        return
    log.warning("graphene_profile_is_on", anonymous_download=settings.allows_anonymous_download)
    if push is None:
        _add_download(app, builds, authenticator, settings)
    _add_deploy(app, builds, authenticator, push)


def _add_download(app: Flask, builds: Builds, authenticator: Authenticator, settings: BuildSettings) -> None:
    @app.get("/getSolutionZip/<solution_id>/<revision_id>")
    def get_solution_zip(solution_id: str, revision_id: str) -> Response:
        principal = _downloader(authenticator, settings)
        try:
            return zipped(_built(builds, solution_id, revision_id, principal), content_type="application/octet-stream")
        except UnknownRevisionError:
            return _unknown("revisionId")
        except (InvalidRequestError, NotFoundError):
            is_id = ID_PATTERN.fullmatch(solution_id) is not None and ID_PATTERN.fullmatch(revision_id) is None
            return _unknown("revisionId" if is_id else "solutionId")


def _add_deploy(app: Flask, builds: Builds, authenticator: Authenticator, push: Push | None) -> None:
    deliver = push.redirect if push else download

    @app.get("/deploy/<solution_id>/<revision_id>")
    def deploy(solution_id: str, revision_id: str) -> Response:
        principal = authenticator.caller(request, allow_query_token=True)
        if push and request.method == "HEAD":
            # Whoever only looks at a link (mail scanners, chats) must not deploy.
            raise MethodNotAllowed(["GET"])
        try:
            return deliver(_built(builds, solution_id, revision_id, principal), principal)
        except (BadTokenError, RateLimitedError):
            raise
        except SlipwayError as error:
            is_ours = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            log.warning("deploy_failed", code=error.code, detail=str(error), exc_info=error if is_ours else None)
            said = f"see request {g.request_id}" if is_ours else str(error)
            return Response(f"Error: deploy failed: {said}", status=404, content_type="text/plain; charset=utf-8")


def notices(settings: BuildSettings) -> Mapping[str, str]:
    """Return what `/readyz` says about the profile."""
    if not settings.is_graphene:
        return {}
    who = "; anybody may download public solutions" if settings.allows_anonymous_download else ""
    return {"SLIPWAY_COMPAT": f"tokens are accepted in the query of Graphene's routes{who}"}


def _downloader(authenticator: Authenticator, settings: BuildSettings) -> Principal:
    # A bad token stays bad: it is never taken for none.
    if settings.allows_anonymous_download and presented(request, allow_query_token=True) is None:
        return ANONYMOUS
    return authenticator.caller(request, allow_query_token=True)


def _built(builds: Builds, solution_id: str, revision_id: str, principal: Principal) -> Bundle:
    # All anonymous callers are one principal; what they may ask is counted by address.
    caller = f"address {request.remote_addr}" if principal == ANONYMOUS else principal.id
    return builds.build(Ids.parse(solution_id, revision_id), {}, principal, caller=caller)


def _unknown(name: str) -> Response:
    """Graphene's words. The revision is named only to those who may see the solution."""
    return Response(json.dumps({"status": f"invalid {name}"}), status=404, content_type="application/json")
