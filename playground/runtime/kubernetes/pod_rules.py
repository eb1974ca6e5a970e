"""What the pods of a stranger's bundle may be, beyond the fields that they may have; and what every pod is made to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from shared.findings import Finding, note, quoted
from shared.kubernetes.grammar import amount

Manifest: TypeAlias = Mapping[str, Any]

# What an image that starts as root may need to become somebody else; none of it reaches beyond the container.
_CAPABILITIES = frozenset(
    {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SETPCAP"}
)
_FIELD_REFERENCES = frozenset(
    {"metadata.name", "metadata.namespace", "metadata.uid", "status.podIP", "status.podIPs", "spec.nodeName"}
)
_MACHINES_OWN = ("node-role.kubernetes.io/", "node.kubernetes.io/")
"""Taints with which an operator keeps pods off machines."""
_VOLUME_SOURCES = frozenset({"emptyDir", "persistentVolumeClaim", "configMap", "projected"})
_RESTARTS = frozenset({"Always", "OnFailure", "Never"})
MOST_GRACE_SECONDS = 300


def containers(pod: Manifest) -> Iterator[Manifest]:
    """Yield all containers of a pod, those that prepare it too."""
    for key in ("initContainers", "containers"):
        for container in pod.get(key) or []:
            if isinstance(container, dict):
                yield container


def problems(pod: Manifest) -> Iterator[str]:
    """Yield why a pod may not run."""
    if not pod.get("containers"):
        yield "no containers"
    yield from _security_problems(pod.get("securityContext") or {}, "the pod")
    for toleration in pod.get("tolerations") or []:
        key = str(toleration.get("key") or "")
        if not key or key.startswith(_MACHINES_OWN):
            yield f"a toleration of {quoted(key) if key else 'everything'}"
    if pod.get("restartPolicy", "Always") not in _RESTARTS:
        yield "an unknown restartPolicy"
    grace = pod.get("terminationGracePeriodSeconds", 0)
    if not isinstance(grace, int) or not 0 <= grace <= MOST_GRACE_SECONDS:
        yield f"terminationGracePeriodSeconds that is not within 0 and {MOST_GRACE_SECONDS}"
    for volume in pod.get("volumes") or []:
        if len(set(volume) & _VOLUME_SOURCES) != 1:
            yield f"volume {quoted(volume.get('name'))} that is not one of {', '.join(sorted(_VOLUME_SOURCES))}"
    for container in containers(pod):
        name = quoted(container.get("name"))
        yield from _security_problems(container.get("securityContext") or {}, f"container {name}")
        yield from _variable_problems(container, name)


def made(pod: Manifest, place: str, *, memory: str) -> tuple[dict[str, Any], list[Finding]]:
    """Return the pod as it runs here: no token, no Secrets of the bundle's choice, and hardened where nothing is said.

    A container that says nothing may use `memory`; one that asks for more may use what it asks for.
    """
    findings = []
    named = [secret.get("name") for secret in pod.get("imagePullSecrets") or []]
    if named:
        found = f"imagePullSecrets {', '.join(map(quoted, named))}"
        expected = "the playground's own access to its registries"
        findings.append(note("pull-secret-left-out", place, expected=expected, found=found))
    changed = {key: value for key, value in pod.items() if key != "imagePullSecrets"}
    changed |= {"automountServiceAccountToken": False, "enableServiceLinks": False}
    changed["securityContext"] = {"seccompProfile": {"type": "RuntimeDefault"}, **(pod.get("securityContext") or {})}
    for key in ("initContainers", "containers"):
        if pod.get(key):
            changed[key] = [_hardened(container, memory) for container in pod[key]]
    return changed, findings


def _hardened(container: Manifest, memory: str) -> dict[str, Any]:
    context = dict(container.get("securityContext") or {})
    capabilities = dict(context.get("capabilities") or {})
    dropped = list(capabilities.get("drop") or [])
    # Forging packets of other pods is in the default set of most engines.
    capabilities["drop"] = dropped if {"ALL", "NET_RAW"} & set(dropped) else [*dropped, "NET_RAW"]
    context |= {"allowPrivilegeEscalation": False, "capabilities": capabilities}
    return {**container, "securityContext": context, "resources": _bounded(container.get("resources") or {}, memory)}


def _bounded(resources: Manifest, memory: str) -> dict[str, Any]:
    """Return the resources with a limit of memory where the one of the namespace would lie below what is asked for."""
    asked, limits = (resources.get("requests") or {}).get("memory"), resources.get("limits") or {}
    if asked is None or "memory" in limits or not _is_more(str(asked), memory):
        return dict(resources)
    return {**resources, "limits": {**limits, "memory": asked}}


def _is_more(asked: str, memory: str) -> bool:
    try:
        return amount(asked) > amount(memory)
    except (ArithmeticError, KeyError):
        return False  # the API server says what is wrong with it


def _security_problems(context: Manifest, whose: str) -> Iterator[str]:
    for key in ("privileged", "allowPrivilegeEscalation"):
        if context.get(key) not in (None, False):
            yield f"{key} of {whose}"
    profile = (context.get("seccompProfile") or {}).get("type", "RuntimeDefault")
    if profile != "RuntimeDefault":
        yield f"seccompProfile {quoted(profile)} of {whose}"
    added = set((context.get("capabilities") or {}).get("add") or [])
    for capability in sorted(str(each) for each in added if each not in _CAPABILITIES):
        yield f"capability {quoted(capability)} of {whose}"


def _variable_problems(container: Manifest, name: str) -> Iterator[str]:
    for variable in container.get("env") or []:
        reference = (variable.get("valueFrom") or {}).get("fieldRef") or {}
        if reference and reference.get("fieldPath") not in _FIELD_REFERENCES:
            yield f"variable {quoted(variable.get('name'))} of container {name}, from {quoted(reference.get('fieldPath'))}"
