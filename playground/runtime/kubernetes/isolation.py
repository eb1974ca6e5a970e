"""What keeps deployments apart: NetworkPolicies add up, so one that is too wide opens what all others close.

A bundle is made for a cluster of its user's own. Here its policies are narrowed: in come its own pods and the
playground's server, out go its own pods, name servers, and addresses that the operator has not closed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from shared.findings import Finding, quoted, warning

Manifest: TypeAlias = Mapping[str, Any]
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

NAMESPACE_LABEL = "kubernetes.io/metadata.name"  # Kubernetes sets it on every namespace
DENY_ALL = "slipway-deny-all"
OWN_PODS = "slipway-own-pods"
NAME_SERVERS = "slipway-name-servers"
OUTSIDE = "slipway-outside"
SERVER = "slipway-server"
_DNS = 53
_DNS_PORTS = [{"protocol": "UDP", "port": _DNS}, {"protocol": "TCP", "port": _DNS}]
_EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Borders:
    """What the operator says about the traffic of deployments."""

    server_namespace: str
    """Whose pods reach all that a deployment offers: the playground's own."""
    closed: tuple[Network, ...]
    """Where no pod may go, such as the operator's own network and what hands out credentials."""
    is_open: bool
    """Other addresses may be reached."""


def network(cidr: str) -> Network:
    """Return a network by its usual text."""
    return ipaddress.ip_network(cidr)


def policies(borders: Borders, *, has_own: bool) -> list[dict[str, Any]]:
    """Return the policies of every namespace; a bundle without any gets what it needs to work."""
    server = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: borders.server_namespace}}}
    made = [
        _policy(DENY_ALL, {"policyTypes": ["Ingress", "Egress"]}),
        _policy(SERVER, {"policyTypes": ["Ingress"], "ingress": [{"from": [server]}]}),
        _policy(
            NAME_SERVERS,
            {"policyTypes": ["Egress"], "egress": [{"to": [{"namespaceSelector": {}}], "ports": _DNS_PORTS}]},
        ),
    ]
    if has_own:
        return made
    own: list[dict[str, Any]] = [{"podSelector": {}}]
    made.append(
        _policy(OWN_PODS, {"policyTypes": ["Ingress", "Egress"], "ingress": [{"from": own}], "egress": [{"to": own}]})
    )
    if borders.is_open:
        to = [_narrowed_block({"cidr": cidr}, borders) for cidr in _EVERYWHERE]
        made.append(_policy(OUTSIDE, {"policyTypes": ["Egress"], "egress": [{"to": [peer for peer in to if peer]}]}))
    return made


def narrowed(policy: Manifest, borders: Borders, place: str) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """Return a policy of a bundle that lets in and out nothing that leaves the deployment, and what was taken from it."""
    spec = dict(policy.get("spec") or {})
    taken: list[str] = []
    if "ingress" in spec:
        spec["ingress"] = list(_rules(spec["ingress"], "from", lambda rule: _ingress_peers(rule, borders, taken)))
    if "egress" in spec:
        spec["egress"] = list(_rules(spec["egress"], "to", lambda rule: _egress_peers(rule, borders, taken)))
    expected = "traffic within the deployment, to name servers, and to addresses that are open here"
    findings = tuple(
        warning("policy-narrowed", f"{place} {text}", expected=expected, found=text) for text in dict.fromkeys(taken)
    )
    return {**policy, "spec": spec}, findings


def _rules(rules: Any, key: str, peers: Any) -> Iterator[dict[str, Any]]:
    for rule in rules or []:
        kept = peers(rule or {})
        # A rule without peers means everywhere: one that has lost all of them must go as a whole.
        if kept:
            yield {**(rule or {}), key: kept}


def _ingress_peers(rule: Manifest, borders: Borders, taken: list[str]) -> list[dict[str, Any]]:
    given = rule.get("from")
    if not given:
        server = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: borders.server_namespace}}}
        return [{"podSelector": {}}, server]
    taken.extend(f"from {_named(peer)}" for peer in given if not _is_own(peer))
    return [peer for peer in given if _is_own(peer)]


def _egress_peers(rule: Manifest, borders: Borders, taken: list[str]) -> list[dict[str, Any]]:
    given = rule.get("to")
    if not given:
        taken.append("to everywhere")
        return []
    return [kept for peer in given if (kept := _egress_peer(peer, rule, borders, taken))]


def _egress_peer(peer: Manifest, rule: Manifest, borders: Borders, taken: list[str]) -> dict[str, Any] | None:
    if _is_own(peer) or _is_about_names(rule):
        return dict(peer)
    if set(peer) == {"ipBlock"} and borders.is_open and (narrow := _narrowed_block(peer["ipBlock"], borders)):
        return narrow
    # Every bundle names all pods beside all addresses, because network plugins differ: nothing to tell its user.
    if peer != {"namespaceSelector": {}}:
        taken.append(f"to {_named(peer)}")
    return None


def _is_own(peer: Any) -> bool:
    """Tell whether a peer is a pod of the same namespace."""
    return isinstance(peer, dict) and set(peer) == {"podSelector"}


def _is_about_names(rule: Manifest) -> bool:
    ports = rule.get("ports")
    return bool(ports) and all(port.get("port") == _DNS and "endPort" not in port for port in ports or [])


def _narrowed_block(block: Manifest, borders: Borders) -> dict[str, Any] | None:
    """Return the peer without what is closed, or None where nothing is left or it is no block of addresses."""
    try:
        network = ipaddress.ip_network(str(block.get("cidr")), strict=False)
        given = [ipaddress.ip_network(str(cidr), strict=False) for cidr in block.get("except") or []]
    except ValueError:
        return None
    same = [closed for closed in borders.closed if closed.version == network.version]
    if any(_within(network, closed) for closed in same):
        return None
    inner: Sequence[Network] = [*given, *(closed for closed in same if _within(closed, network))]
    excepted = list(dict.fromkeys(str(one) for one in inner))
    return {"ipBlock": {"cidr": str(network), **({"except": excepted} if excepted else {})}}


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]  # both are of one version


def _named(peer: Any) -> str:
    return quoted(peer, limit=120)


def _policy(name: str, spec: Manifest) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, **spec},
    }
