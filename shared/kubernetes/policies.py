"""NetworkPolicies: who may reach the pods of a bundle, and where they may go.

Policies add up: what none of them allows is closed. Nodes speak with the orchestrator alone, as the edges of every
blueprint run through it; people reach web UIs and the orchestrator from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.kubernetes import labels, traces
from shared.kubernetes.labels import Identity
from shared.solution import GRPC_PORT, WEB_UI_PORT

# Cloud providers hand out credentials at these addresses to whoever asks.
METADATA_IPV4 = "169.254.169.254/32"
METADATA_IPV6 = "fd00:ec2::254/128"
# Where NodeLocal DNSCache listens by convention; it runs in the network of the machine, which no selector matches.
NODE_LOCAL_DNS = "169.254.20.10/32"

_DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
_ANY_POD: Mapping[str, Any] = {"namespaceSelector": {}}
_ANYWHERE: Sequence[Mapping[str, Any]] = (
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": [METADATA_IPV4]}},
    {"ipBlock": {"cidr": "::/0", "except": [METADATA_IPV6]}},
    # Some network plugins do not count pods among addresses.
    _ANY_POD,
)


def of_model(identity: Identity, *, web_ui: bool) -> dict[str, Any]:
    """Return the policy of a model: whoever wants may call it."""
    ports = [GRPC_PORT, WEB_UI_PORT] if web_ui else [GRPC_PORT]
    return _ingress(f"{identity.instance}-model", identity, _pods(identity, labels.MODEL), [{"ports": _tcp(*ports)}])


def of_nodes(identity: Identity) -> dict[str, Any]:
    """Return the policy of a pipeline's nodes: the orchestrator may call them, nobody else."""
    orchestrator = {"podSelector": _pods(identity, labels.ORCHESTRATOR)}
    rule = {"from": [orchestrator], "ports": _tcp(GRPC_PORT)}
    return _ingress(f"{identity.instance}-nodes", identity, _pods(identity, labels.NODE), [rule])


def of_web_uis(identity: Identity, *, without: Sequence[str]) -> dict[str, Any]:
    """Return the policy that opens the web UIs of all nodes but those in `without`."""
    selected = _pods(identity, labels.NODE)
    if without:
        selected["matchExpressions"] = [{"key": "app", "operator": "NotIn", "values": list(without)}]
    return _ingress(f"{identity.instance}-web-uis", identity, selected, [{"ports": _tcp(WEB_UI_PORT)}])


def of_orchestrator(identity: Identity) -> dict[str, Any]:
    """Return the policy of the orchestrator: clients reach it from anywhere."""
    selected = _pods(identity, labels.ORCHESTRATOR)
    return _ingress(f"{identity.instance}-orchestrator", identity, selected, [{"ports": _tcp(GRPC_PORT)}])


def of_probe(identity: Identity, *, port: int) -> dict[str, Any]:
    """Return the policy of Graphene's probe, whose page listens on `port`."""
    return _ingress(f"{identity.instance}-probe", identity, _pods(identity, labels.PROBE), [{"ports": _tcp(port)}])


def of_egress(identity: Identity, *, restricted: bool) -> dict[str, Any]:
    """Return where all pods of the bundle may go: anywhere but the metadata addresses, or only to each other and DNS."""
    own = {"podSelector": {"matchLabels": {labels.INSTANCE: identity.instance}}}
    if restricted:
        name_servers = [_ANY_POD, {"ipBlock": {"cidr": NODE_LOCAL_DNS}}]
        rules: list[dict[str, Any]] = [{"to": [own]}, {"to": name_servers, "ports": _DNS_PORTS}]
    else:
        rules = [{"to": list(_ANYWHERE)}]
    spec = {"podSelector": own["podSelector"], "policyTypes": ["Egress"], "egress": rules}
    return _policy(f"{identity.instance}-egress", identity, spec)


def of_traces(identity: Identity, collector: str) -> dict[str, Any]:
    """Return the policy that lets the orchestrator of a restricted bundle reach the collector of its traces."""
    peer = traces.peer(collector)
    rule = {"to": list(_ANYWHERE) if peer is None else [peer], "ports": _tcp(traces.port(collector))}
    spec = {"podSelector": _pods(identity, labels.ORCHESTRATOR), "policyTypes": ["Egress"], "egress": [rule]}
    return _policy(f"{identity.instance}-traces", identity, spec)


def _pods(identity: Identity, component: str) -> dict[str, Any]:
    return {"matchLabels": {labels.INSTANCE: identity.instance, labels.COMPONENT: component}}


def _tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _ingress(
    name: str, identity: Identity, selected: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return _policy(name, identity, {"podSelector": selected, "policyTypes": ["Ingress"], "ingress": list(rules)})


def _policy(name: str, identity: Identity, spec: Mapping[str, Any]) -> dict[str, Any]:
    metadata = identity.metadata(name, labels.POLICY, app=identity.instance)
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
