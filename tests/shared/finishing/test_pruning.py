"""What goes with an older revision, and what keeps a namespace: data is never deleted by surprise."""

from __future__ import annotations

from typing import Any

import pytest
from support.finishing_desk import CLAIM, CONFIG, POLICY, made, service, workload

from shared.finishing.pruning import is_our_namespace, remaining, to_prune

WANTED = [workload(), service(), CLAIM]


def test_objects_of_the_same_solution_that_are_no_longer_wanted_go():
    old = [workload(name="old"), workload("Job", "old-job"), service("old"), CONFIG, POLICY, made("Ingress", "old")]

    assert to_prune([*WANTED, *old], WANTED) == old


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "Secret", "Namespace", "StatefulSet"])
def test_claims_secrets_and_kinds_that_no_bundle_has_never_go(kind: str):
    assert to_prune([made(kind, "old")], WANTED) == []


@pytest.mark.parametrize(
    "labels",
    [
        {"app.kubernetes.io/instance": "other-2"},
        {"app.kubernetes.io/managed-by": "Helm"},
        {"slipway.dev/solution-id": "solution-2"},
    ],
)
def test_objects_of_others_stay(labels: dict[str, str]):
    assert to_prune([made("ConfigMap", "theirs", **labels)], WANTED) == []


def test_an_object_of_ours_without_an_id_stays():
    bare = made("ConfigMap", "old")
    del bare["metadata"]["labels"]["slipway.dev/solution-id"]

    assert to_prune([bare], WANTED) == []


def test_without_ids_nothing_goes():
    wanted = [without_id(manifest) for manifest in WANTED]

    assert to_prune([without_id(workload(name="old"))], wanted) == []


def test_what_goes_already_or_belongs_to_another_object_is_left_alone():
    ending, owned = made("ConfigMap", "ending"), made("ConfigMap", "owned")
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    owned["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "a"}]

    assert to_prune([ending, owned], WANTED) == []


def test_a_namespace_that_only_has_what_every_namespace_has_is_empty():
    everywhere = [
        named("ServiceAccount", "default"),
        named("ConfigMap", "kube-root-ca.crt"),
        named("Event", "a.1"),
        named("EndpointSlice", "orchestrator-x1"),
        named("Pod", "a-1", ownerReferences=[{"kind": "ReplicaSet", "name": "a"}]),
        named("Pod", "a-2", deletionTimestamp="2026-01-01T00:00:00Z"),
        {**named("Secret", "default-token-x1"), "type": "kubernetes.io/service-account-token"},
        workload(),
    ]

    assert remaining(everywhere, "demo-1") == []


def test_claims_and_whatever_others_have_keep_a_namespace():
    there = [CLAIM, named("Widget", "theirs"), named("ServiceAccount", "builder"), named("Secret", "password")]

    assert remaining([*there, service("x", **{"app.kubernetes.io/instance": "other-2"})], "demo-1") == [
        "PersistentVolumeClaim/shared-folder",
        "Widget/theirs",
        "ServiceAccount/builder",
        "Secret/password",
        "Service/x",
    ]


def test_only_a_namespace_that_the_script_made_is_ours():
    assert is_our_namespace(named("Namespace", "demo", labels={"app.kubernetes.io/managed-by": "slipway"}))
    assert not is_our_namespace(named("Namespace", "demo", labels={"app.kubernetes.io/managed-by": "Helm"}))
    assert not is_our_namespace(named("Namespace", "demo"))


def named(kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    """Return an object with little but a name."""
    return {"kind": kind, "metadata": {"name": name, **metadata}}


def without_id(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return an object of a bundle that was built without ids."""
    labels = {key: value for key, value in manifest["metadata"]["labels"].items() if not key.startswith("slipway.dev/")}
    return {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}
