"""NetworkPolicies, judged by what they let through rather than by how they are written."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from support.solutions import assets, model, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.solution import Solution

Manifest = Mapping[str, Any]
ANYWHERE = None
STRANGER = {"app": "stranger"}


def _built(solution: Solution, options: dict[str, Any]) -> tuple[list[Manifest], dict[str, dict[str, str]]]:
    """Return the policies, and the labels of the pods by name."""
    manifests = objects(generate(solution, DEPLOYER.parse_options(options), assets())).values()
    workloads = [made for made in manifests if made["kind"] == "Deployment"]
    policies = [made for made in manifests if made["kind"] == "NetworkPolicy"]
    return policies, {made["metadata"]["name"]: made["spec"]["template"]["metadata"]["labels"] for made in workloads}


def _may_enter(policies: Iterable[Manifest], pod: Manifest, port: int, source: Manifest | None) -> bool:
    """Apply the rules of Kubernetes: isolated as soon as one policy selects the pod, then whatever any of them allows."""
    rules = [
        p["spec"] for p in policies if "Ingress" in p["spec"]["policyTypes"] and _selects(p["spec"]["podSelector"], pod)
    ]
    if not rules:
        return True
    return any(
        port in [allowed["port"] for allowed in rule["ports"]]
        and ("from" not in rule or (source and any(_selects(peer["podSelector"], source) for peer in rule["from"])))
        for spec in rules
        for rule in spec["ingress"]
    )


def _selects(selector: Manifest, labels: Manifest) -> bool:
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(labels[e["key"]] not in e["values"] for e in selector.get("matchExpressions", []))


def _egress(policies: Iterable[Manifest]) -> list[dict[str, Any]]:
    (policy,) = [p for p in policies if p["spec"]["policyTypes"] == ["Egress"]]
    rules: list[dict[str, Any]] = policy["spec"]["egress"]
    return rules


def test_only_the_orchestrator_may_call_a_node_of_a_pipeline() -> None:
    policies, pods = _built(pipeline("a", "b"), {})

    assert _may_enter(policies, pods["a"], 8061, pods["orchestrator"])
    assert not _may_enter(policies, pods["a"], 8061, pods["b"])
    assert not _may_enter(policies, pods["a"], 8061, STRANGER)
    assert not _may_enter(policies, pods["a"], 8061, ANYWHERE)


def test_an_orchestrator_of_another_bundle_may_not_call_a_node() -> None:
    policies, pods = _built(pipeline("a"), {})
    _, others = _built(pipeline("a", name="other"), {})

    assert not _may_enter(policies, pods["a"], 8061, others["orchestrator"])


@pytest.mark.parametrize("profile", ["default", "restricted"])
def test_the_orchestrator_and_web_uis_are_reached_from_anywhere(profile: str) -> None:
    policies, pods = _built(pipeline("a"), {"profile": profile})

    assert _may_enter(policies, pods["orchestrator"], 8061, ANYWHERE)
    assert _may_enter(policies, pods["a"], 8062, ANYWHERE)


def test_a_node_without_web_ui_is_closed_there() -> None:
    policies, pods = _built(pipeline("a", "b"), {"nodes": {"b": {"webui": False}}})

    assert _may_enter(policies, pods["a"], 8062, ANYWHERE)
    assert not _may_enter(policies, pods["b"], 8062, ANYWHERE)


def test_other_ports_are_closed() -> None:
    policies, pods = _built(pipeline("a"), {})

    assert not _may_enter(policies, pods["a"], 22, pods["orchestrator"])
    assert not _may_enter(policies, pods["orchestrator"], 8062, ANYWHERE)


def test_everybody_may_call_a_model() -> None:
    policies, pods = _built(model(), {})

    assert _may_enter(policies, pods["model"], 8061, ANYWHERE)
    assert _may_enter(policies, pods["model"], 8062, ANYWHERE)


def test_a_model_without_web_ui_is_closed_there() -> None:
    policies, pods = _built(model(), {"webui": False})

    assert not _may_enter(policies, pods["model"], 8062, ANYWHERE)


def test_the_probe_s_page_is_reached_from_anywhere() -> None:
    policies, pods = _built(pipeline("a", probe=True), {})

    assert _may_enter(policies, pods["probe"], 5006, ANYWHERE)


@pytest.mark.parametrize("solution", [model(), pipeline("a")], ids=["model", "pipeline"])
@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254"])
def test_pods_go_anywhere_but_to_the_metadata_addresses(solution: Solution, address: str) -> None:
    policies, _ = _built(solution, {})

    (rule,) = _egress(policies)
    blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
    assert not [block for block in blocks if _contains(block, address)]
    assert [block for block in blocks if _contains(block, "8.8.8.8")]
    assert [block for block in blocks if _contains(block, "2001:4860:4860::8888")]
    assert {"namespaceSelector": {}} in rule["to"]


def test_restricted_pods_reach_their_own_bundle_and_dns_only() -> None:
    policies, pods = _built(pipeline("a", "b"), {"profile": "restricted"})

    own, dns = _egress(policies)
    assert [port["port"] for port in dns["ports"]] == [53, 53]
    assert [port["protocol"] for port in dns["ports"]] == ["UDP", "TCP"]
    assert own.keys() == {"to"}
    assert [_selects(peer["podSelector"], pods["b"]) for peer in own["to"]] == [True]
    assert [_selects(peer["podSelector"], STRANGER) for peer in own["to"]] == [False]


@pytest.mark.parametrize("solution", [model(), pipeline("a", "b", probe=True)], ids=["model", "pipeline"])
def test_every_pod_has_its_egress_limited(solution: Solution) -> None:
    policies, pods = _built(solution, {})

    (egress,) = [p["spec"]["podSelector"] for p in policies if p["spec"]["policyTypes"] == ["Egress"]]
    assert [name for name, labels in pods.items() if not _selects(egress, labels)] == []


def _contains(block: Manifest, address: str) -> bool:
    found = ipaddress.ip_address(address)
    inside = [cidr for cidr in (block["cidr"], *block["except"]) if found in ipaddress.ip_network(cidr)]
    return inside == [block["cidr"]]
