"""Parameters as plain variables: Kubeflow fills in commands and arguments of a task, and never a variable."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from shared.kubernetes.grammar import text
from shared.workflows.nodes import NodePlan
from shared.workflows.plan import WorkflowPlan
from shared.workflows.steps import Step


def inlined(plan: WorkflowPlan) -> WorkflowPlan:
    """Return the plan with the defaults of the user's parameters in the nodes, and without those parameters.

    Were they still the pipeline's, a run could set them, and nothing would change.
    """
    if not plan.policy.parameters:
        return plan

    def of_node(node: NodePlan) -> NodePlan:
        defaults = {name: text(plan.policy.parameters[name]) for name in node.parameters}
        return replace(node, variables={**node.variables, **defaults}, parameters=())

    def of_step(step: Step) -> Step:
        return replace(step, node=of_node(step.node)) if step.node else step

    return replace(
        plan,
        policy=msgspec.structs.replace(plan.policy, parameters={}),
        jobs=tuple(map(of_node, plan.jobs)),
        services=tuple(map(of_node, plan.services)),
        steps=tuple(map(of_step, plan.steps)),
    )
