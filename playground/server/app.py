"""Joins the parts of the playground's server into one application."""

from __future__ import annotations

from flask import Blueprint, Flask

from playground.runtime.interface import Runtime
from playground.server import api, document, runtimes
from playground.server.desk import Desk
from playground.server.settings import Settings
from playground.server.streams import Streams
from shared.tokens import Verifier
from shared.web import application, health, session_routes
from shared.web.authentication import Authenticator
from shared.web.limits import RateLimit
from shared.web.sessions import Sessions

NAME = "playground"


def create_app(settings: Settings, *, runtime: Runtime | None = None, verifier: Verifier | None = None) -> Flask:
    """Return the application.

    Args:
        settings: everything that the operator chose.
        runtime: where deployments run; opened from `settings` when left out, for as long as the process lives.
        verifier: checks tokens; made from `settings` when left out.
    """
    verifier = verifier or Verifier(settings.tokens)
    runtime = runtime or runtimes.opened(settings)
    sessions = Sessions(NAME, settings.sessions)
    authenticator = Authenticator(verifier, sessions=sessions)
    desk = Desk(
        runtime,
        Streams(settings.most_streams, per_principal=settings.streams_per_principal),
        requests=RateLimit(settings.requests_per_minute),
        changes=RateLimit(settings.changes_per_minute),
    )
    app = application.create(
        NAME,
        import_name=__name__,
        readiness=health.checks(runtime=runtime.check, token_keys=verifier.check),
        openapi=document.build(),
        settings=settings.web,
        notices=verifier.notices,
    )
    session_routes.register(app, authenticator, sessions)
    parts = {name: Blueprint(name, __name__) for name in ("api",)}
    api.register(parts["api"], desk, authenticator)
    for part in parts.values():
        app.register_blueprint(part)
    return app
