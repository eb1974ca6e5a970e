"""The Kubernetes objects that a workflow needs beside itself, whatever the engine: ConfigMaps, and claims of shared folders."""

from __future__ import annotations

from typing import Any

from shared.kubernetes import labels, volumes
from shared.kubernetes.configuration import config_map
from shared.workflows import configuration
from shared.workflows.plan import WorkflowPlan

Objects = dict[str, dict[str, Any]]


def config_maps(plan: WorkflowPlan) -> Objects:
    """Return all ConfigMaps by file name."""
    texts = dict(configuration.text_map(plan.stem, n.texts) for n in (*plan.jobs, *plan.services) if n.texts)
    made = list(plan.bundle_maps)
    if plan.drives:
        made += plan.pipeline_maps
    if not plan.is_deployed:
        made += texts.items()
    found = {}
    for name, data in made:
        manifest = config_map(name, data, plan.identity)
        manifest["metadata"] = metadata(plan, name)
        found[f"configmap-{_short(plan, name)}.yaml"] = manifest
    return found


def claims(plan: WorkflowPlan) -> Objects:
    """Return the claims of the shared folders by file name; what is deployed has claims of its own."""
    found = {}
    for folder in () if plan.is_deployed else plan.solution.shared_folders:
        claim = volumes.claim(folder, plan.identity, plan.policy.shared_folder)
        named = metadata(plan, plan.claim_name(folder.claim))
        found[folder.claim_file] = {**claim, "metadata": {**claim["metadata"], **named}}
    return found


def metadata(plan: WorkflowPlan, name: str) -> dict[str, Any]:
    """Return the metadata of an object of this bundle; its component tells whose it is."""
    return plan.identity.metadata(name, component(plan), app=plan.identity.instance)


def pod_labels(plan: WorkflowPlan) -> dict[str, str]:
    """Return the labels of a workflow's pods, without those by which Services and policies of a deployment find theirs."""
    found = plan.identity.pod_labels(plan.identity.instance, component(plan))
    kept = {key: value for key, value in found.items() if key not in {"app", labels.INSTANCE}}
    # A mesh's proxy never ends, and neither would the pods.
    return {"sidecar.istio.io/inject": "false", **kept}


def component(plan: WorkflowPlan) -> str:
    """Return the component that objects of this engine are; a deployment of the same solution, and other engines, have theirs."""
    return f"workflow-{plan.engine}"


def _short(plan: WorkflowPlan, name: str) -> str:
    """Return the name without what all have, and, where that is enough to tell it, without its digest."""
    short = name.removeprefix(f"{plan.stem}-")
    return short if short.endswith("variables") else short.partition("-")[2]
