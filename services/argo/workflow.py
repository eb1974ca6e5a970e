"""The Workflow, the template of it, and its schedule. Each carries everything: daemons started through references never stop."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from services.argo import access, containers, daemons, persistent, steps, templates
from services.argo.options import Options
from shared.kubernetes import pods
from shared.kubernetes.grammar import text
from shared.workflows import objects as objects_of_workflows
from shared.workflows.modes import Mode
from shared.workflows.plan import WorkflowPlan
from shared.workflows.policy import Deadlines, Schedule

API = "argoproj.io/v1alpha1"
_HISTORY = 3  # runs that a schedule leaves for whoever looks


def objects(plan: WorkflowPlan, options: Options) -> dict[str, dict[str, Any]]:
    """Return the objects by file name. The Workflow has no name: each submission is one of its own."""
    spec = _spec(plan, options)
    metadata = objects_of_workflows.metadata(plan, plan.identity.instance)
    unnamed = {"generateName": f"{plan.identity.instance}-", "labels": metadata["labels"]}
    made = {
        "workflow.yaml": {"apiVersion": API, "kind": "Workflow", "metadata": unnamed, "spec": spec},
        "workflow-template.yaml": {
            "apiVersion": API,
            "kind": "WorkflowTemplate",
            "metadata": metadata,
            # Runs that somebody starts on Argo's page are found by the same labels.
            "spec": {**spec, "workflowMetadata": {"labels": metadata["labels"]}},
        },
    }
    if options.schedule:
        cron = {**_cron(options.schedule), "workflowMetadata": {"labels": metadata["labels"]}, "workflowSpec": spec}
        made["cron-workflow.yaml"] = {"apiVersion": API, "kind": "CronWorkflow", "metadata": metadata, "spec": cron}
    return made


def _spec(plan: WorkflowPlan, options: Options) -> dict[str, Any]:
    tasks, made = _build(plan, options)
    pod = pods.pod(
        containers=[],
        choice=plan.driver,
        folders=plan.solution.shared_folders,
        preparation=None,
        account=plan.identity.instance,
    )
    spec: dict[str, Any] = {
        "entrypoint": templates.PIPELINE,
        "onExit": templates.FINISH if plan.mode is Mode.PERSISTENT else templates.REPORT,
        "serviceAccountName": plan.identity.instance,
        "automountServiceAccountToken": False,
        "executor": {"serviceAccountName": access.executor(plan)},
        "ttlStrategy": {"secondsAfterCompletion": options.keep},
        "podMetadata": {"labels": objects_of_workflows.pod_labels(plan)},
        "securityContext": _pod_security(pod["securityContext"]),
    }
    if deadline := _deadline(plan, options.deadlines.workflow):
        spec["activeDeadlineSeconds"] = deadline
    if "imagePullSecrets" in pod:
        spec["imagePullSecrets"] = pod["imagePullSecrets"]
    if options.artifacts and plan.mode is Mode.STEPS:
        spec["artifactRepositoryRef"] = {"configMap": options.artifacts.config_map, "key": options.artifacts.key}
    if plan.parameters:
        # Argo takes texts only.
        given = [{"name": name, "value": text(value)} for name, value in plan.parameters.items()]
        spec["arguments"] = {"parameters": given}
    spec["volumes"] = containers.all_volumes(plan)
    spec["templates"] = [templates.dag(tasks), *made, templates.report(plan)]
    return spec


def _deadline(plan: WorkflowPlan, chosen: int) -> int:
    """Return the deadline of the whole, 0 for none: the default must not end what somebody is to stop."""
    if plan.mode is Mode.PERSISTENT or (plan.is_open_ended and chosen == Deadlines().workflow):
        return 0
    return chosen


def _build(plan: WorkflowPlan, options: Options) -> tuple[list[templates.Template], list[templates.Template]]:
    match plan.mode:
        case Mode.STEPS:
            return steps.build(plan)
        case Mode.SERVICES:
            return daemons.build(plan, stable_dns=options.stable_dns, account=access.deployer(plan))
        case Mode.PERSISTENT:
            return persistent.build(plan, account=access.deployer(plan))
        case Mode.JOBS:
            return templates.beginning(plan)


def _pod_security(context: dict[str, Any]) -> dict[str, Any]:
    """Return what holds for all containers, Argo's own among them: whose user they run as, each says itself."""
    return {key: value for key, value in context.items() if key not in {"runAsUser", "runAsNonRoot"}}


def _cron(schedule: Schedule) -> dict[str, Any]:
    made: dict[str, Any] = {"schedules": list(schedule.cron)}
    if schedule.time_zone is not UNSET:
        made["timezone"] = schedule.time_zone
    return made | {
        "concurrencyPolicy": schedule.concurrency,
        "startingDeadlineSeconds": schedule.starting_deadline,
        "successfulJobsHistoryLimit": _HISTORY,
        "failedJobsHistoryLimit": _HISTORY,
        "suspend": schedule.suspended,
    }
