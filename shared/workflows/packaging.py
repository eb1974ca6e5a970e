"""The bundle of a workflow: what every deployer of workflows puts into it, beside what its engine reads."""

from __future__ import annotations

from collections.abc import Mapping

from shared.bundle import Bundle
from shared.deployer import Assets
from shared.findings import Findings
from shared.kubernetes import generator
from shared.orchestration.pipeline_files import BLUEPRINT
from shared.workflows import described, readme
from shared.workflows.plan import WorkflowPlan
from shared.workflows.policy import Policy

README = "README.md"


def bundle(
    deployer: str,
    engine: str,
    plan: WorkflowPlan,
    options: Policy,
    assets: Assets,
    *,
    emitted: Mapping[str, bytes],
    findings: Findings,
) -> Bundle:
    """Return the bundle; `emitted` is what the `engine` reads, by path."""
    solution = plan.solution
    return Bundle(
        deployer=deployer,
        solution_name=solution.name,
        files={
            **{path: content for path, content in assets.files.items() if path != README},
            README: readme.readme(plan, options, engine).encode() + assets.files.get(README, b""),
            **_described(plan),
            **{f"microservice/{name}": content for name, content in plan.protos.items()},
            **generator.attachments(solution.attachments),
            **emitted,
        },
        names={node.name: node.container_name for node in solution.nodes},
        ids=solution.ids,
        findings=findings,
    )


def _described(plan: WorkflowPlan) -> dict[str, bytes]:
    """Return what describes the pipeline to people and programs; the driver finds the same in ConfigMaps."""
    if not plan.solution.is_pipeline:
        return {}
    files = {name: plan.pipeline[name] for name in (described.FILE,) if name in plan.pipeline}
    return {BLUEPRINT: plan.pipeline[BLUEPRINT], **files}
