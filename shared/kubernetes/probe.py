"""Graphene's probe: a page that shows the messages of a pipeline, with nginx beside it that serves the protos.

The images are the operator's; without both there is no probe, and a finding says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.kubernetes import labels, networking, pods, workloads
from shared.kubernetes.choices import Choice
from shared.kubernetes.configuration import projected_volume
from shared.kubernetes.labels import Identity

NAME = "probe"
PORT = 5006
PORT_NAME = "probe-api"
_SCHEMA_PORT = 80
_SCHEMA_FOLDER = "/usr/share/nginx/html"


def deployment(
    name: str,
    *,
    identity: Identity,
    choice: Choice,
    image: str,
    nginx: str,
    config_maps: Sequence[str],
) -> dict[str, Any]:
    """Return the Deployment with both containers. nginx finds the protos in the pipeline's ConfigMaps."""
    page = pods.container(
        name=name,
        image=image,
        choice=choice,
        ports={PORT_NAME: PORT},
        environment={
            "NEXUSENDPOINTURL": f"http://localhost:{_SCHEMA_PORT}",
            "ACUMOS_PROBE_EXTERNAL_PORT": str(PORT),
            **choice.environment,
        },
        probed_port=PORT,
    )
    server = pods.container(
        name="nginx",
        image=nginx,
        choice=choice,
        ports={"probe-schema": _SCHEMA_PORT},
        environment={},
        volume_mounts=[{"name": "pipeline", "mountPath": _SCHEMA_FOLDER, "readOnly": True}],
        probed_port=None,
    )
    pod = pods.pod(
        containers=[page, server],
        choice=choice,
        folders=(),
        preparation=None,
        account=None,
        other_volumes=[projected_volume("pipeline", config_maps)],
    )
    return workloads.deployment(name, labels.PROBE, identity=identity, choice=choice, pod=pod)


def service(name: str, *, identity: Identity, choice: Choice) -> dict[str, Any]:
    """Return the Service of the page."""
    return networking.service(
        name,
        labels.PROBE,
        identity=identity,
        type_=choice.service_type,
        port_name=PORT_NAME,
        port=PORT,
        target_port=PORT,
    )
