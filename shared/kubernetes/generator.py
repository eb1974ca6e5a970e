"""Solution, options and static files → the bundle that every deployer to a cluster starts from. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared import blueprint, yamldump
from shared.bundle import Bundle
from shared.deployer import Assets
from shared.kubernetes import manifests, probe, readme
from shared.kubernetes.dockerinfo import dockerinfo
from shared.kubernetes.kustomization import kustomization
from shared.kubernetes.nodes import is_data_broker
from shared.kubernetes.options import Options
from shared.kubernetes.order import in_order
from shared.kubernetes.plan import Plan, make
from shared.solution import GRPC_PORT, ORCHESTRATOR, SERVICE_PORT, Attachments, Solution

README = "deployment-readme.txt"
# What only somebody needs who starts a pipeline through its orchestrator.
_PIPELINE_ASSETS = ("orchestrator_client/", "protobuf/", "requirements.txt")


def generate(solution: Solution, options: Options, assets: Assets, *, deployer: str) -> Bundle:
    """Return the bundle that `deployer` makes.

    Raises:
        InvalidOptionsError: the options do not fit the solution.
    """
    plan = make(solution, options, assets.images)
    described = _pipeline_files(plan) if solution.is_pipeline else _model_files(plan)
    objects = (
        manifests.of_pipeline(plan, {**described, **plan.protos}) if solution.is_pipeline else manifests.of_model(plan)
    )
    return Bundle(
        deployer=deployer,
        solution_name=solution.name,
        files={
            **_assets(plan, assets.files),
            **described,
            **_data_broker(solution),
            **{f"microservice/{name}": content for name, content in plan.protos.items()},
            **attachments(solution.attachments),
            **{path: yamldump.dump(manifest) for path, manifest in objects.items()},
            "kustomization.yaml": yamldump.dump(kustomization(in_order(objects))),
        },
        names={node.name: node.container_name for node in solution.nodes},
        ids=solution.ids,
        findings=plan.findings,
    )


def _pipeline_files(plan: Plan) -> dict[str, bytes]:
    """Return what describes a pipeline, to its orchestrator as well as to Graphene's tools."""
    ports = {node.name: SERVICE_PORT for node in plan.solution.workloads}
    if plan.probe:
        ports[plan.probe.name] = probe.PORT
    return {
        "blueprint.json": blueprint.emit(plan.solution),
        "dockerinfo.json": dockerinfo({**ports, ORCHESTRATOR: GRPC_PORT}),
    }


def _model_files(plan: Plan) -> dict[str, bytes]:
    # Without a line end: Graphene's playground makes a namespace's name of the whole content.
    return {"modelname.txt": plan.solution.workloads[0].name.encode()}


def _assets(plan: Plan, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the static files that the solution needs; the readme begins with what depends on it."""
    is_pipeline = plan.solution.is_pipeline
    chosen = {path: data for path, data in files.items() if is_pipeline or not path.startswith(_PIPELINE_ASSETS)}
    return {**chosen, README: readme.readme(plan).encode() + files.get(README, b"")}


def _data_broker(solution: Solution) -> dict[str, bytes]:
    """Return the settings of the first data broker that has any: Graphene's format knows one."""
    settings = next((node.settings for node in solution.nodes if is_data_broker(node) and node.settings), None)
    return {"databroker.json": (json.dumps(settings, indent=2) + "\n").encode()} if settings else {}


def attachments(carried: Attachments) -> dict[str, bytes]:
    """Return what travels along unread, under Graphene's file names."""
    files = {
        "solution_icon.png": carried.icon,
        "solution_description.html": carried.description,
        "source_system_url.txt": carried.source_url,
    }
    return {
        path: content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        for path, content in files.items()
        if content is not None
    }
