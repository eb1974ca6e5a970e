"""Whether applied workloads are ready, judged from objects as the API server reports them. Pure.

A workload's own status is the truth. Pods tell sooner, but not whether they are the ones that were asked for: an old
pod may be ready while the new one cannot start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Tuple

from shared.finishing.objects import Manifest, is_ending, label_of, name_of, pod_spec_of

READY = "ready"
WAITING = "waiting"
FAILED = "failed"

APP_LABEL = "app"
# Since 1.27 the label has a prefix; the old one is still written beside it.
JOB_LABELS = ("batch.kubernetes.io/job-name", "job-name")


@dataclass(frozen=True)
class NodeState:
    """One node of the bundle as people watch it come up."""

    name: str
    image: str
    phase: str
    ready: int
    wanted: int
    restarts: int
    since: str
    """When its oldest pod was made (RFC 3339), empty without a pod."""
    state: str
    """`ready`, `waiting` or `failed`."""
    seen: str
    """Why, in a few words."""


def state_of(workload: Manifest) -> Tuple[str, str]:
    """Return (`ready` | `waiting` | `failed`, what is seen) for a Deployment or a Job."""
    if workload.get("kind") == "Job":
        return _job_state(workload)
    wanted = replicas_of(workload)
    status = workload.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return FAILED, condition.get("message", "no progress within the deadline")
    current = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    seen = f"{ready} of {wanted} ready"
    done = current and updated >= wanted and ready >= wanted and status.get("replicas", 0) <= wanted
    return (READY if done else WAITING), seen


def node_states(workloads: List[Manifest], pods: List[Manifest]) -> List[NodeState]:
    """Return one state per workload, in the order given."""
    return [_node_state(workload, own) for workload, own in zip(workloads, pods_by_workload(workloads, pods))]


def pods_by_workload(workloads: List[Manifest], pods: List[Manifest]) -> List[List[Manifest]]:
    """Return for each workload the pods that a Deployment selects or a Job has made.

    Pods are sorted by their app first: a pipeline of 100 nodes is looked at every second.
    """
    by_app: Dict[str, List[Manifest]] = {}
    for pod in pods:
        by_app.setdefault(label_of(pod, APP_LABEL), []).append(pod)
    found = []
    for workload in workloads:
        app = label_of(workload.get("spec", {}).get("template", {}), APP_LABEL)
        found.append([pod for pod in by_app.get(app, []) if _is_of(pod, workload)])
    return found


def look_ready(workloads: List[Manifest], pods: List[Manifest]) -> bool:
    """Answer whether all pods seem to be what was asked for, so that the truth is worth asking for."""
    return all(_looks_ready(workload, own) for workload, own in zip(workloads, pods_by_workload(workloads, pods)))


def _is_of(pod: Manifest, workload: Manifest) -> bool:
    jobs = [label_of(pod, label) for label in JOB_LABELS]
    if workload.get("kind") == "Job":
        return name_of(workload) in jobs
    selected: Dict[str, str] = workload.get("spec", {}).get("selector", {}).get("matchLabels", {})
    return not any(jobs) and all(label_of(pod, label) == value for label, value in selected.items())


def _looks_ready(workload: Manifest, own: List[Manifest]) -> bool:
    if state_of(workload)[0] != WAITING:
        return True
    if workload.get("kind") == "Job":
        return any(pod.get("status", {}).get("phase") in ("Succeeded", "Failed") for pod in own)
    return len([pod for pod in own if is_pod_ready(pod)]) >= replicas_of(workload)


def is_pod_ready(pod: Manifest) -> bool:
    """Answer whether a pod serves."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not is_ending(pod) and any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def phase_of(pod: Manifest) -> str:
    """Return the most telling word about a pod: the kubelet's reason where it has one, else the phase."""
    if is_ending(pod):
        return "Terminating"
    status = pod.get("status", {})
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        state = container.get("state", {})
        if state.get("waiting", {}).get("reason"):
            return str(state["waiting"]["reason"])
        if state.get("terminated", {}).get("exitCode"):
            return str(state["terminated"].get("reason", "Error"))
    return str(status.get("reason") or status.get("phase", "Pending"))


def replicas_of(workload: Manifest) -> int:
    """Return how many pods a Deployment asks for."""
    replicas = workload.get("spec", {}).get("replicas", 1)
    return int(replicas)


def images_of(workload: Manifest) -> List[str]:
    """Return the images of the containers, in order."""
    return [str(container.get("image", "")) for container in pod_spec_of(workload).get("containers", [])]


def _node_state(workload: Manifest, pods: List[Manifest]) -> NodeState:
    state, seen = state_of(workload)
    is_job = workload.get("kind") == "Job"
    wanted = 1 if is_job else replicas_of(workload)
    live = [pod for pod in pods if not is_ending(pod)] or pods
    # What is not ready yet is what people look for.
    telling = sorted(live, key=lambda pod: (is_pod_ready(pod), name_of(pod)))
    ready = len([pod for pod in live if is_pod_ready(pod)])
    if state == READY:
        ready = wanted
    return NodeState(
        name=name_of(workload),
        image=(images_of(workload) or [""])[0],
        phase=_node_phase(state, wanted=wanted, is_job=is_job, telling=telling),
        ready=min(ready, wanted),
        wanted=wanted,
        restarts=sum(_restarts(pod) for pod in live),
        since=min((str(pod["metadata"].get("creationTimestamp", "")) for pod in live), default=""),
        state=state,
        seen=seen,
    )


def _node_phase(state: str, *, wanted: int, is_job: bool, telling: List[Manifest]) -> str:
    if is_job and state != WAITING:
        return "Completed" if state == READY else "Failed"
    if telling:
        return phase_of(telling[0])
    return "switched off" if wanted == 0 else "no pod yet"


def _restarts(pod: Manifest) -> int:
    return sum(
        int(container.get("restartCount", 0)) for container in pod.get("status", {}).get("containerStatuses", [])
    )


def _job_state(job: Manifest) -> Tuple[str, str]:
    for condition in job.get("status", {}).get("conditions", []):
        if condition.get("status") == "True" and condition.get("type") == "Complete":
            return READY, "completed"
        if condition.get("status") == "True" and condition.get("type") == "Failed":
            return FAILED, condition.get("message", "the job failed")
    return WAITING, "running"
