"""All objects of a model or of a pipeline, by the path of their file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.kubernetes import (
    accounts,
    arrangement,
    configuration,
    nodes,
    orchestrator,
    policies,
    probe,
    traces,
    volumes,
)
from shared.kubernetes.plan import Plan
from shared.orchestration import pipeline_files
from shared.solution import ORCHESTRATOR

Objects = dict[str, dict[str, Any]]


def of_model(plan: Plan) -> Objects:
    """Return the objects of a model, which has one node and no orchestrator."""
    (node,) = plan.solution.workloads
    workload = nodes.workload(plan, node)
    main = {f"{workload['kind'].lower()}.yaml": workload, "service.yaml": nodes.service(plan, node)}
    main |= _account(plan) | _claims(plan) | _present({"service_webui.yaml": nodes.web_ui(plan, node)})
    further = {
        "networkpolicy-egress.yaml": policies.of_egress(plan.identity, restricted=plan.account is not None),
        "networkpolicy-model.yaml": policies.of_model(plan.identity, web_ui=plan.choices[node.name].webui),
    }
    return arrangement.model(main, further | _ingresses(plan))


def of_pipeline(plan: Plan, configured: Mapping[str, bytes]) -> Objects:
    """Return the objects of a pipeline; `configured` are the files that the orchestrator finds in its folder."""
    pieces = pipeline_files.split(configured)
    names = [f"{plan.identity.instance}-pipeline-{number}" for number in range(1, len(pieces) + 1)]
    main = _account(plan) | _claims(plan)
    for node in plan.solution.workloads:
        workload = nodes.workload(plan, node)
        main[f"{node.name}_{workload['kind'].lower()}.yaml"] = workload
        main[f"{node.name}_service.yaml"] = nodes.service(plan, node)
        main |= _present({f"{node.name}_service_webui.yaml": nodes.web_ui(plan, node)})
    main |= _probe(plan, names) | _orchestrator(plan, names, configuration.digest(configured))
    maps = {
        f"configmap-pipeline-{number}.yaml": configuration.config_map(name, data, plan.identity)
        for number, (name, data) in enumerate(zip(names, pieces, strict=True), start=1)
    }
    return arrangement.pipeline(main, _policies(plan) | maps | _ingresses(plan))


def _account(plan: Plan) -> Objects:
    # In `deployments/`, because the pods cannot start without it, and Graphene's script applies nothing else.
    return {"serviceaccount.yaml": accounts.service_account(plan.identity)} if plan.account else {}


def _claims(plan: Plan) -> Objects:
    return {
        folder.claim_file: volumes.claim(folder, plan.identity, plan.options.shared_folder)
        for folder in plan.solution.shared_folders
    }


def _orchestrator(plan: Plan, config_maps: list[str], digest: str) -> Objects:
    deployment = orchestrator.deployment(
        identity=plan.identity,
        choice=plan.orchestrator,
        image=plan.orchestrator_image,
        folders=plan.solution.shared_folders,
        preparation=plan.preparation,
        account=plan.account,
        config_maps=config_maps,
        digest=digest,
        autostart=plan.options.autostart,
        traces=traces.environment(plan.collector, plan.identity) if plan.collector else {},
    )
    service = orchestrator.service(identity=plan.identity, choice=plan.orchestrator)
    return {f"{ORCHESTRATOR}_deployment.yaml": deployment, f"{ORCHESTRATOR}_service.yaml": service}


def _probe(plan: Plan, config_maps: list[str]) -> Objects:
    if plan.probe is None:
        return {}
    name, choice = plan.probe.name, plan.probe.choice
    deployment = probe.deployment(
        name,
        identity=plan.identity,
        choice=choice,
        image=plan.probe.image,
        nginx=plan.probe.nginx,
        config_maps=config_maps,
    )
    service = probe.service(name, identity=plan.identity, choice=choice)
    return {f"{name}_deployment.yaml": deployment, f"{name}_service.yaml": service}


def _policies(plan: Plan) -> Objects:
    """Return the policies of a pipeline, those that do no harm on their own first: see `arrangement`."""
    identity = plan.identity
    without = [name for name, choice in plan.choices.items() if not choice.webui]
    made = {
        "networkpolicy-egress.yaml": policies.of_egress(identity, restricted=plan.account is not None),
        "networkpolicy-orchestrator.yaml": policies.of_orchestrator(identity),
        "networkpolicy-nodes.yaml": policies.of_nodes(identity),
    }
    if len(without) < len(plan.choices):
        made["networkpolicy-web-uis.yaml"] = policies.of_web_uis(identity, without=without)
    if plan.probe:
        made["networkpolicy-probe.yaml"] = policies.of_probe(identity, port=probe.PORT)
    if plan.collector and plan.account is not None:
        made["networkpolicy-traces.yaml"] = policies.of_traces(identity, plan.collector)
    return made


def _ingresses(plan: Plan) -> Objects:
    return _present({f"ingress-{node.name}.yaml": nodes.web_ui_ingress(plan, node) for node in plan.solution.workloads})


def _present(objects: Mapping[str, dict[str, Any] | None]) -> Objects:
    return {name: manifest for name, manifest in objects.items() if manifest is not None}
