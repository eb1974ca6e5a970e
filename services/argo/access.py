"""Who may do what: pods of the nodes nothing, Argo's executor tell its results, the driver what the mode needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.workflows import rights
from shared.workflows.modes import Mode
from shared.workflows.objects import Objects, metadata
from shared.workflows.plan import WorkflowPlan

_RESULTS = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}


def executor(plan: WorkflowPlan) -> str:
    """Return the name of the account that Argo's executor runs under; no container of the author sees its token."""
    return f"{plan.stem}-executor"


def deployer(plan: WorkflowPlan) -> str:
    """Return the name of the account under which the workflow creates objects."""
    return f"{plan.stem}-deployer"


def objects(plan: WorkflowPlan, *, stable_dns: bool) -> Objects:
    """Return accounts, roles and bindings by file name."""
    made: Objects = {"serviceaccount.yaml": _account(plan, plan.identity.instance)}
    made |= _allowed(plan, executor(plan), [_RESULTS], "executor")
    made["secret-executor.yaml"] = _token(plan, executor(plan))
    if plan.mode is Mode.SERVICES and stable_dns and plan.solution.is_pipeline:
        # Argo's executor itself makes the Services, and tells so.
        services = {"apiGroups": [""], "resources": ["services"], "verbs": ["create", "get"]}
        made |= _allowed(plan, deployer(plan), [services, _RESULTS], "deployer")
        made["secret-deployer.yaml"] = _token(plan, deployer(plan))
    elif rules := list(rights.rules(plan)):
        made |= _allowed(plan, deployer(plan), rules, "deployer")
        # Argo passes on a template's `false`, but not its `true`: the account decides whether its pods get a token.
        made["serviceaccount-deployer.yaml"]["automountServiceAccountToken"] = True
    return made


def _allowed(plan: WorkflowPlan, name: str, rules: Iterable[dict[str, Any]], short: str) -> Objects:
    return {f"serviceaccount-{short}.yaml": _account(plan, name)} | rights.granted(plan, name, name, rules, short)


def _account(plan: WorkflowPlan, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(plan, name),
        "automountServiceAccountToken": False,
    }


def _token(plan: WorkflowPlan, account: str) -> dict[str, Any]:
    """Return the Secret that Kubernetes fills with an executor's token: Argo mounts it by this name, and only there."""
    made = metadata(plan, f"{account}.service-account-token")
    made["annotations"] = {"kubernetes.io/service-account.name": account}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": made, "type": "kubernetes.io/service-account-token"}
