"""One run of a workflow as Argo's object tells it: its phase, its tasks, and whether it is over. Pure."""

from __future__ import annotations

from typing import Any, Dict, List

from shared.finishing.objects import Manifest, name_of

ENDED_PHASES = ("Succeeded", "Failed", "Error")
SUCCEEDED = "Succeeded"
# Nodes of the status that are no tasks but hold others together.
GROUPING_TYPES = ("DAG", "Steps", "StepGroup", "Retry", "TaskGroup")


def phase_of(workflow: Manifest) -> str:
    """Return the phase of a run; one that Argo has not seen yet waits for it."""
    return str(workflow.get("status", {}).get("phase") or "Pending")


def is_seen(workflow: Manifest) -> bool:
    """Answer whether a controller has looked at a run."""
    return bool(workflow.get("status", {}).get("phase"))


def has_ended(workflow: Manifest) -> bool:
    """Answer whether a run is over."""
    return phase_of(workflow) in ENDED_PHASES


def tasks_of(workflow: Manifest) -> Dict[str, str]:
    """Return the phase of each task by its name, with what Argo says about it."""
    found = {}
    for node in (workflow.get("status", {}).get("nodes") or {}).values():
        is_kept = bool((node.get("memoizationStatus") or {}).get("hit"))
        if is_kept or node.get("type") not in GROUPING_TYPES:
            told = ", from the cache" if is_kept else f": {node['message']}" if node.get("message") else ""
            found[str(node.get("displayName", ""))] = f"{node.get('phase', 'Pending')}{told}"
    return found


def latest_of(workflows: List[Manifest]) -> Manifest:
    """Return the run that was submitted last.

    Raises:
        ValueError: there is none.
    """
    if not workflows:
        raise ValueError("no run of this workflow is there: submit one")
    return max(workflows, key=lambda each: (str(each["metadata"].get("creationTimestamp", "")), name_of(each)))


def submission_of(workflow: Manifest, name: str, parameters: Dict[str, str]) -> Manifest:
    """Return the workflow under this name, with other values of some parameters.

    Raises:
        ValueError: it has no such parameter.
    """
    spec: Dict[str, Any] = workflow["spec"]
    declared = spec.get("arguments", {}).get("parameters", [])
    unknown = sorted(set(parameters) - {each["name"] for each in declared})
    if unknown:
        known = ", ".join(each["name"] for each in declared) or "none at all"
        raise ValueError(f"--parameter {unknown[0]}: this workflow has {known}")
    given = [{**each, "value": parameters.get(each["name"], each.get("value"))} for each in declared]
    spec = {**spec, **({"arguments": {"parameters": given}} if given else {})}
    metadata = {key: value for key, value in workflow["metadata"].items() if key != "generateName"}
    return {**workflow, "metadata": {**metadata, "name": name}, "spec": spec}
