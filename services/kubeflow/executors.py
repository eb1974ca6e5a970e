"""Executors: a container, and what the platform document adds to its pod. No text of a user stands in them unchecked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kubeflow import ir
from services.kubeflow.ir import Data
from shared.kubernetes import labels, pods
from shared.kubernetes.choices import Choice
from shared.kubernetes.grammar import amount
from shared.orchestration.pipeline_files import Data as Files
from shared.workflows import configuration, objects
from shared.workflows.lint.kubeflow_releases import SECURITY
from shared.workflows.nodes import NodePlan
from shared.workflows.plan import WorkflowPlan

BACKSTOP_SECONDS = 120  # by which Kubeflow's deadline comes after the driver's, which can say more
NODE_LABEL = "slipway.dev/node"
_GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Executor:
    """One executor in both documents."""

    container: Data
    platform: Data = field(default_factory=dict)

    def running(self, command: Sequence[str], **platform: Any) -> Executor:
        """Return one that differs in its command, and in what stands in `platform`. What is the same, they share."""
        program, *arguments = command
        return Executor(self.container | {"command": [program], "args": arguments}, self.platform | platform)


def driver(plan: WorkflowPlan, command: Sequence[str], **platform: Any) -> Executor:
    """Return an executor that runs the driver."""
    program, *arguments = command
    made = _container(plan.driver_image, plan.driver, command=[program], args=arguments, variables={})
    # Its image says who runs it. Only a namespace of the Pod Security Standard `restricted` wants to read that in the pod.
    security = _secured(plan.driver) if plan.driver.is_restricted else {}
    return Executor(made, _pod(plan, plan.driver) | security | platform)


def job(plan: WorkflowPlan, node: NodePlan) -> Executor:
    """Return an executor that runs a node to completion."""
    made = _container(node.image, node.choice, command=node.command, args=node.args, variables=node.variables)
    platform = _pod(plan, node.choice) | _secured(node.choice) | claims(plan) | _from_elsewhere(plan, node)
    platform |= limited(node.deadline)
    platform["podMetadata"]["labels"][NODE_LABEL] = node.node.name
    return Executor(made, platform)


def sidecar(plan: WorkflowPlan, node: NodePlan) -> Data:
    """Return what the platform document adds to a task beside which the node stands: a sidecar, and where its pod runs."""
    beside: Data = {"name": "node", "image": node.image, "restartPolicy": "Always"}
    beside |= {"command": list(node.command)} if node.command else {}
    beside |= {"args": list(node.args)} if node.args else {}
    beside |= {"env": _env(node.variables)} if node.variables else {}
    beside["resources"] = {kind: dict(amounts) for kind, amounts in node.choice.resources.items()}
    mounts = [
        {"volumeName": plan.claim_name(folder.claim), "mountPath": folder.mount_path}
        for folder in plan.solution.shared_folders
    ]
    beside |= {"volumeMounts": mounts} if mounts else {}
    metadata = {"labels": objects.pod_labels(plan)}
    metadata["labels"][NODE_LABEL] = node.node.name
    return {"initContainers": [beside], "podMetadata": metadata} | claims(plan) | _placed(node.choice)


def mounted(maps: Sequence[tuple[str, Files]], folder: str) -> Data:
    """Return the ConfigMaps as files in one folder; Kubeflow puts several into one only below each other."""
    paths = [folder] if len(maps) == 1 else [f"{folder}/{number}" for number in range(1, len(maps) + 1)]
    found = [
        _named("configMapName", name) | {"mountPath": path, "optional": False}
        for (name, _), path in zip(maps, paths, strict=True)
    ]
    return {"configMapAsVolume": found} if found else {}


def claims(plan: WorkflowPlan) -> Data:
    """Return the mounts of the shared folders."""
    found = [_claim(plan.claim_name(each.claim), each.mount_path) for each in plan.solution.shared_folders]
    return {"pvcMount": found} if found else {}


def limited(deadline: int, start: int = 0) -> Data:
    """Return the deadline of a pod; it stands as a text, as protobuf writes numbers of 64 bits."""
    return {"activeDeadlineSeconds": str(start + deadline + BACKSTOP_SECONDS)} if deadline else {}


def labelled(plan: WorkflowPlan, component: str) -> Data:
    """Return the labels of a pod that the policies of a deployment take for this component of it."""
    metadata = {"labels": objects.pod_labels(plan)}
    metadata["labels"] |= {labels.INSTANCE: plan.identity.instance, labels.COMPONENT: component}
    return {"podMetadata": metadata}


def _container(
    image: str, choice: Choice, *, command: Sequence[str], args: Sequence[str], variables: Mapping[str, str]
) -> Data:
    made: Data = {"image": image, "command": list(command)}
    made |= {"args": list(args)} if args else {}
    made |= {"env": _env(variables)} if variables else {}
    return made | {"resources": _resources(choice)}


def _env(variables: Mapping[str, str]) -> list[Data]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _resources(choice: Choice) -> Data:
    """Return both forms that the compiler writes: numbers for older backends, quantities for newer ones."""
    made: Data = {}
    for kind, word in (("limits", "Limit"), ("requests", "Request")):
        amounts = choice.resources.get(kind, {})
        if "cpu" in amounts:
            made |= {f"cpu{word}": float(amount(amounts["cpu"])), f"resourceCpu{word}": amounts["cpu"]}
        if "memory" in amounts:
            size = float(amount(amounts["memory"]) / _GIGABYTE)
            made |= {f"memory{word}": size, f"resourceMemory{word}": amounts["memory"]}
    accelerators = {key: count for key, count in choice.resources.get("limits", {}).items() if "/" in key}
    for key, count in accelerators.items():
        made["accelerator"] = {"type": key, "count": count, "resourceType": key, "resourceCount": count}
    return made


def _pod(plan: WorkflowPlan, choice: Choice) -> Data:
    made: Data = {"podMetadata": {"labels": objects.pod_labels(plan)}, "imagePullPolicy": choice.image_pull_policy}
    return made | _placed(choice)


def _secured(choice: Choice) -> Data:
    security: Data = {"runAsUser": choice.run_as_user} if choice.run_as_user is not None else {}
    security |= {"runAsNonRoot": True} if choice.run_as_non_root or choice.is_restricted else {}
    return {SECURITY: {**security, **_texts(security, "runAsUser")}} if security else {}


def _placed(choice: Choice) -> Data:
    made: Data = {}
    if choice.image_pull_secrets:
        made["imagePullSecret"] = [_named("secretName", secret) for secret in choice.image_pull_secrets]
    if choice.node_selector:
        made["nodeSelector"] = {"labels": dict(choice.node_selector)}
    if choice.tolerations:
        pod = pods.pod(containers=[], choice=choice, folders=(), preparation=None, account=None)
        made["tolerations"] = [{**each, **_texts(each, "tolerationSeconds")} for each in pod["tolerations"]]
    return made


def _texts(fields: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Return numbers of 64 bits as texts, as protobuf writes them in JSON."""
    return {name: str(fields[name]) for name in names if name in fields}


def _from_elsewhere(plan: WorkflowPlan, node: NodePlan) -> Data:
    """Return the variables whose values stand in Secrets, or in a ConfigMap because they could be live."""
    # Nothing says that they must be there: that holds by itself, and the field for it came late.
    by_secret: dict[str, list[Data]] = {}
    for name, secret in node.secrets.items():
        by_secret.setdefault(secret.secret, []).append({"secretKey": secret.key, "envVar": name})
    made: Data = {}
    if by_secret:
        made["secretAsEnv"] = [_named("secretName", secret) | {"keyToEnv": keys} for secret, keys in by_secret.items()]
    if node.texts:
        held, _ = configuration.text_map(plan.stem, node.texts)
        keys = [{"configMapKey": name, "envVar": name} for name in node.texts]
        made["configMapAsEnv"] = [_named("configMapName", held) | {"keyToEnv": keys}]
    return made


def _claim(name: str, path: str) -> Data:
    return {"constant": name, "pvcNameParameter": ir.constant(name), "mountPath": path}


def _named(key: str, name: str) -> Data:
    """Return a name in both forms that the compiler writes: older backends read the first one."""
    return {key: name, f"{key}Parameter": ir.constant(name)}
