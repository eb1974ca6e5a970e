"""Mode `steps`: each operation a task, its node as a sidecar of the driver, each edge an artifact in the repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.argo import caching, containers, templates
from services.argo.caching import DIGEST
from shared.solution import GRPC_PORT
from shared.workflows import driver_calls
from shared.workflows.plan import ITERATIONS, PIPELINE_FOLDER, WorkflowPlan
from shared.workflows.steps import Artifact, Step

SIDECAR = "node"  # `main`, `wait` and `init` are Argo's own
INPUTS = "/slipway/in"
# Argo's executor fetches it for its own user alone, and the driver is another one.
_READABLE = 0o444
_DIGEST_FILE = f"{containers.TEMPORARY}/digest"


def build(plan: WorkflowPlan) -> tuple[list[templates.Template], list[templates.Template]]:
    """Return tasks and templates. A node that nobody calls runs beside them, as long as they take."""
    tasks, made = templates.beginning(plan)
    cached = caching.cached(plan)
    beside = [node for node in plan.services if not node.is_called]
    tasks += [templates.task(node.name, node.name, templates.begun(plan)) for node in beside]
    tasks += [_task(plan, step, cached) for step in plan.steps]
    made += [templates.daemon(plan, node) for node in beside]
    digested = caching.digested(cached)
    made += [_template(plan, step, with_digest=step.name in digested) for step in plan.steps]
    return tasks, made + caching.templates_of(plan, cached)


def _task(plan: WorkflowPlan, step: Step, cached: Mapping[str, Step]) -> templates.Template:
    artifacts = [
        {"name": artifact.name, "from": f"{{{{tasks.{artifact.producer}.outputs.artifacts.{artifact.name}}}}}"}
        for artifact in step.inputs
    ]
    digests = [
        {"name": f"{DIGEST}-{number}", "value": f"{{{{tasks.{name}.outputs.parameters.{DIGEST}}}}}"}
        for number, name in enumerate(step.after, start=1)
        if step.name in cached
    ]
    template = caching.template_name(step) if step.name in cached else step.name
    return templates.task(
        step.name, template, step.after or templates.begun(plan), parameters=digests, artifacts=artifacts
    )


def _template(plan: WorkflowPlan, step: Step, *, with_digest: bool) -> templates.Template:
    made: templates.Template = {"name": step.name}
    if step.node:
        made |= containers.placement(step.node)
    made |= templates.limited(step.deadline, plan.policy.deadlines.start)
    made |= templates.retried(step.retries) | _inputs(step) | _outputs(step, with_digest=with_digest)
    made["container"] = containers.driver(plan, _command(plan, step, with_digest=with_digest), "pipeline")
    if step.node:
        made["sidecars"] = [{"name": SIDECAR, **containers.node(plan, step.node, probed=False)}]
    return made


def _command(plan: WorkflowPlan, step: Step, *, with_digest: bool) -> list[str]:
    return driver_calls.call(
        pipeline=PIPELINE_FOLDER,
        node=step.task.node,
        operation=step.task.operation,
        target=f"localhost:{GRPC_PORT}" if step.node else None,
        inputs=[(artifact.edge.source, _input_path(artifact)) for artifact in step.inputs],
        outputs=[(artifact.edge.target, _output_path(artifact)) for artifact in step.outputs],
        wait=str(plan.policy.deadlines.start) if step.node else None,
        timeout=templates.seconds(step.deadline),
        iterations=templates.parameter(ITERATIONS) if step.is_source else None,
        digest=_DIGEST_FILE if with_digest else None,
        digested=caching.parameters_of_run(plan) if with_digest else (),
    )


def _inputs(step: Step) -> dict[str, Any]:
    artifacts = [{"name": each.name, "path": _input_path(each), "mode": _READABLE} for each in step.inputs]
    return {"inputs": {"artifacts": artifacts}} if artifacts else {}


def _outputs(step: Step, *, with_digest: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if with_digest:
        found["parameters"] = [{"name": DIGEST, "valueFrom": {"path": _DIGEST_FILE}}]
    if step.outputs:
        # A file of messages is what it is: Argo would pack it into an archive, which nobody's tools could decode.
        found["artifacts"] = [
            {"name": artifact.name, "path": _output_path(artifact), "archive": {"none": {}}}
            for artifact in step.outputs
        ]
    return {"outputs": found} if found else {}


def _input_path(artifact: Artifact) -> str:
    return f"{INPUTS}/{artifact.file}"


def _output_path(artifact: Artifact) -> str:
    return f"{containers.TEMPORARY}/{artifact.file}"
