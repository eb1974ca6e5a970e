"""Modes `services` and `persistent`: the pipeline deploys the nodes, uses them, and removes them however that went.

Kubeflow has nothing that runs beside a task or longer than it. What is deployed belongs to the run of the pod that did it:
so it also goes when a run is deleted that somebody has terminated, for then Kubeflow runs no exit handler.
"""

from __future__ import annotations

from services.kubeflow import executors, graph, ir
from services.kubeflow.graph import Graph
from shared.kubernetes import labels
from shared.workflows import driver_calls
from shared.workflows.modes import Mode
from shared.workflows.plan import BUNDLE_FOLDER, ITERATIONS, PIPELINE_FOLDER, RUN_DURATION, RUN_SECONDS, WorkflowPlan
from shared.workflows.policy import ParameterValue

SESSION = "session"
DEPLOY = "deploy"
ORCHESTRATE = "orchestrate"
HOLD = "hold"
TEARDOWN = "teardown"
RESERVED = frozenset({SESSION, DEPLOY, ORCHESTRATE, HOLD, TEARDOWN})

_ENDPOINTS = "endpoints"
_RELEASE = "release"
_STATUS = "status"
# The kubelet puts them into the arguments.
_NAMESPACE, _POD, _POD_UID = "SLIPWAY_NAMESPACE", "SLIPWAY_POD", "SLIPWAY_POD_UID"
_FIELDS = {_NAMESPACE: "metadata.namespace", _POD: "metadata.name", _POD_UID: "metadata.uid"}
_RELEASE_INPUT: dict[str, ir.Data] = {_RELEASE: {"parameterType": "STRING"}}


def build(plan: WorkflowPlan) -> Graph:
    """Return the tasks of the root: the session, and what removes it."""
    is_driven = plan.mode is Mode.SERVICES and plan.solution.is_pipeline
    inner = _deploy(plan) | (_orchestrate(plan) if is_driven else _hold(plan))
    return graph.holding(SESSION, inner, plan.parameters) | _teardown(plan)


def _deploy(plan: WorkflowPlan) -> Graph:
    command = driver_calls.deploy(
        bundle=BUNDLE_FOLDER,
        name=ir.input_parameter(_RELEASE),
        namespace=f"$({_NAMESPACE})",
        owner=f"Pod/$({_POD})/$({_POD_UID})",
        endpoint_file=ir.output_path(_ENDPOINTS),
        timeout=str(plan.policy.deadlines.start),
    )
    platform = executors.mounted(plan.bundle_maps, BUNDLE_FOLDER) | _fields(_NAMESPACE, _POD, _POD_UID)
    return graph.running(
        DEPLOY,
        ir.task(DEPLOY, parameters=_release(), retries=plan.policy.retries),
        executors.driver(plan, command, **platform),
        inputs=ir.ends(parameters=_RELEASE_INPUT),
        outputs=ir.ends(artifacts=[_ENDPOINTS]),
    )


def _orchestrate(plan: WorkflowPlan) -> Graph:
    """Return the task that moves the messages. Tried again, it would run the pipeline a second time: it is not."""
    command = driver_calls.run(
        pipeline=PIPELINE_FOLDER,
        endpoints=ir.input_path(_ENDPOINTS),
        wait=str(plan.policy.deadlines.start),
        timeout=ir.input_parameter(RUN_SECONDS),
        duration=ir.input_parameter(RUN_DURATION),
        iterations=ir.input_parameter(ITERATIONS),
    )
    # The policies of the deployment let nobody else call the nodes.
    platform = executors.mounted(plan.pipeline_maps, PIPELINE_FOLDER) | executors.labelled(plan, labels.ORCHESTRATOR)
    own: dict[str, ParameterValue] = {name: plan.parameters[name] for name in (RUN_SECONDS, RUN_DURATION, ITERATIONS)}
    return graph.running(
        ORCHESTRATE,
        ir.task(
            ORCHESTRATE,
            after=[DEPLOY],
            parameters=ir.of_pipeline(own),
            artifacts={_ENDPOINTS: ir.from_task(DEPLOY, _ENDPOINTS)},
        ),
        executors.driver(plan, command, **platform),
        inputs=ir.ends(parameters=graph.required(own), artifacts=[_ENDPOINTS]),
    )


def _hold(plan: WorkflowPlan) -> Graph:
    """Return what keeps a deployment: for the time of the run, or until somebody terminates the run."""
    own = plan.parameters
    command = driver_calls.hold(timeout=ir.input_parameter(RUN_SECONDS) if RUN_SECONDS in own else None)
    return graph.running(
        HOLD,
        ir.task(HOLD, after=[DEPLOY], parameters=ir.of_pipeline(own)),
        executors.driver(plan, command),
        inputs=ir.ends(parameters=graph.required(own)),
    )


def _teardown(plan: WorkflowPlan) -> Graph:
    command = driver_calls.teardown(name=ir.input_parameter(_RELEASE), namespace=f"$({_NAMESPACE})")
    given = {**_release(), _STATUS: {"taskFinalStatus": {"producerTask": SESSION}}}
    # Whoever looks at the task sees in its input how the session has ended.
    declared: dict[str, ir.Data] = {
        **_RELEASE_INPUT,
        _STATUS: {"parameterType": "TASK_FINAL_STATUS", "isOptional": True},
    }
    return graph.running(
        TEARDOWN,
        ir.task(TEARDOWN, after=[SESSION], parameters=given, retries=plan.policy.retries, is_exit=True),
        executors.driver(plan, command, **_fields(_NAMESPACE)),
        inputs=ir.ends(parameters=declared),
    )


def _release() -> dict[str, ir.Data]:
    """Return the name of the release: each run has one of its own, so that none takes another's nodes away."""
    return {_RELEASE: ir.constant(ir.RUN_ID)}


def _fields(*names: str) -> ir.Data:
    return {"fieldPathAsEnv": [{"name": name, "fieldPath": _FIELDS[name]} for name in names]}
