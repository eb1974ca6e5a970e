"""`slipway-playground`: the server, configured by its environment."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from playground.server.app import NAME, create_app
from playground.server.settings import Settings
from shared.tokens import Verifier
from shared.web import serve


def prepare(settings: Settings) -> Callable[[], Flask]:
    """Check the keys, and return what makes the application: every worker opens connections of its own."""
    verifier = Verifier(settings.tokens)
    return lambda: create_app(settings, verifier=verifier)


def main() -> None:
    """Serve until told to stop."""
    serve.main(NAME, Settings, prepare)


if __name__ == "__main__":
    main()
