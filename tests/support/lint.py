"""What no schema sees in a set of Kubernetes objects: names, references between them, and what a pod must not have."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Manifest = Mapping[str, Any]

KINDS = {
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "Ingress": "networking.k8s.io/v1",
    "Job": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "Service": "v1",
    "ServiceAccount": "v1",
}
INSTANCE = "app.kubernetes.io/instance"
# The copy that `kubectl apply` keeps has to fit into the annotations of an object.
MAX_APPLIED_BYTES = 256 * 1024

_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LABEL_KEY = re.compile(r"(?:[a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.{1,15}\Z)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_CONFIG_KEY = re.compile(r"(?!\.\.)[A-Za-z0-9._-]{1,253}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def problems(manifests: Sequence[Manifest]) -> list[str]:
    """Return everything that is wrong with the objects of one bundle."""
    found = [f"{kind}/{name}: twice" for (kind, name), uses in Counter(map(_identity, manifests)).items() if uses > 1]
    instances = {_labels(manifest).get(INSTANCE) for manifest in manifests}
    if len(instances) != 1:
        found.append(f"several instances: {instances}")
    for manifest in manifests:
        place = "/".join(_identity(manifest))
        found += [f"{place}: {problem}" for problem in (*_metadata(manifest), *_special(manifest, manifests))]
    return found


def _special(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    checks = {"Service": _service, "Ingress": _ingress, "Deployment": _workload, "Job": _workload, "ConfigMap": _config}
    check = checks.get(manifest["kind"])
    return check(manifest, manifests) if check else iter(())


def _metadata(manifest: Manifest) -> Iterator[str]:
    kind, name = _identity(manifest)
    if KINDS.get(kind) != manifest["apiVersion"]:
        yield f"unexpected {manifest['apiVersion']} {kind}"
    grammar = _LABEL if kind in {"Service", "Deployment", "Job"} else _SUBDOMAIN
    if not grammar.fullmatch(name):
        yield f"bad name {name!r}"
    if "namespace" in manifest["metadata"]:
        yield "a namespace"
    for key, value in _labels(manifest).items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            yield f"bad label {key}={value!r}"


def _service(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    spec = manifest["spec"]
    (port,) = spec["ports"]
    if not _PORT_NAME.fullmatch(port["name"]) or port.keys() != {"name", "port", "targetPort"}:
        yield f"bad port {port}"
    pods = [pod for labels, pod in _pods(manifests) if spec["selector"].items() <= labels.items()]
    if len(pods) != 1:
        yield f"selects {len(pods)} workloads"
    elif port["targetPort"] not in [p["containerPort"] for c in pods[0]["containers"] for p in c["ports"]]:
        yield f"leads to port {port['targetPort']}, which no container has"
    if spec.keys() != {"type", "selector", "ports"}:
        yield f"unexpected fields {sorted(spec)}"


def _ingress(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    services = {m["metadata"]["name"]: m["spec"]["ports"][0]["name"] for m in manifests if m["kind"] == "Service"}
    for rule in manifest["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            if services.get(service["name"]) != service["port"]["name"]:
                yield f"leads to {service}, which does not exist"
        if not _SUBDOMAIN.fullmatch(rule["host"]):
            yield f"bad host {rule['host']!r}"


def _workload(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    template = manifest["spec"]["template"]
    selector = manifest["spec"].get("selector", {}).get("matchLabels", {})
    if manifest["kind"] == "Deployment" and selector.keys() != {"app", INSTANCE}:
        yield f"selects by {sorted(selector)}"
    if not selector.items() <= template["metadata"]["labels"].items():
        yield "does not select its own pods"
    pod = template["spec"]
    yield from _pod(pod, manifests)
    containers = pod["containers"] + pod.get("initContainers", [])
    if len({container["name"] for container in containers}) < len(containers):
        yield "two containers of one name"
    for container in containers:
        yield from (f"container {container['name']}: {problem}" for problem in _container(container, pod))


def _pod(pod: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    existing = {_identity(manifest) for manifest in manifests}
    if pod["automountServiceAccountToken"] or pod["enableServiceLinks"]:
        yield "gets a token or service links"
    if pod["securityContext"]["seccompProfile"] != {"type": "RuntimeDefault"}:
        yield "has another seccomp profile"
    account = pod.get("serviceAccountName")
    if account and ("ServiceAccount", account) not in existing:
        yield f"runs as {account}, which does not exist"
    for forbidden in ("hostNetwork", "hostPID", "hostIPC", "nodeName", "priorityClassName"):
        if forbidden in pod:
            yield f"has {forbidden}"
    for volume in pod.get("volumes", []):
        yield from _volume(volume, existing)


def _volume(volume: Manifest, existing: set[tuple[str, str]]) -> Iterator[str]:
    (kind,) = volume.keys() - {"name"}
    if kind == "persistentVolumeClaim" and ("PersistentVolumeClaim", volume[kind]["claimName"]) not in existing:
        yield f"mounts {volume[kind]}, which does not exist"
    if kind == "projected":
        for source in volume[kind]["sources"]:
            if ("ConfigMap", source["configMap"]["name"]) not in existing or source["configMap"][
                "optional"
            ] is not True:
                yield f"mounts {source}, which does not exist or is not optional"
    if kind not in {"persistentVolumeClaim", "projected", "emptyDir"}:
        yield f"has a volume of kind {kind}"


def _container(container: Manifest, pod: Manifest) -> Iterator[str]:
    if not _LABEL.fullmatch(container["name"]):
        yield "bad name"
    if container["securityContext"]["allowPrivilegeEscalation"] or "privileged" in container["securityContext"]:
        yield "may get privileges"
    ports = container.get("ports", [])
    if len({port["name"] for port in ports}) < len(ports) or not all(_PORT_NAME.fullmatch(p["name"]) for p in ports):
        yield f"bad ports {ports}"
    variables = [variable["name"] for variable in container.get("env", [])]
    if len(set(variables)) < len(variables) or not all(map(_VARIABLE.fullmatch, variables)):
        yield f"bad variables {variables}"
    if not all(isinstance(variable["value"], str) for variable in container.get("env", [])):
        yield "a variable that is no text"
    mounts = container.get("volumeMounts", [])
    if len({mount["mountPath"] for mount in mounts}) < len(mounts):
        yield "two mounts at one path"
    if not {mount["name"] for mount in mounts} <= {volume["name"] for volume in pod.get("volumes", [])}:
        yield "mounts a volume that the pod lacks"


def _config(manifest: Manifest, _: Sequence[Manifest]) -> Iterator[str]:
    for key in (*manifest.get("data", {}), *manifest.get("binaryData", {})):
        if not _CONFIG_KEY.fullmatch(key):
            yield f"bad key {key!r}"
    applied = json.dumps(manifest, ensure_ascii=False)
    size = len(applied.encode()) + 5 * sum(map(applied.count, "<>&"))
    if size > MAX_APPLIED_BYTES:
        yield f"{size} bytes as kubectl keeps it"


def _pods(manifests: Sequence[Manifest]) -> Iterator[tuple[Mapping[str, str], Manifest]]:
    for manifest in manifests:
        if manifest["kind"] in {"Deployment", "Job"}:
            template = manifest["spec"]["template"]
            yield template["metadata"]["labels"], template["spec"]


def _identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def _labels(manifest: Manifest) -> Mapping[str, str]:
    labels: Mapping[str, str] = manifest["metadata"]["labels"]
    return labels
