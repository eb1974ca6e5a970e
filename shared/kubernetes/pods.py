"""Pod templates: the closed set of fields that our pods have, hardened alike whatever runs in them.

Containers stand before init containers: Graphene's playground pulls the first image that it finds in a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from shared.kubernetes import volumes
from shared.kubernetes.choices import Choice
from shared.kubernetes.options import Toleration
from shared.solution import GRPC_PORT, SharedFolder

STARTUP_SECONDS = 20 * 60  # models of many GB load slowly from shared storage
_STARTUP_PERIOD_SECONDS = 5


def container(
    *,
    name: str,
    image: str,
    choice: Choice,
    ports: Mapping[str, int],
    environment: Mapping[str, str],
    volume_mounts: Sequence[Mapping[str, Any]] = (),
    probed_port: int | None = GRPC_PORT,
    read_only: bool = False,
) -> dict[str, Any]:
    """Return a container; `ports` by their names, `probed_port` None for one that nobody waits for."""
    made: dict[str, Any] = {"name": name, "image": image, "imagePullPolicy": choice.image_pull_policy}
    if environment:
        made["env"] = [{"name": variable, "value": value} for variable, value in environment.items()]
    made["ports"] = [{"name": port_name, "containerPort": port} for port_name, port in ports.items()]
    if probed_port is not None:
        made |= _probes(choice.probes, probed_port)
    made["resources"] = choice.resources
    made["securityContext"] = _container_security(restricted=choice.is_restricted, read_only=read_only)
    if volume_mounts:
        made["volumeMounts"] = list(volume_mounts)
    return made


def pod(
    *,
    containers: Sequence[Mapping[str, Any]],
    choice: Choice,
    folders: tuple[SharedFolder, ...],
    preparation: Mapping[str, Any] | None,
    account: str | None,
    other_volumes: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the spec of a pod; `account` names its ServiceAccount, None means the namespace's default."""
    spec: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _pod_security(choice, has_folders=bool(folders)),
        "containers": list(containers),
    }
    if account:
        spec["serviceAccountName"] = account
    if preparation:
        spec["initContainers"] = [_with_cpu_of(choice, preparation)]
    if choice.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": secret} for secret in choice.image_pull_secrets]
    if choice.node_selector:
        spec["nodeSelector"] = dict(choice.node_selector)
    if choice.tolerations:
        spec["tolerations"] = [_toleration(toleration) for toleration in choice.tolerations]
    mounted = [*other_volumes, *volumes.volumes(folders)]
    if mounted:
        spec["volumes"] = mounted
    return spec


def _with_cpu_of(choice: Choice, preparation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the init container with the share of a processor that its node has, because a quota may demand one.

    It costs nothing: the containers of a pod come after it, and what counts is the larger share of both.
    """
    cpu = {kind: {"cpu": amounts["cpu"]} for kind, amounts in choice.resources.items() if "cpu" in amounts}
    resources = {kind: {**cpu.get(kind, {}), **amounts} for kind, amounts in preparation["resources"].items()}
    return {**preparation, "resources": resources}


def _probes(kind: str, port: int) -> dict[str, Any]:
    if kind == "none":
        return {}
    check: dict[str, Any] = {"grpc": {"port": port}} if kind == "grpc" else {"tcpSocket": {"port": port}}
    startup = {
        "periodSeconds": _STARTUP_PERIOD_SECONDS,
        "timeoutSeconds": 3,
        "failureThreshold": STARTUP_SECONDS // _STARTUP_PERIOD_SECONDS,
    }
    readiness = {"periodSeconds": 10, "timeoutSeconds": 3, "failureThreshold": 3}
    # No liveness probe: a node that computes for minutes is busy, not dead, and a restart would lose its work.
    return {"startupProbe": check | startup, "readinessProbe": check | readiness}


def _container_security(*, restricted: bool, read_only: bool) -> dict[str, Any]:
    context: dict[str, Any] = {"allowPrivilegeEscalation": False}
    if read_only:
        context["readOnlyRootFilesystem"] = True
    # Images that start as root need some capabilities; forging packets of other pods is none of them.
    context["capabilities"] = {"drop": ["ALL" if restricted or read_only else "NET_RAW"]}
    return context


def _pod_security(choice: Choice, *, has_folders: bool) -> dict[str, Any]:
    context: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if choice.is_restricted or choice.run_as_non_root:
        context["runAsNonRoot"] = True
    if choice.run_as_user is not None:
        context["runAsUser"] = choice.run_as_user
    if has_folders:
        # Volumes that support it are handed to the group as a whole, but only where the top folder is not so already.
        context |= {"fsGroup": volumes.SHARED_GROUP, "fsGroupChangePolicy": "OnRootMismatch"}
    return context


def _toleration(toleration: Toleration) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(toleration)
    return {key: value for key, value in fields.items() if value not in ("", UNSET)}
