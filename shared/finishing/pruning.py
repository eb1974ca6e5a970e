"""Which objects go: those of an older revision, and what keeps a namespace from being deleted. Pure.

Data is never deleted by surprise: claims and Secrets are not pruned, and without ids nothing is.
"""

from __future__ import annotations

from typing import List

from shared.finishing.objects import (
    INSTANCE_LABEL,
    MANAGED_BY_LABEL,
    MANAGER,
    SOLUTION_LABEL,
    Manifest,
    instance_of,
    is_ending,
    key_of,
    label_of,
    name_of,
    title_of,
)

# What `kubectl get` and `kubectl delete` call the kinds that a bundle may contain, claims and Secrets left out.
PRUNED_KINDS = ("Deployment", "Job", "Service", "Ingress", "NetworkPolicy", "ConfigMap", "ServiceAccount")
PRUNED_RESOURCES = "deployments,jobs,services,ingresses,networkpolicies,configmaps,serviceaccounts"
# What is looked at to see whose it is, and what has become of it: the same, and claims.
FOLLOWED_KINDS = (*PRUNED_KINDS, "PersistentVolumeClaim")
FOLLOWED_RESOURCES = PRUNED_RESOURCES + ",persistentvolumeclaims"

# In every namespace, or made from what is in it; none of it is anybody's work.
NOBODYS_KINDS = ("Event", "Endpoints", "EndpointSlice", "Lease", "PodMetrics", "ControllerRevision")
NOBODYS_NAMES = (
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
)


def to_prune(existing: List[Manifest], wanted: List[Manifest]) -> List[Manifest]:
    """Return the objects of the same solution that its new revision no longer has.

    `existing` is what was there before the run: what somebody else adds meanwhile is not ours to judge.
    """
    solutions = {label_of(manifest, SOLUTION_LABEL) for manifest in wanted} - {""}
    if len(solutions) != 1:
        return []
    (solution,), instance = solutions, instance_of(wanted)
    kept = {key_of(manifest) for manifest in wanted}
    return [
        found
        for found in existing
        if found.get("kind") in PRUNED_KINDS
        and key_of(found) not in kept
        and label_of(found, INSTANCE_LABEL) == instance
        and label_of(found, MANAGED_BY_LABEL) == MANAGER
        and label_of(found, SOLUTION_LABEL) == solution
        and not found["metadata"].get("ownerReferences")
        and not is_ending(found)
    ]


def followed(manifests: List[Manifest]) -> List[Manifest]:
    """Return the objects that are found again by their instance: not what somebody has added to the bundle by hand."""
    return [m for m in manifests if m.get("kind") in FOLLOWED_KINDS and label_of(m, INSTANCE_LABEL)]


def is_our_namespace(namespace: Manifest) -> bool:
    """Answer whether this script made the namespace: only such a one may be deleted."""
    return label_of(namespace, MANAGED_BY_LABEL) == MANAGER


def remaining(everything: List[Manifest], instance: str) -> List[str]:
    """Return what in the namespace is worth keeping it for: claims, and whatever belongs to others."""
    return [title_of(found) for found in everything if _is_worth_keeping(found, instance)]


def _is_worth_keeping(found: Manifest, instance: str) -> bool:
    if found.get("kind") in NOBODYS_KINDS or key_of(found) in NOBODYS_NAMES:
        return False
    if found.get("type") == "kubernetes.io/service-account-token" and name_of(found).startswith("default-token-"):
        return False
    # What has an owner goes with it, and the owner is looked at by itself.
    if is_ending(found) or found["metadata"].get("ownerReferences"):
        return False
    return found.get("kind") == "PersistentVolumeClaim" or label_of(found, INSTANCE_LABEL) != instance
