"""Where the orchestrator sends its traces: what it is told of the collector, and how it reaches it under `restricted`."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from shared.kubernetes.labels import Identity

NAMESPACE_LABEL = "kubernetes.io/metadata.name"  # Kubernetes sets it on every namespace
_PORTS = {"http": 80, "https": 443}


def environment(collector: str, identity: Identity) -> dict[str, str]:
    """Return the variables that switch traces on, under a service name that tells pipelines apart."""
    return {
        "SLIPWAY_TRACING": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_SERVICE_NAME": identity.instance,
    }


def port(collector: str) -> int:
    """Return the collector's port.

    Raises:
        ValueError: there is no such port.
    """
    parts = urlsplit(collector)
    return parts.port or _PORTS[parts.scheme]


def peer(collector: str) -> dict[str, Any] | None:
    """Return whom a NetworkPolicy has to let the orchestrator reach; None for a name outside the cluster.

    `NAME` is a Service of the bundle's own namespace, `NAME.NAMESPACE.svc`, whatever follows, one of another.
    """
    host = _host(collector)
    address = _address(host)
    if address is not None:
        return {"ipBlock": {"cidr": f"{address}/32"}}
    _, *rest = host.split(".")
    if not rest:
        return {"podSelector": {}}
    if rest[1:2] == ["svc"]:
        return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: rest[0]}}}
    return None


def refuse_odd_collector(collector: str) -> None:
    """Refuse what the option's pattern cannot: ValueError."""
    port(collector)
    address = _address(_host(collector))
    if address is not None and address.is_link_local:
        raise ValueError("expected no link-local address: cloud providers hand out credentials there")


def _host(collector: str) -> str:
    return urlsplit(collector).hostname or ""


def _address(host: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(host)
    except ValueError:
        return None
