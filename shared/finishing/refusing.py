"""Why the cluster does not let an object or a pod be made: quota, limits, pod security, rights. Pure."""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

from shared.finishing.causes import Cause, messages_about
from shared.finishing.objects import Manifest, name_of


def refusal_cause(workload: Manifest, replica_sets: List[Manifest], events: List[Manifest]) -> Optional[Cause]:
    """Return why no pod is made for a workload, or None when nothing was refused."""
    told = _told_about(workload, replica_sets, events)
    if not told:
        return None
    what, hint = explained_refusal(told)
    return Cause(name_of(workload), what, hint)


def explained_refusal(told: str) -> Tuple[str, str]:
    """Return (what, hint) for the API server's own words; the words themselves when they are not known."""
    quota = re.search(r"exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: ([^;\n]+)", told)
    if quota:
        name, requested, used, limited = quota.groups()
        what = (
            f"quota {name} of the namespace is used up: asked for {requested}, used {used}, allowed {limited.strip()}"
        )
        return what, "free something, ask for less (option resources, replicas), or have the quota raised"
    unset = re.search(r"failed quota: ([^:]+): must specify (.+)", told)
    if unset:
        fields = ", ".join(sorted(set(re.findall(r"([a-z-]+\.[a-z.-]+) for:", unset.group(2)))))
        what = f"quota {unset.group(1)} of the namespace demands that every pod says its {fields or unset.group(2)}"
        return what, "build the bundle with option resources, which sets them"
    if "violates PodSecurity" in told:
        security = told[told.index("violates PodSecurity") :]
        return f"the namespace forbids its pod: it {security}", "build the bundle with option profile=restricted"
    limit = re.search(r"((?:maximum|minimum) \S+ usage per .+|must be less than or equal to \S+ limit.*)", told)
    if limit:
        what = f"a limit range of the namespace forbids its pod: {limit.group(1)}"
        return what, "build the bundle with other resources"
    return f"the cluster refuses its pod: {told}", ""


def _told_about(workload: Manifest, replica_sets: List[Manifest], events: List[Manifest]) -> str:
    for condition in workload.get("status", {}).get("conditions", []):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return str(condition.get("message", ""))
    makers = [workload] if workload.get("kind") == "Job" else _owned(workload, replica_sets)
    told = [message for maker in makers for message in messages_about(maker, events, "FailedCreate")]
    return told[0] if told else ""


def _owned(workload: Manifest, replica_sets: List[Manifest]) -> List[Manifest]:
    """Return the ReplicaSets of a Deployment that are to have pods."""
    uid = workload["metadata"].get("uid")
    return [
        replica_set
        for replica_set in replica_sets
        if uid
        and uid in [owner.get("uid") for owner in _owners(replica_set)]
        and replica_set.get("spec", {}).get("replicas", 0) > 0
    ]


def _owners(manifest: Manifest) -> List[Dict[str, str]]:
    owners: List[Dict[str, str]] = manifest["metadata"].get("ownerReferences", [])
    return owners
