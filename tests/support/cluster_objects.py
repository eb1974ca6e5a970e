"""Objects as a real API server reports them, cut down to what is read of them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]

SELECTOR = {"app": "a", "app.kubernetes.io/instance": "demo-1"}


def deployment(name: str = "a", *, wanted: int = 1, conditions: Any = (), **status: int) -> Object:
    """Return a Deployment; without a status, one that nobody has looked at yet."""
    labels = {**SELECTOR, "app": name}
    pod = {"containers": [{"name": name, "image": f"registry.example/{name}:1"}]}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels, "generation": 1, "uid": f"uid-{name}"},
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        "status": {"observedGeneration": 1, "conditions": list(conditions), **status} if status or conditions else {},
    }


def ready_deployment(name: str = "a", replicas: int = 1) -> Object:
    """Return a Deployment all of whose pods are as they should be."""
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return deployment(name, wanted=replicas, **dict.fromkeys(counts, replicas))


def job(name: str = "loader", *conditions: Object) -> Object:
    """Return a Job."""
    labels = {**SELECTOR, "app": name}
    pod = {"containers": [{"name": name, "image": f"registry.example/{name}:1"}], "restartPolicy": "Never"}
    return {
        "kind": "Job",
        "metadata": {"name": name, "labels": labels, "uid": f"uid-{name}"},
        "spec": {"template": {"metadata": {"labels": labels}, "spec": pod}},
        "status": {"conditions": list(conditions)},
    }


def pod(
    app: str = "a",
    *containers: Object,
    name: str = "",
    phase: str = "Pending",
    ready: bool = False,
    made: str = "2026-01-01T00:00:00Z",
    labels: dict[str, str] | None = None,
    spec: Object | None = None,
    ending: bool = False,
    **status: Any,
) -> Object:
    """Return a pod of a node with the statuses of its containers."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}, *status.pop("conditions", ())]
    metadata = {
        "name": name or f"{app}-5d4f8c7b9-x2x7q",
        "labels": {**SELECTOR, "app": app, **(labels or {})},
        "creationTimestamp": made,
        "uid": f"uid-{name or app}",
    }
    return {
        "kind": "Pod",
        "metadata": {**metadata, **({"deletionTimestamp": made} if ending else {})},
        "spec": {"containers": [{"name": app, "image": f"registry.example/{app}:1"}], **(spec or {})},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": list(containers), **status},
    }


def container(
    name: str = "a", *, restarts: int = 0, ready: bool = False, last: Object | None = None, **state: Any
) -> Object:
    """Return the status of a container; `state` is one of `waiting`, `running`, `terminated`."""
    made = {
        "name": name,
        "image": f"registry.example/{name}:1",
        "restartCount": restarts,
        "ready": ready,
        "state": state,
    }
    return {**made, "lastState": {"terminated": last} if last else {}}


def waiting(reason: str, message: str = "", name: str = "a", **more: Any) -> Object:
    """Return the status of a container that waits."""
    return container(name, waiting={"reason": reason, "message": message}, **more)


def event(about: Object, reason: str, message: str, at: str = "2026-01-01T00:00:05Z") -> Object:
    """Return what the cluster says about an object."""
    metadata = about["metadata"]
    involved = {"kind": about["kind"], "name": metadata["name"], "uid": metadata.get("uid")}
    times = {"lastTimestamp": at, "eventTime": None}
    return {
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{at}", "creationTimestamp": at},
        "involvedObject": {key: value for key, value in involved.items() if value},
        "reason": reason,
        "message": message,
        **times,
    }


def claim(phase: str = "Pending", storage_class: str | None = "standard") -> Object:
    """Return the claim of a shared folder."""
    spec = {"accessModes": ["ReadWriteMany"], **({"storageClassName": storage_class} if storage_class else {})}
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shared-folder", "uid": "uid-claim", "labels": SELECTOR},
        "spec": spec,
        "status": {"phase": phase},
    }
