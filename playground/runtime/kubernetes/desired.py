"""What a deployment's namespace is to hold, from its bundle and its record: pure, and the same whoever asks.

Asleep means no pods: Deployments without replicas, Jobs suspended. A restart is another text on the pods' template. The
orchestrator finds the token that the runtime made for it as a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.runtime.kubernetes import words
from playground.runtime.kubernetes.admission import Admitted
from playground.runtime.kubernetes.record import Record
from shared.solution import ORCHESTRATOR

Manifest = dict[str, Any]

_TOKEN_FOLDER = "/var/run/slipway/orchestrator"  # noqa: S105 - a path
_TOKEN_VOLUME = "slipway-token"  # noqa: S105 - the name of a volume
_TOKEN_VARIABLE = "SLIPWAY_ORCHESTRATOR_TOKEN"  # noqa: S105 - the name of a variable


def objects(
    admitted: Admitted, record: Record, labels: Mapping[str, str], pull_secrets: Sequence[Manifest], *, awake: bool
) -> list[Manifest]:
    """Return the objects of the bundle as they are to be now; `labels` go on each of them and on its pods."""
    secrets = [{"name": secret["metadata"]["name"]} for secret in pull_secrets]
    return [labelled(_object(each, record, labels, secrets, awake=awake), labels) for each in admitted.objects]


def labelled(manifest: Mapping[str, Any], labels: Mapping[str, str]) -> Manifest:
    """Return the object with the labels by which the runtime finds it again."""
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **labels}}}


def is_orchestrator(manifest: Mapping[str, Any]) -> bool:
    """Tell whether this is what moves the messages."""
    return bool(manifest["kind"] == "Deployment" and manifest["metadata"]["name"] == ORCHESTRATOR)


def _object(
    manifest: Manifest, record: Record, labels: Mapping[str, str], secrets: Sequence[Manifest], *, awake: bool
) -> Manifest:
    if manifest["kind"] not in {"Deployment", "Job"}:
        return manifest
    pod = dict(manifest["spec"]["template"]["spec"])
    if secrets:
        pod["imagePullSecrets"] = list(secrets)
    if is_orchestrator(manifest):
        pod = _with_token(pod)
    metadata = labelled({"metadata": manifest["spec"]["template"]["metadata"]}, labels)["metadata"]
    restarted = _restarted_at(record, manifest["metadata"]["name"])
    if restarted:
        metadata["annotations"] = {**metadata.get("annotations", {}), words.RESTARTED_AT: restarted}
    spec = {**manifest["spec"], "template": {"metadata": metadata, "spec": pod}}
    if manifest["kind"] == "Job":
        spec["suspend"] = not awake
    elif not awake:
        spec["replicas"] = 0
    else:
        # Said always: what is not said any more keeps the number that it had when it was asleep.
        spec.setdefault("replicas", 1)
    return {**manifest, "spec": spec}


def _restarted_at(record: Record, node: str) -> str:
    return max(record.restarted_at, record.restarts.get(node, ""))


def _with_token(pod: Manifest) -> Manifest:
    volume = {"name": _TOKEN_VOLUME, "secret": {"secretName": words.ORCHESTRATOR_TOKEN}}
    mount = {"name": _TOKEN_VOLUME, "mountPath": _TOKEN_FOLDER, "readOnly": True}
    told = {"name": f"{_TOKEN_VARIABLE}_FILE", "value": f"{_TOKEN_FOLDER}/{words.ORCHESTRATOR_TOKEN_KEY}"}
    containers = [
        {
            **container,
            "env": [*_other_variables(container), told],
            "volumeMounts": [*(container.get("volumeMounts") or []), mount],
        }
        if container.get("name") == ORCHESTRATOR
        else container
        for container in pod["containers"]
    ]
    others = [each for each in pod.get("volumes") or [] if each.get("name") != _TOKEN_VOLUME]
    return {**pod, "containers": containers, "volumes": [*others, volume]}


def _other_variables(container: Mapping[str, Any]) -> list[Manifest]:
    """Return the variables of a container without what says the same in another way."""
    return [each for each in container.get("env") or [] if not str(each.get("name")).startswith(_TOKEN_VARIABLE)]
