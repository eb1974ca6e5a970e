"""Containers and volumes of a workflow: the author's nodes, and the driver. No text of a user stands in them unchecked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.kubernetes import pods, volumes
from shared.solution import GRPC_PORT
from shared.workflows import configuration
from shared.workflows.modes import Mode
from shared.workflows.nodes import NodePlan
from shared.workflows.plan import BUNDLE_FOLDER, PIPELINE_FOLDER, WorkflowPlan

TEMPORARY = "/tmp"  # noqa: S108 - the only place that the driver may write to
NODE_LABEL = "slipway.dev/node"

_TEMPORARY_LIMIT = "10Gi"  # messages of a whole task wait there; more, and the pod is evicted
_MOUNTS: Mapping[str, Mapping[str, Any]] = {
    "pipeline": {"name": "pipeline", "mountPath": PIPELINE_FOLDER, "readOnly": True},
    "bundle": {"name": "bundle", "mountPath": BUNDLE_FOLDER, "readOnly": True},
    "temporary": {"name": "temporary", "mountPath": TEMPORARY},
}


def driver(plan: WorkflowPlan, command: Sequence[str], *mounted: str) -> dict[str, Any]:
    """Return a container that runs the driver; `mounted` are names of volumes."""
    made = pods.container(
        name="",
        image=plan.driver_image,
        choice=plan.driver,
        ports={},
        environment={},
        volume_mounts=[_MOUNTS[name] for name in (*mounted, "temporary")],
        probed_port=None,
        read_only=True,
    )
    program, *arguments = command
    security = {**made["securityContext"], "runAsNonRoot": True}
    return _without(made, "name", "ports") | {"command": [program], "args": arguments, "securityContext": security}


def node(plan: WorkflowPlan, node: NodePlan, *, probed: bool) -> dict[str, Any]:
    """Return the container of a node, without a name; `probed`: the engine waits until it is ready."""
    folders = plan.solution.shared_folders
    made = pods.container(
        name="",
        image=node.image,
        choice=node.choice,
        ports={"grpc": GRPC_PORT} if node.is_called else {},
        environment={},
        volume_mounts=volumes.mounts(folders),
        probed_port=GRPC_PORT if probed else None,
    )
    if node.choice.run_as_user is not None:
        made["securityContext"] = {**made["securityContext"], "runAsUser": node.choice.run_as_user}
    if node.choice.is_restricted or node.choice.run_as_non_root:
        made["securityContext"] = {**made["securityContext"], "runAsNonRoot": True}
    given = {"command": list(node.command), "args": list(node.args), "env": environment(plan, node)}
    made = _without(made, "name", *(() if node.is_called else ("ports",)))
    return made | {key: value for key, value in given.items() if value}


def environment(plan: WorkflowPlan, node: NodePlan) -> list[dict[str, Any]]:
    """Return the variables of a node. What could be live comes from a ConfigMap: Argo never reads those."""
    found: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in node.variables.items()]
    found += [{"name": name, "value": f"{{{{workflow.parameters.{name}}}}}"} for name in node.parameters]
    for name, secret in node.secrets.items():
        found.append({"name": name, "valueFrom": {"secretKeyRef": {"name": secret.secret, "key": secret.key}}})
    if node.texts:
        held, _ = configuration.text_map(plan.stem, node.texts)
        found += [{"name": name, "valueFrom": {"configMapKeyRef": {"name": held, "key": name}}} for name in node.texts]
    return found


def placement(node: NodePlan) -> dict[str, Any]:
    """Return where a template with this node runs, and under which label it is found."""
    pod = pods.pod(containers=[], choice=node.choice, folders=(), preparation=None, account=None)
    placed = {key: pod[key] for key in ("nodeSelector", "tolerations") if key in pod}
    return {"metadata": {"labels": {NODE_LABEL: node.node.name}}} | placed


def all_volumes(plan: WorkflowPlan) -> list[dict[str, Any]]:
    """Return the volumes of all templates; each pod has an empty one of its own."""
    found = [
        _projected(name, [held for held, _ in maps])
        for name, maps in (("bundle", plan.bundle_maps), ("pipeline", () if plan.bundle_maps else plan.pipeline_maps))
        if maps
    ]
    found.append({"name": "temporary", "emptyDir": {"sizeLimit": _TEMPORARY_LIMIT}})
    # What is deployed in mode `persistent` has claims of its own.
    for folder in plan.solution.shared_folders if plan.mode is not Mode.PERSISTENT else ():
        claim = {"claimName": plan.claim_name(folder.claim)}
        found.append({"name": folder.claim, "persistentVolumeClaim": claim})
    return found


def _projected(name: str, maps: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "projected": {"sources": [{"configMap": {"name": held}} for held in maps]}}


def _without(made: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in made.items() if key not in keys}
