"""The Secrets of a deployment: logins for pulling its images, and the token of its orchestrator. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from playground.runtime.kubernetes import words
from shared import image, naming
from shared.image import DEFAULT_REGISTRY
from shared.settings import Secret

Manifest = dict[str, Any]

_DOCKER_HUB = "https://index.docker.io/v1/"  # how docker calls it in its configuration


def pull_secrets(registries: Iterable[str], logins: Mapping[str, Secret]) -> list[Manifest]:
    """Return a Secret for each registry that is used and has a login: no deployment gets those of others."""
    made = []
    for registry in sorted(set(registries)):
        names = (registry, _DOCKER_HUB) if registry == DEFAULT_REGISTRY else (registry,)
        auths = {name: json.loads(logins[name].reveal()) for name in names if name in logins}
        if auths:
            made.append(_pull_secret(registry, auths))
    return made


def for_image(reference: str, logins: Mapping[str, Secret]) -> list[Manifest]:
    """Return what is needed to pull one image."""
    return pull_secrets([image.parse(reference).registry], logins)


def token_secret(token: str) -> Manifest:
    """Return the Secret with the token of the orchestrator's native API."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": words.ORCHESTRATOR_TOKEN},
        "type": "Opaque",
        "data": {words.ORCHESTRATOR_TOKEN_KEY: _coded(token)},
    }


def _pull_secret(registry: str, auths: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": naming.label(f"slipway-pull-{registry}")},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": _coded(json.dumps({"auths": auths}, sort_keys=True))},
    }


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
