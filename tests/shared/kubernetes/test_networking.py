"""Services and Ingresses."""

from __future__ import annotations

from typing import Any

import pytest
from support.solutions import assets, model, node, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.solution import Solution


def _objects(options: dict[str, Any], solution: Solution | None = None) -> dict[str, dict[str, Any]]:
    return objects(generate(solution or pipeline("a", "b"), DEPLOYER.parse_options(options), assets()))


@pytest.mark.parametrize(
    ("path", "name", "port"),
    [
        ("a_service", "a", {"name": "protobuf-api", "port": 8556, "targetPort": 8061}),
        ("a_service_webui", "awebui", {"name": "webui", "port": 8062, "targetPort": 8062}),
        ("orchestrator_service", "orchestrator", {"name": "mc-api", "port": 8061, "targetPort": 8061}),
    ],
)
def test_a_service_has_one_port_that_the_cluster_chooses_a_node_port_for(
    path: str, name: str, port: dict[str, Any]
) -> None:
    made = _objects({})[f"deployments/{path}.yaml"]

    assert made["metadata"]["name"] == name
    assert (made["spec"]["type"], made["spec"]["ports"]) == ("NodePort", [port])


def test_a_service_selects_by_app_and_instance_only() -> None:
    selector = _objects({})["deployments/a_service_webui.yaml"]["spec"]["selector"]

    assert selector == {"app": "a", "app.kubernetes.io/instance": "pipeline-23bf0d24"}


@pytest.mark.parametrize("node_type", ["DataBroker", "databroker"])
def test_the_port_of_a_data_broker_has_graphene_s_name(node_type: str) -> None:
    made = _objects({}, pipeline(node("rows", node_type=node_type)))

    assert made["deployments/rows_service.yaml"]["spec"]["ports"][0]["name"] == "databroker-api"


def test_a_node_without_web_ui_has_no_service_for_one() -> None:
    made = _objects({"nodes": {"b": {"webui": False}}})

    assert [path for path in made if path.endswith("_webui.yaml")] == ["deployments/a_service_webui.yaml"]
    assert len(made["deployments/b_deployment.yaml"]["spec"]["template"]["spec"]["containers"][0]["ports"]) == 1


def test_the_type_of_the_services_is_as_chosen() -> None:
    made = _objects({"serviceType": "ClusterIP", "nodes": {"b": {"serviceType": "LoadBalancer"}}})

    types = {name: made[f"deployments/{name}_service.yaml"]["spec"]["type"] for name in ("a", "b", "orchestrator")}
    assert types == {"a": "ClusterIP", "b": "LoadBalancer", "orchestrator": "ClusterIP"}


def test_an_ingress_leads_to_the_web_ui() -> None:
    ingress = {"host": "*.apps.example.org", "className": "nginx", "tlsSecret": "certificate"}

    made = _objects({"webuiIngress": ingress})["policies/ingress-a.yaml"]

    backend = {"service": {"name": "awebui", "port": {"name": "webui"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    assert made["spec"] == {
        "ingressClassName": "nginx",
        "tls": [{"hosts": ["a.apps.example.org"], "secretName": "certificate"}],
        "rules": [{"host": "a.apps.example.org", "http": {"paths": [path]}}],
    }
    assert "annotations" not in made["metadata"]


def test_an_ingress_needs_neither_class_nor_certificate() -> None:
    made = _objects({"webuiIngress": {"host": "ui.example.org"}}, model())

    assert sorted(made["policies/ingress-model.yaml"]["spec"]) == ["rules"]
