"""Graphene's manifests, made to work on any cluster."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from shared.kubernetes.legacy import normalise


def _deployment(name: str = "orchestrator", image: str = "example/orchestrator:1", **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    containers = [{"name": name, "image": image}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers, **pod}},
        },
    }


def _service(service: str, **port: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service},
        "spec": {"type": "NodePort", "selector": {"app": service}, "ports": [port]},
    }


def _pod(manifest: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return pod


def test_the_log_folder_of_the_machine_becomes_an_empty_one() -> None:
    mounts = [{"mountPath": "/logs", "name": "logs"}]
    volumes = [{"name": "logs", "hostPath": {"path": "/var/acumos/log"}}]

    (made,), findings = normalise([_deployment(volumes=volumes, volumeMounts=mounts)])

    assert _pod(made)["volumes"] == [{"name": "logs", "emptyDir": {}}]
    assert [(f.code, f.path) for f in findings] == [
        ("legacy-host-path", "Deployment/orchestrator.spec.template.spec.volumes")
    ]


def test_other_volumes_stay() -> None:
    volumes = [
        {"name": "x", "persistentVolumeClaim": {"claimName": "shared-folder"}},
        {"name": "y", "hostPath": {"path": "/"}},
    ]

    (made,), findings = normalise([_deployment(volumes=volumes)])

    assert _pod(made)["volumes"] == volumes
    assert list(findings) == []


def test_the_pull_secret_of_the_marketplace_goes() -> None:
    (made,), findings = normalise([_deployment(imagePullSecrets=[{"name": "acumos-registry"}])])

    assert "imagePullSecrets" not in _pod(made)
    assert [finding.code for finding in findings] == ["legacy-pull-secret"]


def test_pull_secrets_of_one_s_own_stay() -> None:
    secrets = [{"name": "acumos-registry"}, {"name": "mine"}]

    (made,), _ = normalise([_deployment(imagePullSecrets=secrets)])

    assert _pod(made)["imagePullSecrets"] == [{"name": "mine"}]


@pytest.mark.parametrize(
    ("name", "port"), [("protobuf-api", 8556), ("databroker-api", 8556), ("mc-api", 8061), ("webui", 8062)]
)
def test_a_port_that_the_script_has_set_to_the_node_port_is_put_back(name: str, port: int) -> None:
    (made,), findings = normalise([_service("a", name=name, port=31951, nodePort=31951, targetPort=8061)])

    assert made["spec"]["ports"] == [{"name": name, "port": port, "targetPort": 8061}]
    assert [(f.code, f.found) for f in findings] == [("legacy-node-port", "31951, free on one cluster only: left out")]


def test_a_generated_node_port_goes_and_the_port_stays() -> None:
    (made,), _ = normalise([_service("orchestrator", name="mc-api", port=8555, nodePort=30555, targetPort=8061)])

    assert made["spec"]["ports"] == [{"name": "mc-api", "port": 8555, "targetPort": 8061}]


def test_a_port_that_the_cluster_chooses_stays() -> None:
    service = _service("a", name="protobuf-api", port=8556, targetPort=8061)

    assert normalise([service])[0] == [service]


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_storage_class_means_the_default(empty: str | None) -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "p"}, "spec": {"storageClassName": empty, "x": 1}}

    (made,), findings = normalise([claim])

    assert made["spec"] == {"x": 1}
    assert [finding.code for finding in findings] == ["legacy-storage-class"]


@pytest.mark.parametrize("spec", [{"storageClassName": "nfs"}, {}, {"storageClassName": ["odd"]}])
def test_a_storage_class_that_is_named_stays(spec: dict[str, Any]) -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "p"}, "spec": spec}

    assert normalise([claim])[0] == [claim]


def test_the_jupyter_pod_goes_with_its_service() -> None:
    jupyter = _deployment("jupyter", "registry.example.org:5000/graphene/jupyter-connect:1.1")
    manifests = [_deployment("model"), jupyter, _service("jupyter", name="webui", port=8062), _service("model", port=1)]

    made, findings = normalise(manifests)

    assert [(m["kind"], m["metadata"]["name"]) for m in made] == [("Deployment", "model"), ("Service", "model")]
    assert [(f.code, f.path) for f in findings] == [("legacy-jupyter", "Deployment/jupyter")]


def test_nothing_else_is_touched_and_nothing_is_changed_in_place() -> None:
    volumes = [{"name": "logs", "hostPath": {"path": "/var/acumos/log"}}]
    manifests = [_deployment(volumes=volumes), {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}}]
    before = copy.deepcopy(manifests)

    made, _ = normalise(manifests)

    assert manifests == before
    assert made[1] == manifests[1]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"kind": "Deployment"},
        {"kind": "Deployment", "spec": None},
        {"kind": "Deployment", "spec": {"template": []}},
        {"kind": "Deployment", "spec": {"template": {"spec": {"volumes": [1, None], "containers": "x"}}}},
        {"kind": "Service", "spec": {"ports": {"nodePort": 1}}},
        {"kind": ["Service"], "metadata": 3},
    ],
    ids=str,
)
def test_odd_manifests_pass_through(odd: dict[str, Any]) -> None:
    made, findings = normalise([odd])

    assert made == [odd]
    assert list(findings) == []
