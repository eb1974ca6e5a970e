"""A kubernetes runtime for tests: with the account that its manifests give it and nothing more, in a cluster that others use."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.bundles import IMAGES
from support.cluster import Kubectl
from support.containers import wait_until
from support.images import ORCHESTRATOR
from support.solutions import ROOT

from playground.runtime.deployment import Deployment, DeploymentId, Push
from playground.runtime.kubernetes import opening
from playground.runtime.kubernetes.runtime import KubernetesRuntime
from playground.runtime.kubernetes.settings import Settings
from shared.settings import load

MANIFESTS = ROOT / "deploy" / "playground"
POLICY_SECONDS = 30
_NAME = "slipway-playground"


@dataclass(frozen=True, slots=True)
class Account:
    """What a server finds in its environment."""

    name: str
    kubeconfig: Path

    def environment(self, **more: object) -> dict[str, str]:
        """Return the variables of a runtime; `more` by the rest of their names."""
        environ = {
            "INSTALLATION": self.name,
            "NAMESPACE": self.name,
            "SERVICE_ACCOUNT": f"{self.name}/{self.name}",
            "DEPLOYMENT_ROLE": f"{self.name}-deployment",
            "REGISTRIES": "docker.io/slipway",
            "KUBECONFIG": str(self.kubeconfig),
            "INSIDE": "false",
            **{name: str(value) for name, value in more.items()},
        }
        return {f"SLIPWAY_PLAYGROUND_{name}": value for name, value in environ.items()}

    def settings(self, **more: object) -> Settings:
        """Return the settings of a runtime; `more` as `environment` has them."""
        return load(Settings, self.environment(**more))


@contextmanager
def account(kubectl: Kubectl, desk: Path) -> Iterator[Account]:
    """Apply the manifests of an operator under another name, and take them away in the end, with all deployments."""
    name = f"slipway-test-{uuid.uuid4().hex[:8]}"
    inside = replace(kubectl, namespace=name)
    try:
        for file in ("rbac.yaml", "policy.yaml"):
            inside("apply", "-f", "-", given=(MANIFESTS / file).read_text(encoding="utf-8").replace(_NAME, name))
        made = Account(name, _kubeconfig(inside, desk / "kubeconfig-account"))
        wait_until(lambda: _is_held(kubectl, made), what=f"policy {name} in force", seconds=POLICY_SECONDS)
        yield made
    finally:
        kubectl("delete", "namespace", "-l", f"slipway.dev/playground={name}", "--wait=false")
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
        for kind, suffix in (
            ("clusterrole", "-server"),
            ("clusterrole", "-deployment"),
            ("clusterrolebinding", "-server"),
            ("validatingadmissionpolicybinding", ""),
            ("validatingadmissionpolicy", ""),
        ):
            kubectl("delete", kind, name + suffix, "--ignore-not-found")


def _is_held(kubectl: Kubectl, account: Account) -> bool:
    """Answer whether the policy counts already: an API server hears of a new one a moment later."""
    server = replace(kubectl, environment={**kubectl.environment, "KUBECONFIG": str(account.kubeconfig)})
    return "only namespaces" in server.run("create", "namespace", f"{account.name}-x", "--dry-run=server").err


def _kubeconfig(kubectl: Kubectl, file: Path) -> Path:
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    token = kubectl("create", "token", kubectl.namespace, "--duration=2h")
    config["users"][0]["user"] = {"token": token.strip()}
    file.touch(mode=0o600)
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


class WithImages:
    """A runtime whose node has the samples' images under other names, by content; everything else is as it is."""

    def __init__(self, runtime: KubernetesRuntime, references: Mapping[str, str]) -> None:
        self.runtime = runtime
        self._there = {
            **{name.encode(): there.encode() for name, there in references.items()},
            IMAGES.orchestrator.encode(): references[ORCHESTRATOR].encode(),
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(self.runtime, name)

    def create(self, push: Push) -> tuple[Deployment, bool]:
        return self.runtime.create(self.renamed(push))

    def update(self, deployment: DeploymentId, push: Push) -> Deployment:
        return self.runtime.update(deployment, self.renamed(push))

    def files(self, deployment: DeploymentId) -> Mapping[str, bytes]:
        back = {there: name for name, there in self._there.items()}
        return _replaced(self.runtime.files(deployment), back)

    def renamed(self, push: Push) -> Push:
        """Return the push with the images by their names on the node."""
        return replace(push, files=_replaced(push.files, self._there))


def opened(settings: Settings, references: Mapping[str, str], **more: Any) -> WithImages:
    """Open a runtime."""
    runtime = opening.made(settings, **more)
    runtime.start()
    return WithImages(runtime, references)


def _replaced(files: Mapping[str, bytes], names: Mapping[bytes, bytes]) -> dict[str, bytes]:
    made = dict(files)
    for name, other in names.items():
        made = {path: content.replace(name, other) for path, content in made.items()}
    return made
