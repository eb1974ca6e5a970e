"""Whether applied workloads are ready, judged from their status as the API server reports it. Pure."""

from __future__ import annotations

from typing import List, Optional, Tuple

from shared.finishing.stages import Manifest

READY = "ready"
WAITING = "waiting"
FAILED = "failed"

# Container states that do not pass by waiting a little; kubelet's own words.
FATAL_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
)


def state_of(workload: Manifest) -> Tuple[str, str]:
    """Return (`ready` | `waiting` | `failed`, what is seen) for a Deployment or a Job."""
    if workload.get("kind") == "Job":
        return _job_state(workload)
    wanted = workload["spec"].get("replicas", 1)
    status = workload.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return FAILED, condition.get("message", "no progress within the deadline")
    current = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    seen = "{} of {} ready".format(ready, wanted)
    done = current and updated >= wanted and ready >= wanted and status.get("replicas", 0) <= wanted
    return (READY if done else WAITING), seen


def trouble_of(pod: Manifest) -> Optional[str]:
    """Return in words why a pod does not come up, or None while nothing is wrong with it."""
    status = pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return "cannot be scheduled: {}".format(condition.get("message", condition.get("reason", "")))
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in FATAL_REASONS:
            detail = waiting.get("message", "")
            return "{} ({}): {}".format(waiting["reason"], container.get("image", ""), detail)
    return None


def troubles(pods: List[Manifest]) -> List[str]:
    """Return one line per pod that does not come up."""
    found = [(pod["metadata"]["name"], trouble_of(pod)) for pod in pods]
    return ["{}: {}".format(name, trouble) for name, trouble in found if trouble]


def _job_state(job: Manifest) -> Tuple[str, str]:
    for condition in job.get("status", {}).get("conditions", []):
        if condition.get("status") == "True" and condition.get("type") == "Complete":
            return READY, "completed"
        if condition.get("status") == "True" and condition.get("type") == "Failed":
            return FAILED, condition.get("message", "the job failed")
    return WAITING, "running"
