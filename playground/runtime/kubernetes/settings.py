"""What the kubernetes runtime reads from the environment."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.runtime.kubernetes.isolation import Network
from playground.runtime.kubernetes.words import DEFAULT_INSTALLATION
from shared import image
from shared.kubernetes.orchestrator import DEFAULT_IMAGE
from shared.naming import is_label
from shared.settings import Secret, boolean, integer, one_of, setting, words

# Networks that only the operator's own machines have, and where cloud providers hand out credentials.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10")
_QUANTITY = re.compile(r"[1-9][0-9]{0,14}(?:\.[0-9]{1,3})?(?:m|k|[KMGTPE]i?)?")


def _label(text: str) -> str:
    if not is_label(text):
        raise ValueError("expected lower-case letters, digits and '-', at most 63, a letter first")
    return text


def _registries(text: str) -> tuple[str, ...]:
    return tuple(_registry(word) for word in words(text))


def _registry(word: str) -> str:
    """Read `registry.example.org:5000` or `ghcr.io/example` as an image reference has it."""
    try:
        image.parse(word if "/" in word else f"{word}/x")
    except ValueError as problem:
        raise ValueError(f"expected registries, or registries with the beginning of a path: {problem}") from problem
    first, _, rest = word.partition("/")
    if first != "localhost" and not set(first) & set(".:"):
        raise ValueError("expected registries by their host, such as docker.io/example")
    return f"{first}/{rest}" if rest else first


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(word) for word in words(text))
    except ValueError as problem:
        raise ValueError("expected networks such as 10.0.0.0/8, separated by commas") from problem


def _quantity(text: str) -> str:
    if not _QUANTITY.fullmatch(text):
        raise ValueError("expected an amount such as 500m, 4 or 16Gi")
    return text


def _image(text: str) -> str:
    try:
        image.parse(text)
    except ValueError as problem:
        raise ValueError(f"expected the reference of an image: {problem}") from problem
    return text


def _account(text: str) -> tuple[str, str]:
    namespace, _, name = text.partition("/")
    return _label(namespace), _label(name)


def _logins(text: str) -> Mapping[str, Secret]:
    """Read a docker configuration: registry → its login as JSON."""
    try:
        auths = json.loads(text)["auths"]
        return {str(registry): Secret(json.dumps(login)) for registry, login in dict(auths).items()}
    except (ValueError, TypeError, KeyError) as problem:
        raise ValueError('expected the JSON of docker, {"auths": {"registry.example.org": {…}}}') from problem


def _amount(name: str, text: str, default: str) -> Any:
    return setting(f"SLIPWAY_PLAYGROUND_{name}", text, parse=_quantity, default=default)


def _count(name: str, text: str, default: int, *, most: int = 100_000) -> Any:
    return setting(f"SLIPWAY_PLAYGROUND_{name}", text, parse=integer(least=1, most=most), default=default)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the kubernetes runtime."""

    installation: str = setting(
        "SLIPWAY_PLAYGROUND_INSTALLATION",
        "Name of this playground; several may share a cluster.",
        parse=_label,
        default=DEFAULT_INSTALLATION,
    )
    namespace: str = setting(
        "SLIPWAY_PLAYGROUND_NAMESPACE",
        "Namespace of the server itself: its lease and its one-time codes.",
        parse=_label,
        default="",
        shown="the pod's own",
    )
    account: tuple[str, str] | None = setting(
        "SLIPWAY_PLAYGROUND_SERVICE_ACCOUNT",
        "`namespace/name` of the server's own ServiceAccount, which gets its role in every namespace that it makes; unset: it has "
        "these rights already.",
        parse=_account,
        default=None,
    )
    role: str = setting(
        "SLIPWAY_PLAYGROUND_DEPLOYMENT_ROLE",
        "ClusterRole that is bound there.",
        default="slipway-playground-deployment",
    )
    registries: tuple[str, ...] = setting(
        "SLIPWAY_PLAYGROUND_REGISTRIES",
        "Registries that images may come from, separated by commas, each with the beginning of a path where less is "
        "meant: `registry.example.org,docker.io/example`. Unset: no image may run.",
        parse=_registries,
        default=(),
    )
    logins: Mapping[str, Secret] = setting(
        "SLIPWAY_PLAYGROUND_REGISTRY_LOGINS",
        "Logins of these registries as docker keeps them; each deployment gets those of the registries that it uses.",
        parse=_logins,
        default_factory=dict,
        shown="–",
    )
    node_ports: bool = setting(
        "SLIPWAY_PLAYGROUND_NODE_PORTS",
        "Services may have ports of the machines, which anybody reaches who reaches the machines.",
        parse=boolean,
        default=False,
    )
    pod_security: str = setting(
        "SLIPWAY_PLAYGROUND_POD_SECURITY",
        "Pod Security Standard that the namespaces enforce: `baseline` or `restricted`.",
        parse=one_of("baseline", "restricted"),
        default="baseline",
    )
    outside: bool = setting(
        "SLIPWAY_PLAYGROUND_OUTSIDE",
        "Pods may reach addresses outside the cluster, where their bundle allows it.",
        parse=boolean,
        default=True,
    )
    closed: tuple[Network, ...] = setting(
        "SLIPWAY_PLAYGROUND_CLOSED_NETWORKS",
        "Networks that no pod may reach but its own deployment's; metadata addresses are closed always.",
        parse=_networks,
        default=tuple(ipaddress.ip_network(cidr) for cidr in PRIVATE),
    )
    running: int = _count("RUNNING", "Deployments that run at the same time; further ones wait for their turn.", 100)
    running_per_owner: int = _count("RUNNING_PER_USER", "Those of one user.", 5)
    kept_per_owner: int = _count("KEPT_PER_USER", "Deployments of one user, those asleep too; more are refused.", 20)
    pods: int = _count("PODS", "Pods of one deployment.", 60)
    claims: int = _count("CLAIMS", "Claims of one deployment.", 4)
    cpu: str = _amount("CPU", "Processors that the pods of one deployment may ask for.", "8")
    memory: str = _amount("MEMORY", "Memory that they may ask for.", "16Gi")
    memory_limit: str = _amount("MEMORY_LIMIT", "Memory that they may use.", "64Gi")
    storage: str = _amount("STORAGE", "Storage that the claims of one deployment may ask for.", "20Gi")
    container_cpu: str = _amount("CONTAINER_CPU", "Processors that a container asks for which says nothing.", "50m")
    container_memory: str = _amount("CONTAINER_MEMORY", "Memory that it asks for.", "128Mi")
    container_memory_limit: str = _amount("CONTAINER_MEMORY_LIMIT", "Memory that it may use.", "1Gi")
    helper_image: str = setting(
        "SLIPWAY_PLAYGROUND_HELPER_IMAGE",
        "Image with `python3` through which shared folders are looked at.",
        parse=_image,
        default=DEFAULT_IMAGE,
    )
    workers: int = _count("APPLY_THREADS", "Deployments that are applied at the same time.", 4, most=32)
    history_bucket: str = setting(
        "SLIPWAY_PLAYGROUND_HISTORY_BUCKET",
        "S3 bucket for files of bundles that need more than 900 KiB; unset: the cluster keeps up to 8 MiB of each deployment.",
        default="",
    )
    history_endpoint: str = setting(
        "SLIPWAY_PLAYGROUND_HISTORY_ENDPOINT", "URL of the S3 service, where it is not that of AWS.", default=""
    )
    is_inside: bool = setting(
        "SLIPWAY_PLAYGROUND_INSIDE",
        "The server runs in the cluster and reaches Services by their names; else through the API server.",
        parse=boolean,
        default_factory=lambda: "KUBERNETES_SERVICE_HOST" in os.environ,
        shown="whether it does",
    )
    kubeconfig: Path | None = setting(
        "SLIPWAY_PLAYGROUND_KUBECONFIG",
        "Leads to the cluster; unset: the pod's own account, or `KUBECONFIG`.",
        parse=Path,
        default=None,
    )
