"""Joins the parts of a deployer's HTTP service; a service adds its deployer, its settings, and how it delivers."""

from __future__ import annotations

from typing import Any

from flask import Flask

from shared.deployer import Assets, Deployer, Images
from shared.persistence.interface import Persistence
from shared.tokens import Verifier
from shared.web import application, bundles, deployer_document, graphene, health
from shared.web.authentication import Authenticator
from shared.web.bundles import Builds, Push
from shared.web.settings import BuildSettings, WebSettings


def create(
    deployer: Deployer[Any],
    *,
    import_name: str,
    images: Images,
    persistence: Persistence,
    verifier: Verifier,
    builds: BuildSettings,
    web: WebSettings,
    push: Push | None = None,
) -> Flask:
    """Return the application of a deployer.

    Args:
        deployer: what is built.
        import_name: the caller's `__name__`.
        images: the operator's.
        persistence: where solutions come from.
        verifier: checks tokens.
        builds: limits, and whether Graphene's routes are on.
        web: limits of the server.
        push: where bundles go that are not downloaded.
    """
    checks = {"persistence": persistence.check, "token_keys": verifier.check}
    app = application.create(
        deployer.name,
        import_name=import_name,
        readiness=health.checks(**checks, **({"push": push.check} if push else {})),
        openapi=deployer_document.build(deployer, builds, push=push),
        settings=web,
        notices={**verifier.notices, **graphene.notices(builds)},
    )
    assets = Assets(deployer.load_files(), images)
    limited = Builds.limited(deployer, assets=assets, persistence=persistence, settings=builds)
    authenticator = Authenticator(verifier)
    bundles.register(app, limited, authenticator, deliver=push.accept if push else bundles.download)
    graphene.register(app, limited, authenticator, settings=builds, push=push)
    return app
