"""The platform that docker-compose.yml describes, under a name and ports of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass

from support.containers import Ended, base, published, run


@dataclass(frozen=True, slots=True)
class Platform:
    """One project of compose."""

    project: str

    def compose(self, *arguments: str) -> Ended:
        """Run a command of compose."""
        variables = {
            **os.environ,
            "SLIPWAY_BASE": base(),
            "SLIPWAY_CATALOG_PORT": "0",
            "SLIPWAY_KUBERNETES_CLIENT_PORT": "0",
        }
        return run("docker", "compose", "--project-name", self.project, *arguments, environment=variables)

    def start(self) -> None:
        """Start everything and wait until it is healthy."""
        started = self.compose("up", "--detach", "--wait")
        assert started.status == 0, started.output + self.compose("logs").output

    def container(self, service: str) -> str:
        """Return the name of a service's container."""
        return f"{self.project}-{service}-1"

    @property
    def catalog(self) -> str:
        """Base URL of the catalog."""
        return published(self.container("catalog"), 8080)

    @property
    def deployer(self) -> str:
        """Base URL of the Kubernetes deployer."""
        return published(self.container("kubernetes-client"), 8080)

    def token(self) -> str:
        """Return a token, made as the documentation says."""
        made = self.compose("exec", "-T", "catalog", "slipway", "token", "--data", "/secrets")
        assert made.status == 0, made.output
        return made.output.strip()
