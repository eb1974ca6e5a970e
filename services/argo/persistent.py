"""Mode `persistent`: the workflow deploys the solution, holds it until it is stopped, and removes it at the end.

What is deployed belongs to the workflow (owner references), so it goes with it even where Argo runs no exit handler.
"""

from __future__ import annotations

from services.argo import containers, templates
from shared.workflows import driver_calls
from shared.workflows.plan import BUNDLE_FOLDER, WorkflowPlan

_OWNER = "Workflow/{{workflow.name}}/{{workflow.uid}}"
_NAMESPACE = "{{workflow.namespace}}"
# Of each run its own: a second one finds the names taken, and leaves them alone.
_RELEASE = "{{workflow.name}}"
_ENDPOINTS = f"{containers.TEMPORARY}/endpoints.json"


def build(plan: WorkflowPlan, *, account: str) -> tuple[list[templates.Template], list[templates.Template]]:
    """Return tasks and templates; `account` may create what is deployed."""
    tasks = [
        templates.task(templates.DEPLOY, templates.DEPLOY),
        templates.task(templates.HOLD, templates.HOLD, [templates.DEPLOY]),
    ]
    finish = {
        "name": templates.FINISH,
        "steps": [
            [{"name": templates.TEARDOWN, "template": templates.TEARDOWN}],
            [{"name": templates.REPORT, "template": templates.REPORT}],
        ],
    }
    # Without a duration it waits for whoever stops the workflow.
    hold: templates.Template = {"name": templates.HOLD, "suspend": {}}
    return tasks, [_deploy(plan, account), hold, _teardown(plan, account), finish]


def _deploy(plan: WorkflowPlan, account: str) -> templates.Template:
    command = driver_calls.deploy(
        bundle=BUNDLE_FOLDER,
        name=_RELEASE,
        namespace=_NAMESPACE,
        owner=_OWNER,
        endpoint_file=_ENDPOINTS,
        timeout=str(plan.policy.deadlines.start),
    )
    outputs = {"parameters": [{"name": "endpoints", "valueFrom": {"path": _ENDPOINTS}}]}
    made: templates.Template = {"name": templates.DEPLOY, "outputs": outputs, **_may(account)}
    return made | templates.retried(plan.policy.retries) | {"container": containers.driver(plan, command, "bundle")}


def _teardown(plan: WorkflowPlan, account: str) -> templates.Template:
    command = driver_calls.teardown(name=_RELEASE, namespace=_NAMESPACE)
    made: templates.Template = {"name": templates.TEARDOWN, **_may(account), **templates.retried(plan.policy.retries)}
    return made | {"container": containers.driver(plan, command)}


def _may(account: str) -> templates.Template:
    return {"serviceAccountName": account, "automountServiceAccountToken": True}
