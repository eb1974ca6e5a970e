"""The objects of the author's nodes: a workload, its Service, and what leads to its web UI."""

from __future__ import annotations

from typing import Any

from shared.kubernetes import networking, pods, volumes, workloads
from shared.kubernetes.plan import Plan
from shared.solution import GRPC_PORT, SERVICE_PORT, WEB_UI_PORT, Node

PORT_NAME = "protobuf-api"
_DATA_BROKER_PORT_NAME = "databroker-api"


def is_data_broker(node: Node) -> bool:
    """Tell whether a node reads data for the others; Graphene does not mind the case either."""
    return node.node_type.casefold() == "databroker"


def workload(plan: Plan, node: Node) -> dict[str, Any]:
    """Return the Deployment, or by option the Job, of a node."""
    choice = plan.choices[node.name]
    folders = plan.solution.shared_folders
    container = pods.container(
        name=node.name,
        image=str(node.image),
        choice=choice,
        ports={PORT_NAME: GRPC_PORT, networking.WEB_UI_PORT_NAME: WEB_UI_PORT}
        if choice.webui
        else {PORT_NAME: GRPC_PORT},
        environment={**choice.environment, **volumes.variables(folders)},
        volume_mounts=volumes.mounts(folders),
        probed_port=None if choice.is_job else GRPC_PORT,
    )
    pod = pods.pod(
        containers=[container],
        choice=choice,
        folders=folders,
        preparation=plan.preparation,
        account=plan.account,
    )
    if choice.is_job:
        return workloads.job(node.name, plan.component, identity=plan.identity, pod=pod)
    return workloads.deployment(node.name, plan.component, identity=plan.identity, choice=choice, pod=pod)


def service(plan: Plan, node: Node) -> dict[str, Any]:
    """Return the Service of a node; one that runs to completion has one too, because Graphene's tools count on it."""
    return networking.service(
        node.name,
        plan.component,
        identity=plan.identity,
        type_=plan.choices[node.name].service_type,
        port_name=_DATA_BROKER_PORT_NAME if is_data_broker(node) else PORT_NAME,
        port=SERVICE_PORT,
        target_port=GRPC_PORT,
    )


def web_ui(plan: Plan, node: Node) -> dict[str, Any] | None:
    """Return the Service of a node's web UI, or None where it has none."""
    choice = plan.choices[node.name]
    if not choice.webui:
        return None
    return networking.web_ui_service(node.name, plan.component, identity=plan.identity, type_=choice.service_type)


def web_ui_ingress(plan: Plan, node: Node) -> dict[str, Any] | None:
    """Return the Ingress in front of a node's web UI, or None where it has none."""
    options = plan.choices[node.name].webui_ingress
    if options is None:
        return None
    return networking.ingress(node.name, plan.component, identity=plan.identity, options=options)
