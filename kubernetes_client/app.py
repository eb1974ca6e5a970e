"""The HTTP service of the Kubernetes deployer: `shared.web`'s deployer service around `DEPLOYER`."""

from __future__ import annotations

from flask import Flask

from kubernetes_client.generate import DEPLOYER
from kubernetes_client.settings import Settings
from shared.persistence.interface import Persistence
from shared.tokens import Verifier
from shared.web import deployer_service


def create_app(settings: Settings, *, persistence: Persistence, verifier: Verifier) -> Flask:
    """Return the application; bundles are delivered as downloads."""
    return deployer_service.create(
        DEPLOYER,
        import_name=__name__,
        images=settings.images,
        persistence=persistence,
        verifier=verifier,
        builds=settings.builds,
        web=settings.web,
    )
