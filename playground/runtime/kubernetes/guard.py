"""What stands around every deployment: what its pods may use together, what each gets, who may speak with whom. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.runtime.deployment import DeploymentId
from playground.runtime.kubernetes import isolation, words
from playground.runtime.kubernetes.isolation import Borders
from playground.runtime.kubernetes.record import Record
from playground.runtime.kubernetes.settings import Settings
from shared import naming
from shared.kubernetes.policies import METADATA_IPV4, METADATA_IPV6

NAME = "slipway-guard"
ENFORCE = "pod-security.kubernetes.io/enforce"
WARN = "pod-security.kubernetes.io/warn"
_OBJECTS = 300
"""Of each kind that costs the cluster little; a pipeline of 60 nodes has 120 Services."""
Manifest = dict[str, Any]


def namespace_labels(settings: Settings, deployment: DeploymentId, record: Record) -> dict[str, str]:
    """Return the labels of the namespace."""
    made = dict(words.labels(settings.installation, deployment))
    made |= {words.OWNER: words.owner_hash(record.owner.id), ENFORCE: settings.pod_security}
    if record.current:
        revision = record.revision
        told = {words.DIGEST: revision.digest[: naming.LABEL_LIMIT]}
        if revision.ids:
            told |= {words.SOLUTION_ID: revision.ids.solution_id, words.REVISION_ID: revision.ids.revision_id}
        made |= {key: value for key, text in told.items() if (value := naming.label_value(text))}
    return made


def borders(settings: Settings, server_namespace: str) -> Borders:
    """Return what the settings say about traffic."""
    closed = (*settings.closed, *map(isolation.network, (METADATA_IPV4, METADATA_IPV6)))
    return Borders(server_namespace, tuple(dict.fromkeys(closed)), settings.outside)


def objects(settings: Settings, limits: Borders, *, has_own_policies: bool) -> list[Manifest]:
    """Return the objects that every namespace has, before anything of a bundle."""
    return [_quota(settings), _limits(settings), *isolation.policies(limits, has_own=has_own_policies)]


def role_binding(settings: Settings) -> Manifest | None:
    """Return what gives the server its rights in the namespace; None where it has them already."""
    if settings.account is None:
        return None
    namespace, name = settings.account
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": NAME},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": settings.role},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": name}],
    }


def _quota(settings: Settings) -> Manifest:
    hard: Mapping[str, str] = {
        "pods": str(settings.pods),
        "requests.cpu": settings.cpu,
        "requests.memory": settings.memory,
        "limits.memory": settings.memory_limit,
        "requests.storage": settings.storage,
        "persistentvolumeclaims": str(settings.claims),
        "services.loadbalancers": "0",
        "services": str(_OBJECTS),
        "configmaps": str(_OBJECTS),
        "secrets": str(_OBJECTS),
    }
    if not settings.node_ports:
        hard = {**hard, "services.nodeports": "0"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": NAME}, "spec": {"hard": dict(hard)}}


def _limits(settings: Settings) -> Manifest:
    each = {
        "type": "Container",
        "defaultRequest": {"cpu": settings.container_cpu, "memory": settings.container_memory},
        "default": {"memory": settings.container_memory_limit},
    }
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": NAME}, "spec": {"limits": [each]}}
