"""`slipway-playground`: the server, configured by its environment."""

from __future__ import annotations

import atexit
import socket
from collections.abc import Callable

from flask import Flask

from playground.proxy import serving
from playground.proxy.serving import ProxyServer
from playground.runtime.interface import Runtime
from playground.server import runtimes
from playground.server.app import NAME, create_app, make_desk
from playground.server.keeper import Keeper
from playground.server.settings import Settings
from playground.server.visits import spender
from shared.tokens import Verifier
from shared.web import serve, spent


def prepare(settings: Settings) -> Callable[[], Flask]:
    """Check the keys, and return what makes the application: every worker opens connections of its own."""
    verifier = Verifier(settings.tokens)
    listener = serving.listening(settings.web_uis) if settings.web_uis.is_on else None

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
        if listener is not None:
            proxy = web_ui_proxy(settings, runtime, listener)
            atexit.register(proxy.close)
            proxy.start()
        return create_app(settings, runtime=runtime, verifier=verifier)

    return create


def web_ui_proxy(settings: Settings, runtime: Runtime, listener: socket.socket) -> ProxyServer:
    """Return the proxy through which visitors reach web UIs."""
    return ProxyServer(
        make_desk(settings, runtime),
        settings.web_uis,
        key=settings.sessions.key,
        spend=spender(runtime, settings.sessions),
        has_ended=spent.SpentCodes(spent.folder(settings.sessions.spent_folder)).is_spent,
        listener=listener,
        trusted_proxies=settings.web.trusted_proxies,
    )


def main() -> None:
    """Serve until told to stop."""
    serve.main(NAME, Settings, prepare)


if __name__ == "__main__":
    main()
