"""`slipway-argo`: the service, configured by its environment."""

from __future__ import annotations

from functools import partial

from services.argo.app import create_app
from services.argo.generate import NAME
from shared.web import deployer_service, serve
from shared.web.deployer_service import DeployerSettings

prepare = partial(deployer_service.prepared, create_app)


def main() -> None:
    """Serve until told to stop."""
    serve.main(NAME, DeployerSettings, prepare)


if __name__ == "__main__":
    main()
