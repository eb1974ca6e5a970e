"""The playground's deployer for tests: its settings, a folder with solutions, and a client."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient
from support.playground import KEY, SECRET

from playground.deployer.app import create_app
from playground.deployer.settings import Settings
from shared import settings
from shared.persistence.select import PersistenceSettings, open_persistence, open_stored
from shared.solution import Ids
from shared.tokens import Verifier
from slipway.samples import samples


def stored(folder: Path) -> Path:
    """Fill a folder with ada's `private`, `public` and `foreign` solution, in revision `r1` each; return it.

    `foreign` wants an image that no playground of samples runs.
    """
    place = settings.load(PersistenceSettings, {"SLIPWAY_PERSISTENCE": f"folder:{folder}"})
    files = dict(samples()["sensor-stream"].files)
    image = files["blueprint.json"].replace(b"slipway/sample-sensor:1", b"registry.example.org/miner:1")
    for name, changes in {"private": {}, "public": {}, "foreign": {"blueprint.json": image}}.items():
        open_stored(place).add(
            Ids.parse(name, "r1"),
            files | changes,
            owner="ada@example.org",
            name="Sensor stream",
            public=name == "public",
            created="2026-01-01T00:00:00Z",
        )
    return folder


def environment(solutions: Path, server: str, **changes: str) -> dict[str, str]:
    """Return the variables of the service in Graphene's profile."""
    return {
        "SLIPWAY_JWT_SECRET": SECRET,
        "SLIPWAY_PERSISTENCE": f"folder:{solutions}",
        "SLIPWAY_ORCHESTRATOR_IMAGE": "slipway/orchestrator:0.1.0",
        "SLIPWAY_COMPAT": "graphene",
        "SLIPWAY_PLAYGROUND_URL": server,
        "SLIPWAY_PLAYGROUND_KEY": KEY,
        **changes,
    }


def client(solutions: Path, server: str, **changes: str) -> FlaskClient:
    """Return a client of the service; `changes` are variables."""
    chosen = settings.load(Settings, environment(solutions, server, **changes))
    app = create_app(chosen, persistence=open_persistence(chosen.persistence), verifier=Verifier(chosen.tokens))
    return app.test_client()
