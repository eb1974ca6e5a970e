"""Which fields an object of a bundle may have: what is not named here is refused by its name.

A tree per kind: a dict holds fields, a list holds the form of each of its items, `SCALAR` stands for one text, number or
switch, `TEXTS` for a map whose keys are free. What values may be, `admission` says, and the API server after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Final, TypeAlias

SCALAR: Final = "scalar"
TEXTS: Final = "texts"
Form: TypeAlias = "str | list[Form] | Mapping[str, Form]"

_METADATA: Form = {"name": SCALAR, "namespace": SCALAR, "labels": TEXTS, "annotations": TEXTS}
_HEAD: Mapping[str, Form] = {"apiVersion": SCALAR, "kind": SCALAR, "metadata": _METADATA}
_SELECTOR: Form = {"matchLabels": TEXTS, "matchExpressions": [{"key": SCALAR, "operator": SCALAR, "values": [SCALAR]}]}
_REFERENCE: Form = {"name": SCALAR, "optional": SCALAR}
_ITEMS: Form = [{"key": SCALAR, "path": SCALAR, "mode": SCALAR}]

_PROBE: Form = {
    "grpc": {"port": SCALAR, "service": SCALAR},
    "tcpSocket": {"port": SCALAR},
    "httpGet": {"port": SCALAR, "path": SCALAR, "scheme": SCALAR},
    "exec": {"command": [SCALAR]},
    "initialDelaySeconds": SCALAR,
    "periodSeconds": SCALAR,
    "timeoutSeconds": SCALAR,
    "failureThreshold": SCALAR,
    "successThreshold": SCALAR,
}
_VARIABLE: Form = {
    "name": SCALAR,
    "value": SCALAR,
    "valueFrom": {
        "configMapKeyRef": {"name": SCALAR, "key": SCALAR, "optional": SCALAR},
        "fieldRef": {"apiVersion": SCALAR, "fieldPath": SCALAR},
        "resourceFieldRef": {"containerName": SCALAR, "resource": SCALAR, "divisor": SCALAR},
    },
}
_CONTAINER: Form = {
    "name": SCALAR,
    "image": SCALAR,
    "imagePullPolicy": SCALAR,
    "command": [SCALAR],
    "args": [SCALAR],
    "workingDir": SCALAR,
    "env": [_VARIABLE],
    "envFrom": [{"prefix": SCALAR, "configMapRef": _REFERENCE}],
    "ports": [{"name": SCALAR, "containerPort": SCALAR, "protocol": SCALAR}],
    "resources": {"requests": TEXTS, "limits": TEXTS},
    "volumeMounts": [{"name": SCALAR, "mountPath": SCALAR, "subPath": SCALAR, "readOnly": SCALAR}],
    "startupProbe": _PROBE,
    "readinessProbe": _PROBE,
    "livenessProbe": _PROBE,
    "terminationMessagePolicy": SCALAR,
    "securityContext": {
        "allowPrivilegeEscalation": SCALAR,
        "privileged": SCALAR,
        "readOnlyRootFilesystem": SCALAR,
        "runAsNonRoot": SCALAR,
        "runAsUser": SCALAR,
        "runAsGroup": SCALAR,
        "capabilities": {"add": [SCALAR], "drop": [SCALAR]},
        "seccompProfile": {"type": SCALAR},
    },
}
_VOLUME: Form = {
    "name": SCALAR,
    "emptyDir": {"sizeLimit": SCALAR, "medium": SCALAR},
    "persistentVolumeClaim": {"claimName": SCALAR, "readOnly": SCALAR},
    "configMap": {"name": SCALAR, "optional": SCALAR, "defaultMode": SCALAR, "items": _ITEMS},
    "projected": {
        "defaultMode": SCALAR,
        "sources": [{"configMap": {"name": SCALAR, "optional": SCALAR, "items": _ITEMS}}],
    },
}
_POD: Form = {
    "containers": [_CONTAINER],
    "initContainers": [_CONTAINER],
    "volumes": [_VOLUME],
    "restartPolicy": SCALAR,
    "terminationGracePeriodSeconds": SCALAR,
    "automountServiceAccountToken": SCALAR,
    "enableServiceLinks": SCALAR,
    "serviceAccountName": SCALAR,
    "imagePullSecrets": [{"name": SCALAR}],
    "nodeSelector": TEXTS,
    "tolerations": [
        {"key": SCALAR, "operator": SCALAR, "value": SCALAR, "effect": SCALAR, "tolerationSeconds": SCALAR}
    ],
    "securityContext": {
        "runAsNonRoot": SCALAR,
        "runAsUser": SCALAR,
        "runAsGroup": SCALAR,
        "fsGroup": SCALAR,
        "fsGroupChangePolicy": SCALAR,
        "supplementalGroups": [SCALAR],
        "seccompProfile": {"type": SCALAR},
    },
}
_TEMPLATE: Form = {"metadata": {"labels": TEXTS, "annotations": TEXTS, "name": SCALAR}, "spec": _POD}
_PEERS: Form = [
    {
        "podSelector": _SELECTOR,
        "namespaceSelector": _SELECTOR,
        "ipBlock": {"cidr": SCALAR, "except": [SCALAR]},
    }
]
_PORTS: Form = [{"port": SCALAR, "protocol": SCALAR, "endPort": SCALAR}]

KINDS: Mapping[tuple[str, str], Mapping[str, Form]] = {
    ("apps/v1", "Deployment"): {
        **_HEAD,
        "spec": {
            "replicas": SCALAR,
            "revisionHistoryLimit": SCALAR,
            "progressDeadlineSeconds": SCALAR,
            "minReadySeconds": SCALAR,
            "selector": _SELECTOR,
            "strategy": {"type": SCALAR, "rollingUpdate": {"maxSurge": SCALAR, "maxUnavailable": SCALAR}},
            "template": _TEMPLATE,
        },
    },
    ("batch/v1", "Job"): {
        **_HEAD,
        "spec": {
            "backoffLimit": SCALAR,
            "activeDeadlineSeconds": SCALAR,
            "completions": SCALAR,
            "parallelism": SCALAR,
            "template": _TEMPLATE,
        },
    },
    ("v1", "Service"): {
        **_HEAD,
        "spec": {
            "type": SCALAR,
            "selector": TEXTS,
            "ports": [{"name": SCALAR, "port": SCALAR, "targetPort": SCALAR, "protocol": SCALAR}],
        },
    },
    ("v1", "PersistentVolumeClaim"): {
        **_HEAD,
        "spec": {
            "accessModes": [SCALAR],
            "storageClassName": SCALAR,
            "volumeMode": SCALAR,
            "resources": {"requests": TEXTS},
        },
    },
    ("v1", "ConfigMap"): {**_HEAD, "data": TEXTS, "binaryData": TEXTS},
    ("v1", "ServiceAccount"): {**_HEAD, "automountServiceAccountToken": SCALAR},
    ("networking.k8s.io/v1", "NetworkPolicy"): {
        **_HEAD,
        "spec": {
            "podSelector": _SELECTOR,
            "policyTypes": [SCALAR],
            "ingress": [{"from": _PEERS, "ports": _PORTS}],
            "egress": [{"to": _PEERS, "ports": _PORTS}],
        },
    },
}


def excess(value: Any, form: Form, place: str = "") -> Iterator[str]:
    """Yield the place of everything in a value that its form does not have, such as `spec.template.spec.hostNetwork`."""
    if isinstance(form, str):
        yield from _odd_leaf(value, form, place)
    elif isinstance(form, list):
        if not isinstance(value, list):
            yield from (place,) if value is not None else ()
            return
        for index, item in enumerate(value):
            inner_place = f"{place}[{index}]"
            yield from excess(item, form[0], inner_place) if item is not None else (inner_place,)
    elif isinstance(value, dict):
        for key, inner in value.items():
            inner_place = f"{place}.{key}" if place else str(key)
            if key in form:
                yield from excess(inner, form[key], inner_place)
            else:
                yield inner_place
    elif value is not None:
        yield place


def _odd_leaf(value: Any, form: str, place: str) -> Iterator[str]:
    if form == SCALAR:
        is_fine = _is_scalar(value)
    else:
        is_fine = isinstance(value, dict) and all(
            isinstance(key, str) and _is_scalar(inner) for key, inner in value.items()
        )
    if value is not None and not is_fine:
        yield place


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
