"""Deletes a deployment: its namespace, unless somebody has put something of their own into it."""

from __future__ import annotations

from typing import Any

from playground.runtime.kubernetes import guard, words
from playground.runtime.kubernetes.cluster import Cluster
from playground.runtime.kubernetes.records import Kept
from shared.finishing import pruning
from shared.finishing.objects import key_of

_KINDS = (
    *("Deployment", "Job", "Service", "NetworkPolicy", "ConfigMap", "ServiceAccount", "PersistentVolumeClaim"),
    *("Secret", "Pod"),
)
_AROUND = ("ResourceQuota", "LimitRange")


def remove(cluster: Cluster, kept: Kept) -> None:
    """Delete the namespace with all in it; where not all of it is ours, only what is, and let the rest be."""
    found = {kind: cluster.all(kind, kept.id) for kind in _KINDS} if kept.record.has_objects else {}
    if not any(_is_foreign(each, kept) for group in found.values() for each in group):
        cluster.delete("Namespace", "", kept.id)
        return
    for kind, group in found.items():
        for each in group:
            if _is_ours(each, kept):
                cluster.delete(kind, kept.id, each["metadata"]["name"], uid=each["metadata"]["uid"])
    for kind in _AROUND:
        cluster.delete(kind, kept.id, guard.NAME)
    # Without our labels it is no deployment any more; whoever put the rest there decides about it.
    labels = dict.fromkeys((words.INSTALLATION, words.DEPLOYMENT))
    cluster.merge("Namespace", "", kept.id, {"metadata": {"labels": labels, "annotations": {words.RECORD: None}}})
    # Our rights there go last: without them nothing above could be done again.
    cluster.delete("RoleBinding", kept.id, guard.NAME)


def _is_ours(found: dict[str, Any], kept: Kept) -> bool:
    return bool((found["metadata"].get("labels") or {}).get(words.DEPLOYMENT) == kept.id)


def _is_foreign(found: dict[str, Any], kept: Kept) -> bool:
    is_made = bool(found["metadata"].get("ownerReferences")) or key_of(found) in pruning.NOBODYS_NAMES
    return not is_made and not _is_ours(found, kept)
