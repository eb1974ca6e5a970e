"""`slipway-playground-deployer`: the service, configured by its environment."""

from __future__ import annotations

from functools import partial

from playground.deployer.app import create_app
from playground.deployer.generate import NAME
from playground.deployer.settings import Settings
from shared.web import deployer_service, serve

prepare = partial(deployer_service.prepared, create_app)


def main() -> None:
    """Serve until told to stop."""
    serve.main(NAME, Settings, prepare)


if __name__ == "__main__":
    main()
