"""The order in which objects are applied, as pure functions on parsed manifests."""

from __future__ import annotations

from typing import List, Tuple

from shared.finishing.objects import Manifest

# What others refer to comes first. A claim before the pod that mounts it, a policy last: it selects what then exists.
STAGES: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("namespace", ("Namespace", "ServiceAccount")),
    ("secrets", ("Secret",)),
    ("claims", ("PersistentVolumeClaim",)),
    ("config", ("ConfigMap",)),
    ("workloads", ("Deployment", "Job")),
    ("services", ("Service", "Ingress")),
    ("policies", ("NetworkPolicy",)),
)


def stage_of(manifest: Manifest) -> str:
    """Return the name of the stage that applies `manifest`; a kind we do not know goes last, as `other`."""
    kind = manifest.get("kind", "")
    return next((name for name, kinds in STAGES if kind in kinds), "other")


def in_stages(manifests: List[Manifest]) -> List[Tuple[str, List[Manifest]]]:
    """Return the stages that have something to apply, in order, each with its manifests in the order given."""
    names = [name for name, _ in STAGES] + ["other"]
    grouped = [(name, [m for m in manifests if stage_of(m) == name]) for name in names]
    return [(name, group) for name, group in grouped if group]
