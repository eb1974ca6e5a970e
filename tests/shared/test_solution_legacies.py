"""Graphene's own zips are read, and what is normalised in them is said."""

from __future__ import annotations

import json

import pytest

from shared import blueprint, solution_manifests
from shared.findings import Severity
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


def deployment(name: str, *, container: str = "", pod: str = "", replicas: int = 1) -> bytes:
    return f"""---
apiVersion: "apps/v1"
kind: "Deployment"
metadata: {{name: "{name}"}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: "{name}"}}}}
  template:
    spec:
      {pod}
      containers:
      - name: "{name}"
        image: "registry.example.org/a:1"
        {container}
""".encode()


def left_out(name: str = "a", **changes: str | int) -> tuple[str, str]:
    """Return found and hint of the one warning."""
    found = solution_manifests.legacies(files(a_deployment=deployment(name, **changes)))  # type: ignore[arg-type]
    (finding,) = (finding for finding in found if finding.code == "legacy-left-out")
    assert finding.path == f"Deployment/{name}"
    return finding.found, finding.hint


def test_what_graphene_writes_itself_is_no_finding():
    manifest = deployment(
        "a", container='env: [{name: "SHARED_FOLDER_PATH", value: "/data"}]', pod='restartPolicy: "Always"'
    )

    assert codes(files(a_deployment=manifest)) == []


@pytest.mark.parametrize(
    ("changes", "found", "option"),
    [
        ({"container": 'env: [{name: "KEY", value: "hidden"}]'}, 'environment ["KEY"]', "nodes.a.environment"),
        ({"replicas": 3}, 'replicas "3"', "nodes.a.replicas"),
        (
            {"container": 'resources: {limits: {memory: "1Gi"}}'},
            'resources {"limits": {"memory": "1Gi"}}',
            "nodes.a.resources",
        ),
        ({"container": "imagePullPolicy: Never"}, 'imagePullPolicy "Never"', "nodes.a.imagePullPolicy"),
        ({"pod": 'nodeSelector: {pool: "x"}'}, 'nodeSelector {"pool": "x"}', "nodes.a.nodeSelector"),
        (
            {"pod": 'tolerations: [{operator: "Exists"}]'},
            'tolerations [{"operator": "Exists"}]',
            "nodes.a.tolerations",
        ),
        (
            {"pod": 'imagePullSecrets: [{name: "acumos-registry"}, {name: "mine"}]'},
            'imagePullSecrets ["mine"]',
            "nodes.a.imagePullSecrets",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_somebody_added_is_named_with_the_option_that_carries_it(
    changes: dict[str, str | int], found: str, option: str
):
    assert left_out(**changes) == (f"{found}: left out", f"to carry it over, set {option}")


def test_all_that_one_workload_loses_is_one_warning():
    found, hint = left_out(container='env: [{name: "A"}, {name: "B"}]', replicas=0)

    assert found == 'environment ["A", "B"], replicas "0": left out'
    assert hint == "to carry it over, set nodes.a.environment, nodes.a.replicas"


def test_another_image_than_the_blueprint_s_is_named():
    changed = deployment("a").replace(b"/a:1", b"/a:2")

    (finding,) = solution_manifests.legacies(files(a_deployment=changed))

    assert finding.found == 'image "registry.example.org/a:2": left out'
    assert finding.hint == "the image is the blueprint's: change it there"


def test_the_orchestrator_has_options_of_its_own_and_those_for_all():
    found, hint = left_out(
        "orchestrator", container='env: [{name: "KEY"}]', pod='nodeSelector: {pool: "x"}', replicas=2
    )

    assert found == 'environment ["KEY"], nodeSelector {"pool": "x"}: left out'
    assert hint == "to carry it over, set orchestrator.environment, nodeSelector"


def test_a_model_needs_no_name_before_its_options():
    model = {"modelname.txt": b"a", "deployments/deployment.yaml": deployment("a", container='env: [{name: "KEY"}]')}

    (finding,) = solution_manifests.legacies(model)

    assert finding.hint == "to carry it over, set environment"


def test_the_pull_policy_that_the_script_sets_is_one_note_for_all():
    always = deployment("a", container="imagePullPolicy: Always")

    found = solution_manifests.legacies(files(a_deployment=always, b_deployment=always))

    assert [(finding.severity, finding.code) for finding in found] == [(Severity.NOTE, "legacy-pull-policy")]


def test_a_workload_that_the_blueprint_does_not_know_has_no_option_to_name():
    assert codes(files(probe_deployment=deployment("probe", container='env: [{name: "PORT"}]'))) == []


def test_a_node_is_found_by_its_name_in_lower_case():
    upper = json.dumps(BLUEPRINT).replace('"a"', '"A"').encode()
    changed = deployment("a", replicas=2)

    (finding,) = solution_manifests.legacies({"blueprint.json": upper, "deployments/a_deployment.yaml": changed})

    assert finding.hint == "to carry it over, set nodes.A.replicas"
