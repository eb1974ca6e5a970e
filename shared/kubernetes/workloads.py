"""Deployment and Job: what keeps the pods of a node, or of the orchestrator, running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.kubernetes.choices import Choice
from shared.kubernetes.labels import Identity
from shared.kubernetes.pods import STARTUP_SECONDS

# Pulling an image of many GB comes before the start and counts too.
PROGRESS_SECONDS = STARTUP_SECONDS + 20 * 60
OLD_REPLICA_SETS = 3
JOB_RETRIES = 3

# The template of a Job cannot change: Argo CD and Flux have to make a changed one anew.
_MADE_ANEW = {
    "argocd.argoproj.io/sync-options": "Replace=true,Force=true",
    "kustomize.toolkit.fluxcd.io/force": "enabled",
}


def deployment(
    name: str,
    component: str,
    *,
    identity: Identity,
    choice: Choice,
    pod: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
    alone: bool = False,
) -> dict[str, Any]:
    """Return a Deployment; `annotations` go to its pods; `alone`: never two generations of pods at the same time."""
    spec: dict[str, Any] = {
        "replicas": choice.replicas,
        "revisionHistoryLimit": OLD_REPLICA_SETS,
        "progressDeadlineSeconds": PROGRESS_SECONDS,
        "selector": {"matchLabels": identity.selector(name)},
    }
    # An accelerator that the old pod holds cannot be given to the new one: rolling over would wait for ever.
    if alone or choice.has_gpu:
        spec["strategy"] = {"type": "Recreate"}
    spec["template"] = _template(name, component, identity=identity, pod=pod, annotations=annotations)
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": identity.metadata(name, component), "spec": spec}


def job(name: str, component: str, *, identity: Identity, pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Job that runs `pod` to completion once; pods that failed stay, because their logs say why."""
    template = _template(name, component, identity=identity, pod={**pod, "restartPolicy": "Never"})
    spec = {"backoffLimit": JOB_RETRIES, "template": template}
    metadata = {**identity.metadata(name, component), "annotations": dict(_MADE_ANEW)}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _template(
    name: str,
    component: str,
    *,
    identity: Identity,
    pod: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"labels": identity.pod_labels(name, component)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"metadata": metadata, "spec": pod}
