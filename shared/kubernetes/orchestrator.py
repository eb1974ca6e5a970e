"""The orchestrator node that Slipway adds to a pipeline: it finds its pipeline in a folder and starts it by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.kubernetes import labels, networking, pods, volumes, workloads
from shared.kubernetes.choices import AUTOSTART_VARIABLE, DIRECTORY_VARIABLE, Choice
from shared.kubernetes.configuration import projected_volume
from shared.kubernetes.labels import Identity
from shared.solution import GRPC_PORT, ORCHESTRATOR, SharedFolder
from shared.version import VERSION

# What `make images` builds, for whoever configured no other.
DEFAULT_IMAGE = f"slipway/orchestrator:{VERSION}"
PORT_NAME = "mc-api"  # Graphene's

DIRECTORY = "/etc/slipway/pipeline"
DIGEST_ANNOTATION = "slipway.dev/pipeline-digest"

_TEMPORARY = "/tmp"  # noqa: S108 - the only place that the container may write to
_TEMPORARY_LIMIT = "1Gi"  # messages that wait on disk; more, and the pod is evicted instead of filling the machine


def deployment(
    *,
    identity: Identity,
    choice: Choice,
    image: str,
    folders: tuple[SharedFolder, ...],
    preparation: Mapping[str, Any] | None,
    account: str | None,
    config_maps: Sequence[str],
    digest: str,
    autostart: bool,
    traces: Mapping[str, str],
) -> dict[str, Any]:
    """Return the Deployment. One pod at a time: two would run the pipeline twice."""
    volume_mounts: list[dict[str, Any]] = [{"name": "pipeline", "mountPath": DIRECTORY, "readOnly": True}]
    other_volumes = [projected_volume("pipeline", config_maps)]
    if _TEMPORARY not in {folder.mount_path for folder in folders}:
        volume_mounts.append({"name": "temporary", "mountPath": _TEMPORARY})
        other_volumes.append({"name": "temporary", "emptyDir": {"sizeLimit": _TEMPORARY_LIMIT}})
    container = pods.container(
        name=ORCHESTRATOR,
        image=image,
        choice=choice,
        ports={PORT_NAME: GRPC_PORT},
        environment={
            **traces,
            **choice.environment,
            **volumes.variables(folders),
            DIRECTORY_VARIABLE: DIRECTORY,
            AUTOSTART_VARIABLE: "true" if autostart else "false",
        },
        volume_mounts=[*volume_mounts, *volumes.mounts(folders)],
        read_only=True,
    )
    pod = pods.pod(
        containers=[container],
        choice=choice,
        folders=folders,
        preparation=preparation,
        account=account,
        other_volumes=other_volumes,
    )
    return workloads.deployment(
        ORCHESTRATOR,
        labels.ORCHESTRATOR,
        identity=identity,
        choice=choice,
        pod=pod,
        annotations={DIGEST_ANNOTATION: digest},
        alone=True,
    )


def service(*, identity: Identity, choice: Choice) -> dict[str, Any]:
    """Return the Service, on Graphene's port."""
    return networking.service(
        ORCHESTRATOR,
        labels.ORCHESTRATOR,
        identity=identity,
        type_=choice.service_type,
        port_name=PORT_NAME,
        port=GRPC_PORT,
        target_port=GRPC_PORT,
    )
