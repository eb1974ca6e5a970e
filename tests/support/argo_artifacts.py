"""A repository for the artifacts of workflows: an S3 server in a pod, described as Argo's administrators describe theirs."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
from support import images, object_store
from support.cluster import Kubectl
from support.reaching import forwarded

KEY = "s3"
"""Under which a workflow asks for it."""
NAME = "objects"
BUCKET = "artifacts"
PORT = 7070
READY_SECONDS = 90
_KEYS = {"user": "tester", "password": "only-for-tests"}


def image(desk: Path) -> str:
    """Build the server and bring it to the cluster; raises as `object_store.build`."""
    return images.of_program(object_store.build(desk) / "versitygw")


def start(kubectl: Kubectl, image: str) -> None:
    """Start the server in the namespace."""
    keys = {
        f"{which}KeySecret": {"name": NAME, "key": key} for which, key in (("access", "user"), ("secret", "password"))
    }
    reached = {"endpoint": f"{NAME}:{PORT}", "insecure": True, "bucket": BUCKET, "createBucketIfNotPresent": {}}
    names = {"ROOT_ACCESS_KEY": "user", "ROOT_SECRET_KEY": "password"}
    variables = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": NAME, "key": key}}} for name, key in names.items()
    ]
    container = {
        "name": NAME,
        "image": image,
        "args": ["posix", "/data"],
        "env": variables,
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }
    labels = {"app": NAME}
    kubectl.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": NAME}, "stringData": _KEYS},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "artifact-repositories"},
            "data": {KEY: json.dumps({"s3": {**reached, **keys}})},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME},
            "spec": {"selector": labels, "ports": [{"port": PORT}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": NAME, "labels": labels},
            "spec": {"containers": [container], "volumes": [{"name": "data", "emptyDir": {}}]},
        },
    )
    kubectl("wait", "pod", NAME, "--for=condition=Ready", f"--timeout={READY_SECONDS}s")


def stored(kubectl: Kubectl) -> dict[str, bytes]:
    """Return what is in the repository, by the name of the file."""
    with forwarded(kubectl, NAME, PORT) as address:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{address}",
            region_name="us-east-1",
            aws_access_key_id=_KEYS["user"],
            aws_secret_access_key=_KEYS["password"],
        )
        keys = [each["Key"] for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {key.rpartition("/")[2]: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
