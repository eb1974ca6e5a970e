"""Why a pod finds no machine, and why a claim finds no volume. Pure."""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

from shared.finishing.causes import Cause, messages_about
from shared.finishing.objects import Manifest, name_of

CLASS_HINT = (
    "`kubectl get storageclass` lists the classes; build the bundle with option sharedFolder.storageClass=NAME of one "
    "that offers ReadWriteMany (NFS, CephFS, a cloud's file service). A claim keeps its class: remove the pending one, "
    "on which there is no data, with --delete --delete-data first"
)
# How provisioners say that a volume cannot be shared between machines.
NOT_SHARED = (
    "accessmode",
    "access mode",
    "readwritemany",
    "multi_node",
    "rwx",
    "volumecapabilities",
    "volume capabilities",
)


def placing_cause(node: str, pod: Manifest) -> Optional[Cause]:
    """Return why the scheduler finds no machine for a pod, or None when it has one."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _unplaced(node, pod, str(condition.get("message") or condition.get("reason", "")))
    return None


def claim_cause(claim: Manifest, events: List[Manifest]) -> Optional[Cause]:
    """Return why a claim has no volume yet, or None when it has one or nothing is wrong."""
    name = f"claim {name_of(claim)}"
    phase = claim.get("status", {}).get("phase")
    if phase == "Lost":
        return Cause(name, "its volume is gone", "restore the volume, or remove the claim by hand")
    if phase != "Pending":
        return None
    wanted = claim.get("spec", {}).get("storageClassName")
    failed = messages_about(claim, events, "ProvisioningFailed", "FailedBinding")
    if failed:
        return Cause(name, _unprovisioned(failed[0], wanted), CLASS_HINT)
    if messages_about(claim, events, "WaitForFirstConsumer", "WaitForPodScheduled"):
        return None
    if messages_about(claim, events, "ExternalProvisioning", "Provisioning"):
        what = f"the provisioner of storage class {wanted} has not made its volume yet"
        return Cause(name, what, "look at the provisioner's own pods, or choose another class. " + CLASS_HINT)
    return Cause(name, "it is pending, and the cluster does not say why", CLASS_HINT)


def _unprovisioned(told: str, wanted: Optional[str]) -> str:
    if "no storage class is set" in told:
        return "it names no storage class, and the cluster has no default one"
    if "not found" in told and "storageclass" in told.lower():
        return f"the cluster has no storage class {wanted}"
    if any(word in told.lower() for word in NOT_SHARED):
        return f"storage class {wanted} does not offer ReadWriteMany, which a shared folder needs ({told})"
    return f"storage class {wanted or '(none)'} made no volume: {told}"


def _unplaced(node: str, pod: Manifest, told: str) -> Cause:
    """Explain the scheduler's `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {…}. …`."""
    # What preemption would change is no cause of its own.
    reasons = told.partition("preemption:")[0]
    short = re.findall(r"(?:Insufficient|Too many) ([a-z0-9./-]*[a-z0-9])", reasons)
    if short:
        return _short_of(node, pod, sorted(set(short)), told)
    if "persistentvolumeclaim" in reasons.lower():
        claims = _claims_of(pod)
        what = f"it waits for the volume of {', '.join(claims) or 'its claim'}"
        return Cause(node, what, f"see there; the scheduler says: {told}")
    if "node affinity/selector" in reasons:
        selector: Dict[str, str] = pod.get("spec", {}).get("nodeSelector", {})
        labels = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
        what = f"no machine of the cluster has the labels that it asks for ({labels or 'node affinity'})"
        return Cause(node, what, "label a machine so, or build the bundle with another nodeSelector")
    if "untolerated taint" in reasons:
        taints = ", ".join(sorted(set(re.findall(r"untolerated taint\(?s?\)? \{([^}]*)\}", reasons))))
        what = "every machine keeps pods off by a taint" + (f" ({taints})" if taints else "")
        return Cause(node, what, "build the bundle with tolerations for it")
    return Cause(node, f"no machine of the cluster can take it: {told}")


def _short_of(node: str, pod: Manifest, resources: List[str], told: str) -> Cause:
    asked = _requested(pod)
    wants = ", ".join(
        f"{resource} ({asked[resource]} asked for)" if resource in asked else resource for resource in resources
    )
    what = f"no machine of the cluster has enough free {wants}"
    hint = "ask for less (option resources, or gpu), or add a machine; the scheduler says: " + told
    return Cause(node, what, hint)


def _requested(pod: Manifest) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for container in pod.get("spec", {}).get("containers", []):
        resources = container.get("resources", {})
        for resource, amount in {**resources.get("limits", {}), **resources.get("requests", {})}.items():
            found[resource] = f"{found[resource]} + {amount}" if resource in found else str(amount)
    return found


def _claims_of(pod: Manifest) -> Tuple[str, ...]:
    volumes = pod.get("spec", {}).get("volumes", [])
    names = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes]
    return tuple(f"claim {name}" for name in names if name)
