"""Graphene's own zips are read, and what is normalised in them is said."""

from __future__ import annotations

import json

import pytest

from shared import blueprint
from shared.solution_folder import from_files

BLUEPRINT = {
    "name": "old",
    "version": "1",
    "nodes": [
        {
            "container_name": "a",
            "node_type": "MLModel",
            "image": "registry.example.org/a:1",
            "proto_uri": "",
            "operation_signature_list": [],
        }
    ],
}
SERVICE = b"""---
apiVersion: "v1"
kind: "Service"
metadata: {name: "a"}
spec: {type: "NodePort", selector: {app: "a"}, ports: [{name: "protobuf-api", port: 30123, nodePort: 30123}]}
"""
ORCHESTRATOR = b"""---
apiVersion: "apps/v1"
kind: "Deployment"
metadata: {name: "orchestrator"}
spec:
  selector: {matchLabels: {app: "orchestrator"}}
  template:
    spec:
      imagePullSecrets: [{name: "acumos-registry"}]
      containers: [{name: "orchestrator", image: "registry.example.org/o:1"}]
      volumes: [{name: "logs", hostPath: {path: "/var/acumos/log"}}]
"""


def codes(files: dict[str, bytes]) -> list[str]:
    found = blueprint.parse(from_files(files)).findings
    return sorted(finding.code for finding in found if finding.code.startswith("legacy"))


def files(**manifests: bytes) -> dict[str, bytes]:
    named = {f"deployments/{name}.yaml": data for name, data in manifests.items()}
    return {"blueprint.json": json.dumps(BLUEPRINT).encode(), **named}


def test_each_legacy_of_a_mutated_zip_is_a_finding():
    found = codes(files(a_service=SERVICE, orchestrator_deployment=ORCHESTRATOR))

    assert found == ["legacy-host-path", "legacy-node-port", "legacy-pull-secret"]


def test_manifests_that_cannot_be_read_do_not_stop_a_pipeline_that_is_built_from_its_blueprint():
    assert codes(files(a_service=b"{unclosed")) == ["legacy-unread"]


@pytest.mark.parametrize("data", [b"", b"- 1\n", b"text", b"kind: Service\nspec: 1\n", b"a: &b 1\nc: *b\n"])
def test_odd_manifests_never_raise(data: bytes):
    assert set(codes(files(a_service=data))) <= {"legacy-unread"}


def test_a_bundle_of_ours_is_not_looked_through():
    ours = {"bundle.json": b'{"formatVersion": 1}', **files(a_service=SERVICE)}

    assert codes(ours) == []
