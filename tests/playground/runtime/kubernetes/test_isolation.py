"""Who may speak with whom."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from playground.runtime.kubernetes import isolation
from playground.runtime.kubernetes.isolation import Borders

CLOSED = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fc00::/7"))
BORDERS = Borders("srv", CLOSED, True)
SERVER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "srv"}}}
OWN = {"podSelector": {"matchLabels": {"app": "a"}}}


def narrowed(borders: Borders = BORDERS, **spec: Any) -> tuple[dict[str, Any], list[str]]:
    policy, findings = isolation.narrowed({"kind": "NetworkPolicy", "spec": {"podSelector": {}, **spec}}, borders, "p")
    return policy["spec"], [finding.found for finding in findings]


def test_who_lets_in_everybody_lets_in_its_own_pods_and_the_server() -> None:
    spec, told = narrowed(ingress=[{"ports": [{"port": 8061}]}])

    assert spec["ingress"] == [{"ports": [{"port": 8061}], "from": [{"podSelector": {}}, SERVER]}]
    assert told == []


def test_own_pods_stay_as_they_are() -> None:
    spec, told = narrowed(ingress=[{"from": [OWN]}], egress=[{"to": [OWN]}])

    assert (spec["ingress"], spec["egress"], told) == ([{"from": [OWN]}], [{"to": [OWN]}], [])


@pytest.mark.parametrize("peer", [{"namespaceSelector": {}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}, {}, None])
def test_a_rule_that_has_lost_all_peers_goes_as_a_whole(peer: Any) -> None:
    spec, told = narrowed(ingress=[{"from": [peer]}])

    assert spec["ingress"] == []
    assert len(told) == 1


def test_addresses_are_open_but_for_what_the_operator_closes() -> None:
    block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["8.8.8.8/32"]}}

    spec, told = narrowed(egress=[{"to": [block, {"ipBlock": {"cidr": "::/0"}}, {"namespaceSelector": {}}]}])

    assert spec["egress"] == [
        {
            "to": [
                {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["8.8.8.8/32", "169.254.0.0/16", "10.0.0.0/8"]}},
                {"ipBlock": {"cidr": "::/0", "except": ["fc00::/7"]}},
            ]
        }
    ]
    assert told == []


@pytest.mark.parametrize("cidr", ["169.254.169.254/32", "10.1.0.0/16", "fd00:ec2::254/128", "nonsense", "1.2.3.4/99"])
def test_what_is_closed_cannot_be_reached(cidr: str) -> None:
    spec, told = narrowed(egress=[{"to": [{"ipBlock": {"cidr": cidr}}]}])

    assert spec["egress"] == []
    assert cidr in told[0]


def test_a_rule_to_everywhere_goes_with_a_finding() -> None:
    assert narrowed(egress=[{}]) == ({"podSelector": {}, "egress": []}, ["to everywhere"])


def test_name_servers_may_be_asked_wherever_they_are() -> None:
    rule = {"to": [{"namespaceSelector": {}}, {"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": [{"port": 53}]}

    assert narrowed(egress=[rule]) == ({"podSelector": {}, "egress": [rule]}, [])


@pytest.mark.parametrize("ports", [[{"port": 53}, {"port": 80}], [{"port": 53, "endPort": 90}], [], None])
def test_other_ports_are_not_those_of_name_servers(ports: Any) -> None:
    spec, _ = narrowed(egress=[{"to": [{"namespaceSelector": {}}], "ports": ports}])

    assert spec["egress"] == []


def test_a_closed_playground_lets_nobody_out() -> None:
    spec, told = narrowed(Borders("srv", CLOSED, False), egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])

    assert spec["egress"] == []
    assert len(told) == 1


def test_every_namespace_denies_all_and_lets_the_server_in() -> None:
    made = {each["metadata"]["name"]: each["spec"] for each in isolation.policies(BORDERS, has_own=True)}

    assert made["slipway-deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert made["slipway-server"]["ingress"] == [{"from": [SERVER]}]
    assert sorted(made) == ["slipway-deny-all", "slipway-name-servers", "slipway-server"]


def test_a_bundle_without_policies_gets_some_that_end_at_its_namespace() -> None:
    made = {each["metadata"]["name"]: each["spec"] for each in isolation.policies(BORDERS, has_own=False)}

    assert made["slipway-own-pods"]["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert made["slipway-outside"]["egress"][0]["to"][0]["ipBlock"]["except"] == ["169.254.0.0/16", "10.0.0.0/8"]
