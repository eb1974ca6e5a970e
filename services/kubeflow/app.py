"""The HTTP service of the Kubeflow deployer: `shared.web`'s deployer service around `DEPLOYER`."""

from __future__ import annotations

from flask import Flask

from services.kubeflow.generate import DEPLOYER
from shared.persistence.interface import Persistence
from shared.tokens import Verifier
from shared.web import deployer_service
from shared.web.deployer_service import DeployerSettings


def create_app(settings: DeployerSettings, *, persistence: Persistence, verifier: Verifier) -> Flask:
    """Return the application; bundles are delivered as downloads."""
    return deployer_service.create(DEPLOYER, settings, import_name=__name__, persistence=persistence, verifier=verifier)
