"""Modes `jobs` and `steps`: each node, or each operation, is a task; files and messages travel between them."""

from __future__ import annotations

from services.kubeflow import executors, graph, ir
from services.kubeflow.executors import Executor
from services.kubeflow.graph import Graph
from shared.solution import GRPC_PORT
from shared.workflows import driver_calls
from shared.workflows.nodes import NodePlan
from shared.workflows.plan import ITERATIONS, PIPELINE_FOLDER, RUN_SECONDS, WorkflowPlan
from shared.workflows.policy import ParameterValue
from shared.workflows.steps import Step


def jobs(plan: WorkflowPlan) -> Graph:
    """Return the nodes that run to completion."""
    return graph.together(_job(plan, job) for job in plan.jobs)


def steps(plan: WorkflowPlan) -> Graph:
    """Return the operations, after the jobs."""
    # All run the same program beside the same files.
    driver = executors.driver(plan, [driver_calls.PROGRAM], **executors.mounted(plan.pipeline_maps, PIPELINE_FOLDER))
    return jobs(plan) | graph.together(_step(plan, step, driver) for step in plan.steps)


def _job(plan: WorkflowPlan, job: NodePlan) -> Graph:
    return graph.running(job.name, ir.task(job.name, after=job.after, retries=job.retries), executors.job(plan, job))


def _step(plan: WorkflowPlan, step: Step, driver: Executor) -> Graph:
    own = _parameters(plan, step)
    platform = executors.limited(step.deadline, plan.policy.deadlines.start)
    if step.node:
        platform |= executors.sidecar(plan, step.node)
    return graph.running(
        step.name,
        ir.task(
            step.name,
            after=step.after or plan.last_jobs,
            parameters=ir.of_pipeline(own),
            artifacts={each.name: ir.from_task(each.producer, each.name) for each in step.inputs},
            retries=step.retries,
        ),
        driver.running(_command(plan, step), **platform),
        inputs=ir.ends(parameters=graph.required(own), artifacts=[each.name for each in step.inputs]),
        outputs=ir.ends(artifacts=[each.name for each in step.outputs]),
    )


def _parameters(plan: WorkflowPlan, step: Step) -> dict[str, ParameterValue]:
    wanted = [*([] if step.deadline else [RUN_SECONDS]), *([ITERATIONS] if step.is_source else [])]
    return {name: plan.parameters[name] for name in wanted}


def _command(plan: WorkflowPlan, step: Step) -> list[str]:
    return driver_calls.call(
        pipeline=PIPELINE_FOLDER,
        node=step.task.node,
        operation=step.task.operation,
        target=f"localhost:{GRPC_PORT}" if step.node else None,
        inputs=[(each.edge.source, ir.input_path(each.name)) for each in step.inputs],
        outputs=[(each.edge.target, ir.output_path(each.name)) for each in step.outputs],
        wait=str(plan.policy.deadlines.start) if step.node else None,
        timeout=str(step.deadline) if step.deadline else ir.input_parameter(RUN_SECONDS),
        iterations=ir.input_parameter(ITERATIONS) if step.is_source else None,
    )
