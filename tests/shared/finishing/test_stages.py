"""The order of application."""

from __future__ import annotations

from shared.finishing.stages import in_stages


def test_what_others_refer_to_comes_first():
    kinds = ["NetworkPolicy", "Ingress", "Service", "Job", "Deployment", "ConfigMap", "PersistentVolumeClaim", "Secret"]
    manifests = [{"kind": kind} for kind in [*kinds, "ServiceAccount", "Namespace", "Widget"]]

    staged = [(name, [manifest["kind"] for manifest in group]) for name, group in in_stages(manifests)]

    assert staged == [
        ("namespace", ["ServiceAccount", "Namespace"]),
        ("secrets", ["Secret"]),
        ("claims", ["PersistentVolumeClaim"]),
        ("config", ["ConfigMap"]),
        ("workloads", ["Job", "Deployment"]),
        ("services", ["Ingress", "Service"]),
        ("policies", ["NetworkPolicy"]),
        ("other", ["Widget"]),
    ]


def test_a_stage_without_objects_is_left_out():
    assert in_stages([{"kind": "Service"}]) == [("services", [{"kind": "Service"}])]
