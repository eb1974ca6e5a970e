"""Joins the parts of the playground's server into one application."""

from __future__ import annotations

from flask import Blueprint, Flask

from playground.runtime.interface import Runtime
from playground.server import (
    actions,
    api,
    deploy_solution,
    document,
    execution_data,
    page_folders,
    page_forms,
    pages,
    runtimes,
    shared_folders,
    watching,
    web_uis,
)
from playground.server.api import Door
from playground.server.blueprints import Blueprints
from playground.server.callers import Callers
from playground.server.desk import Desk
from playground.server.execution_data import SourceSystems
from playground.server.glances import Glances
from playground.server.orchestrator_control import OrchestratorControl
from playground.server.pages import BACK, Pages
from playground.server.pipelines import Pipelines
from playground.server.push_tokens import PushTokens
from playground.server.settings import Settings
from playground.server.streams import Streams
from playground.server.visits import Visits, spender
from shared.tokens import Verifier
from shared.web import application, health, oidc_login, session_routes
from shared.web.authentication import Authenticator
from shared.web.limits import Gate, RateLimit
from shared.web.oidc_login import Login
from shared.web.oidc_provider import Provider
from shared.web.pages import assets, error_pages, frame, sign_in
from shared.web.sessions import Sessions

NAME = "playground"
READINGS = 2
"""Archives that are read at once; more wait, for a moment's work each."""
READING_WAIT_SECONDS = 20.0


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
    desk = make_desk(settings, runtime)
    callers = Callers(
        authenticator,
        pushes=PushTokens(settings.key) if settings.key else None,
        operators=frozenset(settings.tokens.operators),
        requests=RateLimit(settings.requests_per_minute),
    )
    app = application.create(
        NAME,
        import_name=__name__,
        readiness=health.checks(runtime=runtime.check, token_keys=verifier.check),
        openapi=document.build(
            with_deploy_solution=bool(settings.deploy_solution_callers), with_login=settings.oidc.issuer is not None
        ),
        settings=settings.web,
        notices=verifier.notices,
    )
    session_routes.register(app, authenticator, sessions)
    if settings.oidc.issuer is not None:
        _login(settings, runtime, sessions).register(app)
    visits = Visits(sessions, settings.sessions, spend=spender(runtime, settings.sessions))
    systems = SourceSystems(settings.source_systems, ca_file=settings.ca_file)
    doors = {
        "v1": Door(callers.program, callers.pusher, visits.link),
        "visitor": Door(callers.visitor, callers.visiting_pusher, lambda _found, _pusher: None),
    }
    for name, door in doors.items():
        part = Blueprint(name, __name__, url_prefix=f"/{name}")
        api.register(part, desk, door)
        actions.register(part, desk, door.who)
        watching.register(part, desk, door.who)
        shared_folders.register(part, desk, door.who, most_file_bytes=settings.most_file_bytes)
        execution_data.register(part, desk, door.who, systems, name=settings.name)
        app.register_blueprint(part)
    shown = Blueprint("pages", __name__)
    frame.register(app, NAME, login=oidc_login.PATH if settings.oidc.issuer else "")
    _add_pages(app, shown, Pages(desk, callers, Glances(desk.pipelines)), most_file_bytes=settings.most_file_bytes)
    error_pages.register(app, sessions, {409: "Not now", 422: "This bundle cannot run here"})
    sign_in.register(shown, verifier, sessions, back=BACK)
    app.register_blueprint(shown)
    others = Blueprint("others", __name__)
    visits.register(others)
    web_uis.register(others, desk, callers, settings.web_uis, settings.sessions.key)
    deploy_solution.register(others, desk, settings.deploy_solution_callers)
    app.register_blueprint(others)
    return app


def _add_pages(app: Flask, shown: Blueprint, what: Pages, *, most_file_bytes: int) -> None:
    assets.register(app, shown, __package__)
    pages.prepare(app)
    pages.register(shown, what)
    page_forms.register(shown, what)
    page_folders.register(shown, what, most_file_bytes=most_file_bytes)


def _login(settings: Settings, runtime: Runtime, sessions: Sessions) -> Login:
    """Return the login of visitors who come neither with a token nor by a link."""
    return Login(
        NAME,
        Provider(settings.oidc, settings.tokens, ca_file=settings.ca_file),
        sessions,
        settings.sessions,
        public_url=settings.oidc.public_url,
        spend=spender(runtime, settings.sessions, seconds=oidc_login.LOGIN_SECONDS),
    )


def make_desk(settings: Settings, runtime: Runtime) -> Desk:
    """Return the door before the runtime, with the limits of the settings."""
    return Desk(
        runtime,
        Pipelines(runtime, OrchestratorControl()),
        Blueprints(runtime),
        Streams(settings.most_streams, per_principal=settings.streams_per_principal),
        RateLimit(settings.changes_per_minute),
        Gate(READINGS, wait_seconds=READING_WAIT_SECONDS),
    )
