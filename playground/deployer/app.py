"""The HTTP service of the playground's deployer: `shared.web`'s deployer service, delivering by push."""

from __future__ import annotations

from flask import Flask

from playground.deployer import delivery
from playground.deployer.generate import DEPLOYER
from playground.deployer.pushing import Pusher
from playground.deployer.settings import Settings
from playground.server.push_tokens import PushTokens
from shared.persistence.interface import Persistence
from shared.tokens import Verifier
from shared.web import deployer_service


def create_app(settings: Settings, *, persistence: Persistence, verifier: Verifier) -> Flask:
    """Return the application; it holds connections to the playground's server for as long as the process lives."""
    pusher = Pusher(
        settings.server,
        PushTokens(settings.key),
        seconds=settings.push_seconds,
        parallel=settings.concurrent_pushes,
        ca_file=settings.persistence.ca_file,
    )
    return deployer_service.create(
        DEPLOYER,
        settings,
        import_name=__name__,
        persistence=persistence,
        verifier=verifier,
        push=delivery.to_playground(pusher, settings.pages),
    )
