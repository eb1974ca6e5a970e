"""The whole platform on one machine: which services there are, and the environment that joins them.

The catalog answers the calls of a marketplace's persistence service; every installed deployer talks to it over HTTP,
exactly as it would talk to Graphene's. The playground runs what its deployer pushes as processes of this machine.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from pathlib import Path

from shared.deployer import GROUP

HOST = "127.0.0.1"  # never another: the development secret is on this machine's disk
CATALOG, PLAYGROUND, PLAYGROUND_DEPLOYER = "catalog", "playground", "playground-deployer"
SECRET_FILE = "development-secret"  # noqa: S105 - the name of a file
SECRET_BYTES = 48
_USER = "slipway"


@dataclass(frozen=True, slots=True)
class Service:
    """One process of the platform."""

    name: str
    module: str
    """Run as `python -m module`."""
    port: int
    metrics_port: int
    ui_port: int = 0
    """Where web UIs of nodes answer, for the service that has any."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True, slots=True)
class Platform:
    """The services of one `slipway up`, and the folder that keeps what must outlive it."""

    data: Path
    services: tuple[Service, ...]

    @property
    def catalog(self) -> Service:
        """The service with the page."""
        return self.services[0]

    @property
    def deployers(self) -> tuple[Service, ...]:
        """All that build bundles."""
        return tuple(service for service in self.services[1:] if service.name != PLAYGROUND)

    @property
    def playground(self) -> Service:
        """The service that runs what is pushed to it."""
        return self.named(PLAYGROUND)

    def named(self, name: str) -> Service:
        """Return one service."""
        return next(service for service in self.services if service.name == name)

    @property
    def programs(self) -> Path:
        """The folder of the playground's runtime: what it may run, and what it keeps."""
        return self.data / "playground"

    def log(self, service: Service) -> Path:
        """Return the file with the service's output."""
        return self.data / "logs" / f"{service.name}.log"

    def environment(self, service: Service) -> dict[str, str]:
        """Return the variables of a service, over those of this process: what the user sets wins where it is harmless."""
        secret = development_secret(self.data)
        common = {
            **os.environ,
            "SLIPWAY_BIND": f"{HOST}:{service.port}",
            "SLIPWAY_METRICS_BIND": f"{HOST}:{service.metrics_port}",
            "SLIPWAY_JWT_SECRET": secret,
            "SLIPWAY_JWT_SECRET_ENCODING": "text",
            "SLIPWAY_JWT_PRINCIPAL": "graphene",
            # Nobody in front has to notice first that a service is about to stop.
            "SLIPWAY_DRAIN_SECONDS": os.environ.get("SLIPWAY_DRAIN_SECONDS", "0"),
            # As many workers as a laptop wants to spare; a server sets its own.
            "SLIPWAY_WORKERS": os.environ.get("SLIPWAY_WORKERS", "1"),
        }
        return common | self._own(service, secret)

    def _own(self, service: Service, secret: str) -> dict[str, str]:
        if service.name == CATALOG:
            return self._catalog(secret)
        if service.name == PLAYGROUND:
            return self._playground(service, secret)
        return self._deployer(secret) | (self._pushing(secret) if service.name == PLAYGROUND_DEPLOYER else {})

    def _catalog(self, secret: str) -> dict[str, str]:
        return {
            "SLIPWAY_CATALOG_STORE": f"folder:{self.data / 'solutions'}",
            "SLIPWAY_CATALOG_CDS_USER": _USER,
            "SLIPWAY_CATALOG_CDS_PASSWORD": secret,
            "SLIPWAY_CATALOG_DEPLOYERS": ",".join(f"{d.name}={d.url}" for d in self.deployers),
            "SLIPWAY_CATALOG_PLAYGROUNDS": self.playground.url,
            "SLIPWAY_SESSION_KEY": secret,
        }

    def _deployer(self, secret: str) -> dict[str, str]:
        return {
            "SLIPWAY_PERSISTENCE": f"acumos:{self.catalog.url}/ccds",
            "SLIPWAY_CDS_USER": _USER,
            "SLIPWAY_CDS_PASSWORD": secret,
            "SLIPWAY_NEXUS_URL": f"{self.catalog.url}/nexus",
            "SLIPWAY_NEXUS_USER": _USER,
            "SLIPWAY_NEXUS_PASSWORD": secret,
            "SLIPWAY_ORCHESTRATOR_IMAGE": os.environ.get("SLIPWAY_ORCHESTRATOR_IMAGE", default_orchestrator_image()),
        }

    def _pushing(self, secret: str) -> dict[str, str]:
        return {"SLIPWAY_PLAYGROUND_URL": self.playground.url, "SLIPWAY_PLAYGROUND_KEY": secret}

    def _playground(self, service: Service, secret: str) -> dict[str, str]:
        return {
            "SLIPWAY_PLAYGROUND_RUNTIME": f"process:{self.programs}",
            "SLIPWAY_PLAYGROUND_KEY": secret,
            "SLIPWAY_PLAYGROUND_UI_BIND": f"{HOST}:{service.ui_port}",
            "SLIPWAY_PLAYGROUND_UI_DOMAIN": f"localhost:{service.ui_port}",
            "SLIPWAY_SESSION_KEY": secret,
            "SLIPWAY_WORKERS": "1",  # all that a runtime of processes allows
        }


def on_this_machine(*, data: Path, ports: list[int]) -> Platform:
    """Return the platform with every installed deployer; two ports per service are taken from `ports`, and one for web UIs."""
    modules = {point.name: point.module.rpartition(".")[0] for point in entry_points(group=GROUP)}
    numbers = iter(ports)
    services = [
        Service(name, module, next(numbers), next(numbers))
        for name, module in [(CATALOG, "services.catalog"), *sorted(modules.items())]
    ]
    playground = Service(PLAYGROUND, "playground.server", next(numbers), next(numbers), ui_port=next(numbers))
    return Platform(data.absolute(), (*services, playground))


def ports_needed() -> int:
    """Return how many ports `on_this_machine` takes."""
    return 2 * (2 + len(entry_points(group=GROUP))) + 1


def default_orchestrator_image() -> str:
    """Return the name under which `make images` builds the orchestrator of this version."""
    return f"slipway/orchestrator:{version('slipway')}"


def development_secret(data: Path) -> str:
    """Return the secret of this folder, made at the first call and readable by its owner only."""
    file = data / SECRET_FILE
    if not file.exists():
        data.mkdir(parents=True, exist_ok=True)
        part = data / f".{SECRET_FILE}.{os.getpid()}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(SECRET_BYTES))
        part.replace(file)
    return file.read_text(encoding="utf-8").strip()
