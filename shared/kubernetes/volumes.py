"""Shared folders: their claims, how a pod mounts them, and the container that makes a folder writable for its nodes."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from shared.kubernetes import labels
from shared.kubernetes.grammar import text
from shared.kubernetes.labels import Identity
from shared.kubernetes.options import SharedFolders
from shared.solution import SharedFolder

# Every node belongs to this group, whatever user it runs as, so that all of them can share files.
SHARED_GROUP = 10001

# What two popular GitOps tools must not do to data; `kubectl apply -k` alone never removes anything.
_KEPT = {
    "argocd.argoproj.io/sync-options": "Delete=false,Prune=false",
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
}

# Only the folder itself changes, not what lies in it: that belongs to whoever wrote it. The group bit hands the group
# on to what is made inside. A volume that refuses (NFS with root squash) is left to its administrator: the node's own
# error tells more than ours could.
PREPARE_SCRIPT = """\
import os, sys
group = int(sys.argv[1])
for folder in sys.argv[2:]:
    found = os.stat(folder)
    if found.st_mode & 0o007 == 0o007 or (found.st_gid == group and found.st_mode & 0o2070 == 0o2070):
        continue
    try:
        os.chown(folder, -1, group)
        os.chmod(folder, found.st_mode & 0o7777 | 0o2770)
        print(folder, "is writable for group", group, "now")
    except OSError as problem:
        print(folder, "stays as it is:", problem.strerror)
"""


def claim(folder: SharedFolder, identity: Identity, options: SharedFolders) -> dict[str, Any]:
    """Return the PersistentVolumeClaim of a shared folder."""
    metadata = {**identity.metadata(folder.claim, labels.SHARED_FOLDER), "annotations": _KEPT}
    spec: dict[str, Any] = {"accessModes": ["ReadWriteMany"]}
    if options.storage_class is not UNSET:
        spec["storageClassName"] = options.storage_class
    spec["resources"] = {"requests": {"storage": text(options.size)}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def mounts(folders: tuple[SharedFolder, ...]) -> list[dict[str, Any]]:
    """Return the volume mounts of a container that uses the shared folders."""
    return [{"name": folder.claim, "mountPath": folder.mount_path} for folder in folders]


def variables(folders: tuple[SharedFolder, ...]) -> dict[str, str]:
    """Return the environment that tells a container where the shared folders are."""
    # `$(NAME)` in a value would be expanded by the kubelet: the path is a text from the blueprint, and nothing else.
    return {folder.variable: folder.mount_path.replace("$(", "$$(") for folder in folders}


def volumes(folders: tuple[SharedFolder, ...]) -> list[dict[str, Any]]:
    """Return the volumes of a pod that uses the shared folders."""
    return [{"name": f.claim, "persistentVolumeClaim": {"claimName": f.claim}} for f in folders]


def preparation(folders: tuple[SharedFolder, ...], *, image: str, pull_policy: str) -> dict[str, Any]:
    """Return the init container that makes volumes writable for `SHARED_GROUP`; `image` must have `python3`.

    It mounts the volumes at paths of its own, so that no text of the blueprint becomes an argument. How much of a
    processor it may use, each pod says: see `pods`.
    """
    paths = [f"/shared/{folder.index}" for folder in folders]
    return {
        "name": "prepare-shared-folder",
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": ["python3", "-c", PREPARE_SCRIPT],
        "args": [str(SHARED_GROUP), *paths],
        "resources": {"requests": {"memory": "32Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]},
        },
        "volumeMounts": [
            {"name": folder.claim, "mountPath": path} for folder, path in zip(folders, paths, strict=True)
        ],
    }
