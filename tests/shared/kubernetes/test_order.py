"""The order of application, in `kustomization.yaml` too."""

from __future__ import annotations

import yaml
from support.solutions import assets, folders, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.kubernetes.order import in_order


def test_what_others_refer_to_comes_first() -> None:
    kinds = ["NetworkPolicy", "Ingress", "Service", "Job", "Deployment", "ConfigMap", "PersistentVolumeClaim"]
    manifests = {kind: {"kind": kind} for kind in [*kinds, "Secret", "Namespace", "Unknown", "ServiceAccount"]}

    assert in_order(manifests) == [
        *("Namespace", "ServiceAccount", "Secret", "PersistentVolumeClaim", "ConfigMap"),
        *("Job", "Deployment", "Ingress", "Service", "NetworkPolicy", "Unknown"),
    ]


def test_the_kustomization_lists_every_object_once_in_that_order() -> None:
    solution = pipeline("a", "b", shared_folders=folders("/data"))

    bundle = generate(solution, DEPLOYER.parse_options({"profile": "restricted"}), assets())

    listed = yaml.safe_load(bundle.files["kustomization.yaml"])["resources"]
    assert sorted(listed) == sorted(objects(bundle))
    assert listed == in_order({path: objects(bundle)[path] for path in listed})


def test_the_kustomization_leaves_the_namespace_to_whoever_applies_it() -> None:
    bundle = generate(pipeline("a"), DEPLOYER.parse_options({}), assets())

    assert sorted(yaml.safe_load(bundle.files["kustomization.yaml"])) == ["apiVersion", "kind", "resources"]
