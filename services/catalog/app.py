"""Joins the parts of the catalog into one application."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Flask

from services.catalog import api, document, marketplace, pages
from services.catalog.deployers import DeployerClient
from services.catalog.pages import SOLUTION_PATH, Pages
from services.catalog.settings import Settings
from services.catalog.shelf import Shelf
from services.catalog.uploads import Uploads
from shared.persistence.select import FolderPlace
from shared.persistence.store import Store
from shared.tokens import TokenSettings, Verifier
from shared.web import application, health, session_routes
from shared.web.authentication import Authenticator
from shared.web.limits import Gate, RateLimit
from shared.web.pages import assets, error_pages, frame, sign_in
from shared.web.sessions import Sessions

NAME = "catalog"


def create_app(
    settings: Settings, *, verifier: Verifier | None = None, deployers: Mapping[str, DeployerClient] | None = None
) -> Flask:
    """Return the application.

    Args:
        settings: everything that the operator chose.
        verifier: checks tokens; made from `settings` when left out.
        deployers: clients by name; made from `settings` when left out, for as long as the process lives.
    """
    verifier = verifier or Verifier(settings.tokens)
    deployers = deployer_clients(settings) if deployers is None else deployers
    shelf = Shelf(open_store(settings))
    sessions = Sessions(NAME, settings.sessions)
    authenticator = Authenticator(verifier, sessions=sessions)
    rate = RateLimit(settings.changes_per_minute)
    app = application.create(
        NAME,
        import_name=__name__,
        readiness=health.checks(store=shelf.check, token_keys=verifier.check),
        openapi=document.build(),
        settings=settings.web,
        notices=verifier.notices,
    )
    session_routes.register(app, authenticator, sessions)
    frame.register(app, NAME)
    error_pages.register(app, sessions, {422: "This solution cannot be read"})
    parts = {name: Blueprint(name, __name__) for name in ("marketplace", "api", "pages")}
    marketplace.register(parts["marketplace"], shelf, settings)
    api.register(parts["api"], shelf, Uploads(shelf, rate), authenticator)
    gate = Gate(max(1, settings.web.threads // 2))
    pages.register(parts["pages"], Pages(shelf, authenticator, rate, gate, deployers))
    sign_in.register(parts["pages"], verifier, sessions, back=SOLUTION_PATH)
    assets.register(app, parts["pages"], __package__)
    for part in parts.values():
        app.register_blueprint(part)
    return app


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name; a folder is made where there is none yet."""
    # Each kind imports what only it needs.
    if isinstance(settings.store, FolderPlace):
        from shared.persistence.folder import FolderStore  # noqa: PLC0415

        settings.store.root.mkdir(parents=True, exist_ok=True)
        return FolderStore(settings.store.root)
    from shared.persistence.s3 import S3Store  # noqa: PLC0415

    return S3Store(
        settings.store.bucket,
        settings.store.prefix,
        endpoint_url=settings.s3_endpoint.rstrip("/") or None,
        ca_file=settings.ca_file,
    )


def deployer_clients(settings: Settings) -> dict[str, DeployerClient]:
    """Return a client for each deployer; none where deployers would not accept a token of ours."""
    if not can_make_tokens(settings.tokens):
        return {}
    secret = settings.tokens.secret_bytes
    return {
        place.name: DeployerClient(place, secret, playgrounds=settings.playgrounds, ca_file=settings.ca_file)
        for place in settings.deployers
    }


def can_make_tokens(tokens: TokenSettings) -> bool:
    """Answer whether the catalog may speak for its visitors: with a shared secret, and Graphene's form of a token."""
    return tokens.secret is not None and tokens.principal == "graphene" and not tokens.audience and not tokens.issuer
