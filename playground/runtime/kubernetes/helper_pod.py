"""The pod through which the server reaches a shared folder: it mounts the claims, and ends by itself when nobody uses it.

It is of the Pod Security Standard `restricted` and a member of the group that all nodes share. Where the namespace allows
it, the container that every node has too makes a volume of root's writable for that group first.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from playground.runtime.deployment import DeploymentId
from playground.runtime.kubernetes import folder_program, words
from shared.kubernetes import volumes
from shared.solution import SharedFolder

CONTAINER = "folder"
ROOT = "/shared"
COMMAND = ("python3", "-I", "-c", "import os; os.utime('/tmp/used'); exec(os.environ['SLIPWAY_FOLDER_PROGRAM'])")
"""What is run in the container for each task, before its arguments."""
IDLE_SECONDS = 300
_WAIT_PROGRAM = """\
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
open('/tmp/used', 'w').close()
while time.time() - os.stat('/tmp/used').st_mtime < float(sys.argv[1]):
    time.sleep(1)
    if sum(name.isdigit() for name in os.listdir('/proc')) > 1:
        os.utime('/tmp/used')
"""
_USER = 10001
_RESOURCES = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}
_PULL_POLICY = "IfNotPresent"
_NAME_DIGITS = 8


def manifest(
    deployment: DeploymentId,
    claims: Sequence[str],
    *,
    installation: str,
    image: str,
    pull_secrets: Sequence[str] = (),
    prepares: bool,
    idle_seconds: float = IDLE_SECONDS,
) -> dict[str, Any]:
    """Return the pod. Another image, program or claim gives another name: what runs is what was asked for.

    Args:
        deployment: whose folder it is, and the name of the namespace.
        claims: one is the folder itself; several are folders in it.
        installation: see `words`.
        image: has `python3`.
        pull_secrets: in the namespace, to pull the image with.
        prepares: make the volume writable for the group first, which takes a container that runs as root.
        idle_seconds: after which it ends.
    """
    spec = _spec(claims, image, prepares=prepares, idle_seconds=idle_seconds)
    if pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in pull_secrets]
    digest = hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:_NAME_DIGITS]
    metadata = {
        "name": f"{words.SHARED_FOLDER_HELPER}-{digest}",
        "namespace": deployment,
        "labels": dict(words.labels(installation, deployment, part=words.SHARED_FOLDER_HELPER)),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _spec(claims: Sequence[str], image: str, *, prepares: bool, idle_seconds: float) -> dict[str, Any]:
    paths = [ROOT] if len(claims) == 1 else [f"{ROOT}/{claim}" for claim in claims]
    folders = tuple(SharedFolder(index, path) for index, path in enumerate(paths, 1))
    mounted = [
        {"name": folder.claim, "persistentVolumeClaim": {"claimName": claim}}
        for folder, claim in zip(folders, claims, strict=True)
    ]
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": volumes.SHARED_GROUP,
            "fsGroup": volumes.SHARED_GROUP,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(folders, image, idle_seconds)],
        "volumes": [{"name": "temporary", "emptyDir": {"sizeLimit": "16Mi"}}, *mounted],
    }
    if prepares:
        preparation = volumes.preparation(folders, image=image, pull_policy=_PULL_POLICY)
        spec["initContainers"] = [{**preparation, "resources": _RESOURCES}]
    return spec


def _container(folders: tuple[SharedFolder, ...], image: str, idle_seconds: float) -> Mapping[str, Any]:
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": _PULL_POLICY,
        "command": ["python3", "-I", "-c", _WAIT_PROGRAM, f"{idle_seconds:g}"],
        # `$(NAME)` would be expanded by the kubelet.
        "env": [{"name": "SLIPWAY_FOLDER_PROGRAM", "value": inspect.getsource(folder_program).replace("$(", "$$(")}],
        "resources": _RESOURCES,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "temporary", "mountPath": "/tmp"}, *volumes.mounts(folders)],  # noqa: S108
    }
