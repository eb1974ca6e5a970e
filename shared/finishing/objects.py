"""What is read off API objects as `kubectl -o json` prints them: names, labels, whose they are. Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Tuple

Manifest = Dict[str, Any]
Key = Tuple[str, str]

INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
SOLUTION_LABEL = "slipway.dev/solution-id"
REVISION_LABEL = "slipway.dev/revision-id"
MANAGER = "slipway"
WORKLOAD_KINDS = ("Deployment", "Job")


def name_of(manifest: Manifest) -> str:
    """Return the name of an object."""
    return str(manifest.get("metadata", {}).get("name", ""))


def key_of(manifest: Manifest) -> Key:
    """Return (kind, name): what tells objects of one namespace apart."""
    return str(manifest.get("kind", "")), name_of(manifest)


def title_of(manifest: Manifest) -> str:
    """Return `Kind/name`, as people read it."""
    return "/".join(key_of(manifest))


def label_of(manifest: Manifest, label: str) -> str:
    """Return the value of a label, empty when it is missing."""
    return str((manifest.get("metadata", {}).get("labels") or {}).get(label, ""))


def is_ending(manifest: Manifest) -> bool:
    """Answer whether somebody has asked to delete the object already."""
    return "deletionTimestamp" in manifest.get("metadata", {})


def of_kinds(manifests: Iterable[Manifest], *kinds: str) -> List[Manifest]:
    """Return the objects of some kinds, in the order given."""
    return [manifest for manifest in manifests if manifest.get("kind") in kinds]


def pod_spec_of(workload: Manifest) -> Dict[str, Any]:
    """Return the spec of the pods that a Deployment or a Job makes."""
    spec: Dict[str, Any] = workload.get("spec", {}).get("template", {}).get("spec", {})
    return spec


def instance_of(manifests: Iterable[Manifest]) -> str:
    """Return the one instance that the objects of a bundle belong to.

    Raises:
        ValueError: they carry no instance, or several.
    """
    found = sorted({label_of(manifest, INSTANCE_LABEL) for manifest in manifests} - {""})
    if len(found) != 1:
        raise ValueError(
            f"expected manifests with one {INSTANCE_LABEL}, found {', '.join(found) or 'none'}: is this one bundle?"
        )
    return found[0]


def selector_of(instance: str) -> str:
    """Return the label selector of everything that belongs to an instance."""
    return f"{INSTANCE_LABEL}={instance},{MANAGED_BY_LABEL}={MANAGER}"
