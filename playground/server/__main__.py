"""`slipway-playground`: the server, configured by its environment."""

from __future__ import annotations

import atexit
from collections.abc import Callable

from flask import Flask

from playground.server import runtimes
from playground.server.app import NAME, create_app
from playground.server.keeper import Keeper
from playground.server.settings import Settings
from shared.tokens import Verifier
from shared.web import serve


def prepare(settings: Settings) -> Callable[[], Flask]:
    """Check the keys, and return what makes the application: every worker opens connections of its own."""
    verifier = Verifier(settings.tokens)

    def create() -> Flask:
        runtime = runtimes.opened(settings)
        keeper = Keeper(
            runtime,
            sleep_after_minutes=settings.sleep_after_minutes,
            delete_after_days=settings.delete_after_days,
        )
        # In reverse order: nobody puts to sleep what is being closed.
        atexit.register(runtime.close)
        atexit.register(keeper.close)
        keeper.start()
        return create_app(settings, runtime=runtime, verifier=verifier)

    return create


def main() -> None:
    """Serve until told to stop."""
    serve.main(NAME, Settings, prepare)


if __name__ == "__main__":
    main()
