"""What the driver must be allowed to apply and remove manifests: as much as they need, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from shared.workflows.objects import Objects, metadata
from shared.workflows.plan import WorkflowPlan

_CORE = {"Service": "services", "ConfigMap": "configmaps", "PersistentVolumeClaim": "persistentvolumeclaims"}
_RESOURCES: Mapping[str, tuple[str, str]] = {
    **{kind: ("", resource) for kind, resource in _CORE.items()},
    "ServiceAccount": ("", "serviceaccounts"),
    "Deployment": ("apps", "deployments"),
    "Job": ("batch", "jobs"),
    "NetworkPolicy": ("networking.k8s.io", "networkpolicies"),
    "Ingress": ("networking.k8s.io", "ingresses"),
}
_APPLY = ["create", "delete", "get", "list", "patch"]


def rules(plan: WorkflowPlan) -> Iterator[dict[str, Any]]:
    """Yield the rules of the role that applies the plan's bundle; none where there is nothing to apply."""
    for group, resource in sorted({_RESOURCES[_kind(content)] for content in plan.bundle.values()}):
        # Nothing here ever deletes data.
        verbs = [verb for verb in _APPLY if verb != "delete" or resource != "persistentvolumeclaims"]
        yield {"apiGroups": [group], "resources": [resource], "verbs": verbs}


def granted(plan: WorkflowPlan, name: str, account: str, wanted: Iterable[Mapping[str, Any]], short: str) -> Objects:
    """Return a role called `name`, and what binds the account to it; `short` is for the names of the files."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(plan, name),
        "rules": list(wanted),
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(plan, name),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account}],
    }
    return {f"role-{short}.yaml": role, f"rolebinding-{short}.yaml": binding}


def _kind(content: bytes) -> str:
    # The second line of what our writer writes; a test holds it against a reader.
    _, second, *_ = content.split(b"\n", 2)
    return str(yaml.safe_load(second)["kind"])
