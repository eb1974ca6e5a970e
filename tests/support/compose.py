"""The platform that docker-compose.yml describes, under a name and ports of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.containers import Answer, Ended, base, call, inspect, published, run

from shared import archive
from shared.processes import ports
from shared.solution import Ids


def _free_port() -> int:
    (port,) = ports.free(1)
    return port


@dataclass(frozen=True, slots=True)
class Times:
    """When a container was started and when it ended, as text that sorts by time."""

    started: str
    ended: str


@dataclass(frozen=True, slots=True)
class Platform:
    """One project of compose."""

    project: str
    profile: tuple[str, ...] = ()
    """Options that choose profiles."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the compose file, beside the ports and the base."""
    ui_port: int = field(default_factory=_free_port)
    """Part of the names of web UIs, so it must be known before."""

    def compose(self, *arguments: str) -> Ended:
        """Run a command of compose."""
        variables = {
            **os.environ,
            "SLIPWAY_BASE": base(),
            "SLIPWAY_CATALOG_PORT": "0",
            "SLIPWAY_ARGO_PORT": "0",
            "SLIPWAY_KUBEFLOW_PORT": "0",
            "SLIPWAY_KUBERNETES_CLIENT_PORT": "0",
            "SLIPWAY_PLAYGROUND_DEPLOYER_PORT": "0",
            "SLIPWAY_PLAYGROUND_PORT": "0",
            "SLIPWAY_PLAYGROUND_UI_PORT": str(self.ui_port),
            **self.variables,
        }
        project = ("--project-name", self.project, *self.profile)
        return run("docker", "compose", *project, *arguments, environment=variables)

    def start(self) -> None:
        """Start everything and wait until it is healthy."""
        started = self.compose("up", "--detach", "--wait")
        assert started.status == 0, started.output + self.compose("logs").output

    def remove(self) -> None:
        """End everything and delete the volumes."""
        self.compose("down", "--volumes", "--timeout", "5")

    def container(self, service: str) -> str:
        """Return the name of a service's container."""
        return f"{self.project}-{service}-1"

    def times(self) -> dict[str, Times]:
        """Return when each service's container started and ended."""
        services = self.compose("ps", "--all", "--services").output.split()
        states = {service: inspect(self.container(service))["State"] for service in services}
        return {service: Times(state["StartedAt"], state["FinishedAt"]) for service, state in states.items()}

    @property
    def catalog(self) -> str:
        """Base URL of the catalog."""
        return published(self.container("catalog"), 8080)

    @property
    def playground(self) -> str:
        """Base URL of the playground's server."""
        return published(self.container("playground"), 8080)

    @property
    def playground_deployer(self) -> str:
        """Base URL of its deployer."""
        return published(self.container("playground-deployer"), 8080)

    def token(self) -> str:
        """Return a token, made as the documentation says."""
        made = self.compose("exec", "-T", "catalog", "slipway", "token", "--data", "/secrets")
        assert made.status == 0, made.output
        return made.output.strip()

    def add_samples(self) -> str:
        """Upload our samples, as the documentation says; return what it printed."""
        filled = self.compose("run", "--rm", "--no-TTY", "samples")
        assert filled.status == 0, filled.output
        return filled.output

    def upload(self, ids: Ids, files: Mapping[str, bytes], *, token: str) -> int:
        """Upload a solution, and return the status of the answer."""
        url = f"{self.catalog}/v1/solutions/{ids.solution_id}/revisions/{ids.revision_id}"
        return call("PUT", url, token=token, body=archive.write(files), content_type="application/zip").status

    def press(self, ids: Ids, *, token: str) -> Answer:
        """Have the playground run a solution."""
        asked = {"solutionId": ids.solution_id, "revisionId": ids.revision_id}
        return call("POST", f"{self.playground_deployer}/v1/bundles", token=token, body=json.dumps(asked).encode())

    def bundle(
        self, ids: Ids, options: Mapping[str, Any] | None = None, *, token: str, deployer: str = "kubernetes-client"
    ) -> Answer:
        """Ask a deployer for a bundle."""
        asked = {"solutionId": ids.solution_id, "revisionId": ids.revision_id, "options": options or {}}
        url = f"{published(self.container(deployer), 8080)}/v1/bundles"
        return call("POST", url, token=token, body=json.dumps(asked).encode())
