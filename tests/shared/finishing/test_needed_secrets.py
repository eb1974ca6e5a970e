"""Secrets that a workflow and what it deploys refer to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.finishing import needed_secrets
from shared.kubernetes.configuration import config_map
from shared.kubernetes.labels import Identity
from shared.workflows import configuration


def read_from(secret: str) -> dict[str, Any]:
    return {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}, {"value": "x"}]}


def test_the_secrets_of_all_containers_are_known():
    templates = [
        {"container": read_from("a")},
        {"sidecars": [read_from("b")]},
        {"initContainers": [read_from("c")]},
        {"suspend": {}},
    ]
    workflow = {"kind": "Workflow", "spec": {"imagePullSecrets": [{"name": "registry"}], "templates": templates}}

    assert needed_secrets.secrets_of([workflow]) == ["a", "b", "c", "registry"]


@pytest.mark.parametrize("spec", [{"imagePullSecrets": None}, {"containers": None}, {}, None])
def test_what_refers_to_no_secret_needs_none(spec: Any):
    assert needed_secrets.secrets_of([{"kind": "Deployment", "spec": spec}]) == []


def test_secrets_that_are_made_need_not_be_there():
    secret = {"kind": "Secret", "metadata": {"name": "vault"}}

    assert (
        needed_secrets.secrets_of([secret, {"kind": "Deployment", "spec": {"containers": [read_from("vault")]}}]) == []
    )


@pytest.mark.parametrize(("filling", "count"), [("", 1), ("x" * 400_000, 6)], ids=["whole", "in pieces"])
def test_manifests_are_found_in_the_config_maps_that_carry_them(identity: Identity, filling: str, count: int):
    deployment = json.dumps({"kind": "Deployment", "before": filling, "spec": read_from("vault"), "after": filling})
    service = json.dumps({"kind": "Service"})
    files = {"deployments.a.yaml": deployment.encode(), "deployments.b.yaml": service.encode()}
    maps = [config_map(name, data, identity) for name, data in configuration.maps("w-12345678-bundle", files)]

    assert needed_secrets.deployed_with_secrets(maps[::-1]) == [deployment]
    assert len(maps) == count


def test_binary_data_carries_manifests_too(identity: Identity):
    made = config_map("w-bundle-1", {"a.yaml.000": b"secretKeyRef: \xc3", "a.yaml.001": b"\xa4"}, identity)

    assert set(made) >= {"binaryData"}
    assert needed_secrets.deployed_with_secrets([made]) == ["secretKeyRef: \u00e4"]


@pytest.mark.parametrize("name", ["w-12345678-pipeline-1", "w-12345678-variables", "bundle-1-variables"])
def test_what_other_config_maps_hold_is_no_manifest(name: str):
    held = {"kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "secretKeyRef: {name: vault}"}}

    assert needed_secrets.deployed_with_secrets([held]) == []


@pytest.fixture
def identity() -> Identity:
    return Identity(instance="w", part_of="w", solution_id=None, revision_id=None)
