"""Templates that several modes have, and how tasks hang together in the one DAG: daemons live no longer than theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.argo import containers
from shared.workflows import driver_calls
from shared.workflows.lint.argo_dag import WORDS_OF_EXPRESSIONS
from shared.workflows.nodes import NodePlan
from shared.workflows.plan import RUN_SECONDS, WorkflowPlan
from shared.workflows.policy import Retries

PIPELINE = "pipeline"
ORCHESTRATE = "orchestrate"
HOLD = "hold"
DEPLOY = "deploy"
TEARDOWN = "teardown"
REPORT = "report"
FINISH = "finish"
ADDRESS = "address"
PREPARE = "prepare"
_OWN = frozenset({PIPELINE, ORCHESTRATE, HOLD, DEPLOY, TEARDOWN, REPORT, FINISH, ADDRESS, PREPARE})
RESERVED = _OWN | WORDS_OF_EXPRESSIONS
"""What no node and no task may be called."""

Template = dict[str, Any]
_BACKSTOP_SECONDS = 120  # by which Argo's deadline comes after the driver's, which can say more


def parameter(name: str) -> str:
    """Return the value of a parameter of the workflow."""
    return f"{{{{workflow.parameters.{name}}}}}"


def seconds(deadline: int) -> str:
    """Return the deadline of a task as the driver is told it: its own, or that of the run."""
    return str(deadline) if deadline else parameter(RUN_SECONDS)


def limited(deadline: int, start: int = 0) -> Template:
    """Return the deadline that Argo sets to a task that has one of its own."""
    return {"activeDeadlineSeconds": start + deadline + _BACKSTOP_SECONDS} if deadline else {}


def retried(retries: Retries, policy: str = "Always") -> Template:
    """Return how a task is tried again."""
    if not retries.limit:
        return {}
    backoff = {"duration": f"{retries.backoff}s", "factor": retries.factor, "cap": f"{retries.max_backoff}s"}
    return {"retryStrategy": {"limit": str(retries.limit), "retryPolicy": policy, "backoff": backoff}}


def task(name: str, template: str, after: Iterable[str] = (), **arguments: Sequence[Template]) -> Template:
    """Return a task of the DAG that starts once all those in `after` have succeeded, or, daemons, are ready."""
    made: Template = {"name": name, "template": template}
    depends = " && ".join(dict.fromkeys(after))
    given = {key: list(value) for key, value in arguments.items() if value}
    return made | ({"depends": depends} if depends else {}) | ({"arguments": given} if given else {})


def dag(tasks: Sequence[Template]) -> Template:
    """Return the template that everything begins with."""
    return {"name": PIPELINE, "dag": {"tasks": list(tasks)}}


def daemon(plan: WorkflowPlan, node: NodePlan) -> Template:
    """Return a node that runs as long as the DAG; it counts as started once its port answers.

    Only what Argo itself loses is started anew: a node that has ended by itself would come back under another address.
    """
    made: Template = {"name": node.name, "daemon": True, **containers.placement(node)}
    made |= retried(node.retries, "OnError")
    return made | {"container": containers.node(plan, node, probed=node.choice.probes != "none")}


def job(plan: WorkflowPlan, node: NodePlan) -> Template:
    """Return a node that runs to completion."""
    made: Template = {"name": node.name, **containers.placement(node), **limited(node.deadline)}
    return made | retried(node.retries) | {"container": containers.node(plan, node, probed=False)}


def beginning(plan: WorkflowPlan) -> tuple[list[Template], list[Template]]:
    """Return tasks and templates of what comes before any call: shared folders made writable, and the jobs."""
    first = [PREPARE] if plan.preparation else []
    tasks = [task(PREPARE, PREPARE)] if first else []
    made = [_prepare(plan, plan.preparation)] if plan.preparation else []
    tasks += [task(each.name, each.name, each.after or first) for each in plan.jobs]
    return tasks, made + [job(plan, each) for each in plan.jobs]


def begun(plan: WorkflowPlan) -> tuple[str, ...]:
    """Return the tasks that must have succeeded before anything is called."""
    return plan.last_jobs or ((PREPARE,) if plan.preparation else ())


def _prepare(plan: WorkflowPlan, preparation: Mapping[str, Any]) -> Template:
    """Return the task that makes shared folders writable: once for all nodes, unlike the init containers of a deployment."""
    container = {key: value for key, value in preparation.items() if key != "name"}
    return {"name": PREPARE, **retried(plan.policy.retries), "container": container}


def report(plan: WorkflowPlan) -> Template:
    """Return what runs at the end, however it ended; not when the workflow is terminated."""
    command = driver_calls.report(status="{{workflow.status}}", name="{{workflow.name}}")
    return {"name": REPORT, "container": containers.driver(plan, command)}
