"""The orchestrator's traces: the option, the variables, and the way to the collector."""

from __future__ import annotations

from typing import Any

import pytest
from support.solutions import assets, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.errors import InvalidOptionsError

COLLECTOR = "http://collector.observability.svc:4318"
POLICY = "policies/networkpolicy-traces.yaml"


def _objects(collector: str, **options: Any) -> dict[str, dict[str, Any]]:
    orchestrator = {"traceCollector": collector, **options.pop("orchestrator", {})}
    parsed = DEPLOYER.parse_options({"orchestrator": orchestrator, **options})
    return objects(generate(pipeline("a", "b", name="Lab"), parsed, assets()))


def _variables(made: dict[str, dict[str, Any]]) -> dict[str, str]:
    (container,) = made["deployments/orchestrator_deployment.yaml"]["spec"]["template"]["spec"]["containers"]
    return {variable["name"]: variable["value"] for variable in container["env"]}


def _rule(collector: str) -> dict[str, Any]:
    (rule,) = _objects(collector, profile="restricted")[POLICY]["spec"]["egress"]
    found: dict[str, Any] = rule
    return found


def test_the_orchestrator_is_told_of_the_collector() -> None:
    variables = _variables(_objects(COLLECTOR))

    assert variables["SLIPWAY_TRACING"] == "true"
    assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == COLLECTOR
    assert variables["OTEL_SERVICE_NAME"].startswith("lab-")


def test_variables_that_are_given_win() -> None:
    given = {"OTEL_SERVICE_NAME": "mine", "OTEL_TRACES_SAMPLER": "always_off"}

    variables = _variables(_objects(COLLECTOR, orchestrator={"environment": given}))

    assert variables.items() >= given.items()


def test_by_default_the_way_is_open_and_needs_no_policy() -> None:
    assert POLICY not in _objects(COLLECTOR)


def test_a_restricted_orchestrator_alone_may_reach_the_collector() -> None:
    made = _objects(COLLECTOR, profile="restricted")

    spec = made[POLICY]["spec"]
    pods = made["deployments/orchestrator_deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    node = made["deployments/a_deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    selected = spec["podSelector"]["matchLabels"].items()
    assert (spec["policyTypes"], selected <= pods.items(), selected <= node.items()) == (["Egress"], True, False)


@pytest.mark.parametrize(
    ("collector", "peer", "port"),
    [
        (
            COLLECTOR,
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}},
            4318,
        ),
        (
            "https://otel.watch.svc.cluster.local/otlp",
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "watch"}}},
            443,
        ),
        ("http://otel", {"podSelector": {}}, 80),
        ("http://10.1.2.3:4318", {"ipBlock": {"cidr": "10.1.2.3/32"}}, 4318),
    ],
)
def test_the_way_leads_to_the_collector_only(collector: str, peer: dict[str, Any], port: int) -> None:
    assert _rule(collector) == {"to": [peer], "ports": [{"protocol": "TCP", "port": port}]}


def test_the_way_out_of_the_cluster_spares_the_metadata_addresses() -> None:
    rule = _rule("https://otlp.example.org")

    blocks = [peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer]
    assert [block["except"] for block in blocks] == [["169.254.169.254/32"], ["fd00:ec2::254/128"]]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}]


@pytest.mark.parametrize(
    "collector",
    [
        "collector:4318",
        "grpc://collector:4317",
        "http://",
        "http://user:secret@collector",
        "http://collector:0",
        "http://collector:70000",
        "http://collector\n",
        "http://collector/$(TOKEN)",
        "http://169.254.169.254",
        "http://[::1]:4318",
    ],
)
def test_what_is_no_collector_is_refused(collector: str) -> None:
    with pytest.raises(InvalidOptionsError, match=r"orchestrator"):
        DEPLOYER.parse_options({"orchestrator": {"traceCollector": collector}})
