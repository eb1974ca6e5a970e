"""Joins the parts of a deployer's HTTP service; a service adds its deployer, its settings, and how it delivers."""

from __future__ import annotations

from typing import Any

from flask import Flask

from shared.deployer import Assets, Deployer, Images
from shared.persistence.interface import Persistence
from shared.tokens import Verifier
from shared.web import application, bundles, deployer_document, graphene, health
from shared.web.authentication import Authenticator
from shared.web.bundles import Builds, Deliver
from shared.web.settings import WebSettings


def create(
    deployer: Deployer[Any],
    *,
    import_name: str,
    images: Images,
    persistence: Persistence,
    verifier: Verifier,
    settings: WebSettings,
    deliver: Deliver = bundles.download,
) -> Flask:
    """Return the application of a deployer.

    Args:
        deployer: what is built.
        import_name: the caller's `__name__`.
        images: the operator's.
        persistence: where solutions come from.
        verifier: checks tokens.
        settings: limits, and whether Graphene's routes are on.
        deliver: how a finished bundle is answered: as a download unless the service pushes it.
    """
    app = application.create(
        deployer.name,
        import_name=import_name,
        readiness=health.checks(persistence=persistence.check, token_keys=verifier.check),
        openapi=deployer_document.build(deployer, settings),
        settings=settings,
        notices={**verifier.notices, **graphene.notices(settings)},
    )
    assets = Assets(deployer.load_files(), images)
    builds = Builds.limited(deployer, assets=assets, persistence=persistence, settings=settings)
    authenticator = Authenticator(verifier)
    bundles.register(app, builds, authenticator, deliver=deliver)
    graphene.register(app, builds, authenticator, settings=settings, deliver=deliver)
    return app
