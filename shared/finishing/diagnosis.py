"""Why what was applied is not ready: every cause at once, from one look at the namespace. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Optional, Tuple

from shared.finishing.causes import Cause
from shared.finishing.objects import Manifest, is_ending, key_of, name_of, of_kinds
from shared.finishing.placing import claim_cause, placing_cause
from shared.finishing.pulling import pull_cause
from shared.finishing.readiness import FAILED, READY, is_pod_ready, phase_of, pods_by_workload, state_of
from shared.finishing.refusing import refusal_cause
from shared.finishing.starting import pod_cause, start_cause


@dataclass(frozen=True)
class Snapshot:
    """The objects of an instance at one moment."""

    objects: Tuple[Manifest, ...]

    def of(self, *kinds: str) -> List[Manifest]:
        """Return the objects of some kinds."""
        return of_kinds(self.objects, *kinds)

    def with_pods(self, pods: List[Manifest]) -> Snapshot:
        """Return the same with newer pods."""
        return replace(self, objects=(*(m for m in self.objects if m.get("kind") != "Pod"), *pods))

    def find(self, wanted: List[Manifest]) -> List[Manifest]:
        """Return what is there of the wanted objects, in their order; what is missing stands as it was wanted."""
        there = {key_of(manifest): manifest for manifest in self.objects}
        return [there.get(key_of(manifest), manifest) for manifest in wanted]


def causes_of(workloads: List[Manifest], snapshot: Snapshot, events: List[Manifest]) -> List[Cause]:
    """Return why workloads are not ready and claims are pending; nothing when all is well."""
    claims = [claim_cause(claim, events) for claim in snapshot.of("PersistentVolumeClaim")]
    waiting = [workload for workload in workloads if state_of(workload)[0] != READY]
    pods = pods_by_workload(waiting, snapshot.of("Pod"))
    nodes = [_workload_cause(workload, own, snapshot, events) for workload, own in zip(waiting, pods)]
    return [cause for cause in [*claims, *nodes] if cause]


def _workload_cause(workload: Manifest, own: List[Manifest], snapshot: Snapshot, events: List[Manifest]) -> Cause:
    pods = [pod for pod in own if not is_ending(pod)]
    # The newest first: it is the one that was asked for last.
    pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
    found = [cause for pod in pods if (cause := _pod_cause(name_of(workload), pod, events))]
    if found:
        return found[0]
    refused = refusal_cause(workload, snapshot.of("ReplicaSet"), events)
    if refused:
        return refused
    state, seen = state_of(workload)
    if state == FAILED:
        return Cause(name_of(workload), seen)
    if not pods:
        return Cause(name_of(workload), "the cluster has made no pod for it yet")
    if is_pod_ready(pods[0]):
        return Cause(name_of(workload), "its pod is ready, but the cluster has not counted it yet")
    return Cause(name_of(workload), f"it is starting ({phase_of(pods[0])})")


def _pod_cause(node: str, pod: Manifest, events: List[Manifest]) -> Optional[Cause]:
    if is_pod_ready(pod):
        return None
    status = pod.get("status", {})
    found = [placing_cause(node, pod), pod_cause(node, pod)]
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        found += [pull_cause(node, pod, container, events), start_cause(node, pod, container, events)]
    return next((cause for cause in found if cause), None)
