"""Mode `services`: all nodes are daemons of the DAG in which the orchestrator runs, so they end with it. A model is only held."""

from __future__ import annotations

from typing import Any

from services.argo import containers, templates
from shared import naming, yamldump
from shared.solution import GRPC_PORT
from shared.workflows import driver_calls, operations
from shared.workflows.nodes import NodePlan
from shared.workflows.plan import ITERATIONS, PIPELINE_FOLDER, RUN_DURATION, RUN_SECONDS, WorkflowPlan

_SERVICE = "service"
_WORKFLOW_LABEL = "workflows.argoproj.io/workflow"  # Argo sets it on every pod


def build(
    plan: WorkflowPlan, *, stable_dns: bool, account: str
) -> tuple[list[templates.Template], list[templates.Template]]:
    """Return tasks and templates; `account` may create Services."""
    tasks, made = templates.beginning(plan)
    tasks += [templates.task(node.name, node.name, templates.begun(plan)) for node in plan.services]
    made += [templates.daemon(plan, node) for node in plan.services]
    if not plan.solution.is_pipeline:
        return [*tasks, templates.task(templates.HOLD, templates.HOLD, [n.name for n in plan.services])], [
            *made,
            _hold(plan),
        ]
    called = [node for node in plan.services if node.is_called]
    addresses = _addresses(plan, called) if stable_dns else {}
    for node in called if stable_dns else ():
        labelled = {"name": "node", "value": node.node.name}
        tasks.append(templates.task(addresses[node.name], templates.ADDRESS, parameters=[labelled]))
    after = [*(node.name for node in plan.services), *addresses.values()]
    given = [{"name": node.name, "value": _address(node, addresses)} for node in called]
    tasks.append(templates.task(templates.ORCHESTRATE, templates.ORCHESTRATE, after, parameters=given))
    made += [_service(account)] if stable_dns else []
    return tasks, [*made, _orchestrate(plan, called)]


def _addresses(plan: WorkflowPlan, called: list[NodePlan]) -> dict[str, str]:
    """Return the names of the tasks that make the Services, by name of the node."""
    labels = naming.node_names([f"{node.name}-{templates.ADDRESS}" for node in called])
    taken = frozenset(node.name for node in (*plan.services, *plan.jobs)) | templates.RESERVED
    return operations.distinct(dict(zip((n.name for n in called), labels, strict=True)), reserved=taken)


def _address(node: NodePlan, addresses: dict[str, str]) -> str:
    if node.name in addresses:
        return f"{{{{tasks.{addresses[node.name]}.outputs.parameters.{_SERVICE}}}}}"
    return f"{{{{tasks.{node.name}.ip}}}}"


def _orchestrate(plan: WorkflowPlan, called: list[NodePlan]) -> templates.Template:
    """Return the task that moves the messages. Tried again, it would run the pipeline a second time: it is not."""
    nodes = {node.node.name: f"{{{{inputs.parameters.{node.name}}}}}:{GRPC_PORT}" for node in called}
    command = driver_calls.run(
        pipeline=PIPELINE_FOLDER,
        nodes=nodes,
        wait=str(plan.policy.deadlines.start),
        timeout=templates.parameter(RUN_SECONDS),
        duration=templates.parameter(RUN_DURATION),
        iterations=templates.parameter(ITERATIONS),
    )
    made: templates.Template = {"name": templates.ORCHESTRATE}
    if called:
        made["inputs"] = {"parameters": [{"name": node.name} for node in called]}
    return made | {"container": containers.driver(plan, command, "pipeline")}


def _hold(plan: WorkflowPlan) -> templates.Template:
    """Return what keeps a model running: for the time of the run, or until somebody resumes or stops the workflow."""
    # Argo would take a time of 0 for one that has passed.
    suspend = {} if plan.is_open_ended else {"duration": templates.parameter(RUN_SECONDS)}
    return {"name": templates.HOLD, "suspend": suspend}


def _service(account: str) -> templates.Template:
    """Return what makes the Service of one node; it belongs to the workflow, and goes with it."""
    node = "{{inputs.parameters.node}}"
    manifest: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"generateName": "node-", "labels": {containers.NODE_LABEL: node}},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": {_WORKFLOW_LABEL: "{{workflow.name}}", containers.NODE_LABEL: node},
            "ports": [{"name": "grpc", "port": GRPC_PORT}],
        },
    }
    return {
        "name": templates.ADDRESS,
        "executor": {"serviceAccountName": account},
        "inputs": {"parameters": [{"name": "node"}]},
        "outputs": {"parameters": [{"name": _SERVICE, "valueFrom": {"jsonPath": "{.metadata.name}"}}]},
        "resource": {
            "action": "create",
            "setOwnerReference": True,
            "manifest": yamldump.dump(manifest).decode(),
        },
    }
