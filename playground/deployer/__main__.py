"""`slipway-playground-deployer`: the service, configured by its environment."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from playground.deployer.app import create_app
from playground.deployer.generate import NAME
from playground.deployer.settings import Settings
from shared.persistence.select import open_persistence
from shared.tokens import Verifier
from shared.web import serve


def prepare(settings: Settings) -> Callable[[], Flask]:
    """Check the keys, and return what makes the application: every worker opens connections of its own."""
    verifier = Verifier(settings.tokens)
    return lambda: create_app(settings, persistence=open_persistence(settings.persistence), verifier=verifier)


def main() -> None:
    """Serve until told to stop."""
    serve.main(NAME, Settings, prepare)


if __name__ == "__main__":
    main()
