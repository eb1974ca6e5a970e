#!/usr/bin/env python3
"""Finish the deployment of this bundle: apply, wait, print the addresses.

Needs Python 3.8 or newer and kubectl. Run with --help. Generated from shared/finishing of Slipway.
"""

from __future__ import annotations

import argparse
import base64
import copy
import importlib.util
import io
import json
import math
import os
import queue
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Protocol, TextIO, Tuple, TypeVar
from urllib.parse import urlsplit


# --- objects: What is read off API objects as `kubectl -o json` prints them: names, labels, whose they are. Pure.

Manifest = Dict[str, Any]
Key = Tuple[str, str]

INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
SOLUTION_LABEL = "slipway.dev/solution-id"
REVISION_LABEL = "slipway.dev/revision-id"
MANAGER = "slipway"
WORKLOAD_KINDS = ("Deployment", "Job")


def name_of(manifest: Manifest) -> str:
    """Return the name of an object."""
    return str(manifest.get("metadata", {}).get("name", ""))


def key_of(manifest: Manifest) -> Key:
    """Return (kind, name): what tells objects of one namespace apart."""
    return str(manifest.get("kind", "")), name_of(manifest)


def title_of(manifest: Manifest) -> str:
    """Return `Kind/name`, as people read it."""
    return "/".join(key_of(manifest))


def label_of(manifest: Manifest, label: str) -> str:
    """Return the value of a label, empty when it is missing."""
    return str((manifest.get("metadata", {}).get("labels") or {}).get(label, ""))


def is_ending(manifest: Manifest) -> bool:
    """Answer whether somebody has asked to delete the object already."""
    return "deletionTimestamp" in manifest.get("metadata", {})


def of_kinds(manifests: Iterable[Manifest], *kinds: str) -> List[Manifest]:
    """Return the objects of some kinds, in the order given."""
    return [manifest for manifest in manifests if manifest.get("kind") in kinds]


def pod_spec_of(workload: Manifest) -> Dict[str, Any]:
    """Return the spec of the pods that a Deployment or a Job makes."""
    spec: Dict[str, Any] = workload.get("spec", {}).get("template", {}).get("spec", {})
    return spec


def instance_of(manifests: Iterable[Manifest]) -> str:
    """Return the one instance that the objects of a bundle belong to.

    Raises:
        ValueError: they carry no instance, or several.
    """
    found = sorted({label_of(manifest, INSTANCE_LABEL) for manifest in manifests} - {""})
    if len(found) != 1:
        raise ValueError(
            f"expected manifests with one {INSTANCE_LABEL}, found {', '.join(found) or 'none'}: is this one bundle?"
        )
    return found[0]


def selector_of(instance: str) -> str:
    """Return the label selector of everything that belongs to an instance."""
    return f"{INSTANCE_LABEL}={instance},{MANAGED_BY_LABEL}={MANAGER}"


# --- names: What a person types is checked before kubectl is called at all, so that no value can read as an option. Pure.

# RFC 1123 label and subdomain, RFC 1035 label: what Kubernetes takes as the name of a namespace, a Secret, a Service.
NAMESPACE_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SECRET_PATTERN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
NODE_PATTERN = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


class UsageError(ValueError):
    """The command line cannot be meant so; nothing was done."""


def checked_namespace(value: str) -> str:
    """Return the namespace.

    Raises:
        UsageError: it is none.
    """
    return _checked(NAMESPACE_PATTERN, value, what="namespace: lower-case letters, digits and '-', at most 63")


def checked_secret(value: str) -> str:
    """Return the name of a Secret.

    Raises:
        UsageError: it is none.
    """
    return _checked(SECRET_PATTERN, value, what="secret name: lower-case letters, digits, '-' and '.'")


def checked_node(value: str) -> str:
    """Return the name of a node.

    Raises:
        UsageError: it is none.
    """
    return _checked(NODE_PATTERN, value, what="node: lower-case letters, digits and '-', at most 63")


def _checked(pattern: re.Pattern[str], value: str, *, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(f"expected a {what}; found {value!r}")
    return value


# --- stages: The order in which objects are applied, as pure functions on parsed manifests.

# What others refer to comes first. A claim before the pod that mounts it, a policy last: it selects what then exists.
STAGES: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("namespace", ("Namespace", "ServiceAccount")),
    ("secrets", ("Secret",)),
    ("claims", ("PersistentVolumeClaim",)),
    ("config", ("ConfigMap",)),
    ("workloads", ("Deployment", "Job")),
    ("services", ("Service", "Ingress")),
    ("policies", ("NetworkPolicy",)),
)


def stage_of(manifest: Manifest) -> str:
    """Return the name of the stage that applies `manifest`; a kind we do not know goes last, as `other`."""
    kind = manifest.get("kind", "")
    return next((name for name, kinds in STAGES if kind in kinds), "other")


def in_stages(manifests: List[Manifest]) -> List[Tuple[str, List[Manifest]]]:
    """Return the stages that have something to apply, in order, each with its manifests in the order given."""
    names = [name for name, _ in STAGES] + ["other"]
    grouped = [(name, [m for m in manifests if stage_of(m) == name]) for name in names]
    return [(name, group) for name, group in grouped if group]


# --- choices: What the person who deploys adds to the manifests: pull policy, pull secret, environment. Never written to disk.

EnvironmentRule = Dict[str, str]


def with_choices(
    manifest: Manifest, *, pull_policy: Optional[str], pull_secret: Optional[str], rules: List[EnvironmentRule]
) -> Manifest:
    """Return a workload with the choices of the command line; any other manifest unchanged."""
    if manifest.get("kind") not in WORKLOAD_KINDS:
        return manifest
    changed = copy.deepcopy(manifest)
    pod = pod_spec_of(changed)
    for container in pod.get("containers", []) + pod.get("initContainers", []):
        if pull_policy:
            container["imagePullPolicy"] = pull_policy
    for container in pod.get("containers", []):
        for rule in rules:
            _apply_rule(container, rule)
    if pull_secret:
        secrets = pod.setdefault("imagePullSecrets", [])
        if {"name": pull_secret} not in secrets:
            secrets.append({"name": pull_secret})
    return changed


def pull_secret_manifest(name: str, docker_config: str, *, instance: str) -> Manifest:
    """Return the pull secret that holds a docker configuration; labelled, so that `--delete` finds it."""
    labels = {INSTANCE_LABEL: instance, MANAGED_BY_LABEL: MANAGER}
    encoded = base64.b64encode(docker_config.encode("utf-8")).decode("ascii")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": encoded},
    }


def rules_of(config: Any) -> List[EnvironmentRule]:
    """Return the `environment_variables` rules of a Graphene configuration file.

    Raises:
        ValueError: a rule lacks `docker_image_pattern`, `name` or `value`, or its pattern is no regular expression.
    """
    entries = config.get("environment_variables", []) if isinstance(config, dict) else None
    if not isinstance(entries, list):
        raise ValueError("environment_variables: expected a list of rules")  # noqa: TRY004 - the file is at fault
    return [_rule(entry) for entry in entries]


def _rule(entry: Any) -> EnvironmentRule:
    keys = ("docker_image_pattern", "name", "value")
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in keys):
        raise ValueError("environment_variables: expected rules with the texts " + ", ".join(keys))
    try:
        re.compile(entry["docker_image_pattern"])
    except re.error as problem:
        raise ValueError(f"docker_image_pattern: expected a regular expression, found {problem}") from problem
    return {key: entry[key] for key in keys}


def _apply_rule(container: Dict[str, Any], rule: EnvironmentRule) -> None:
    if not re.match(rule["docker_image_pattern"], container.get("image", "")):
        return
    others = [variable for variable in container.get("env", []) if variable.get("name") != rule["name"]]
    container["env"] = [*others, {"name": rule["name"], "value": rule["value"]}]


# --- ownership: Whose objects stand in the namespace already. Pure: what is not ours stops the run before anything is written.

def foreign(existing: List[Manifest], ours: List[Manifest]) -> List[str]:
    """Return `Kind/name (instance …)` of every existing object that carries the name of one of ours, but not its instance.

    An object without the label counts as foreign too: somebody made it by other means, and we must not take it over.
    """
    wanted = {key_of(manifest): label_of(manifest, INSTANCE_LABEL) for manifest in ours}
    return [
        f"{title_of(found)} (instance {label_of(found, INSTANCE_LABEL) or 'unknown'})"
        for found in existing
        if key_of(found) in wanted and label_of(found, INSTANCE_LABEL) != wanted[key_of(found)]
    ]


def overtaken(found: List[Manifest], ours: List[Manifest]) -> List[str]:
    """Return what somebody else has changed since we applied it: objects that are gone or of another revision.

    Two people may deploy two revisions at once. Each stage is written whole, so the one who writes last sees here what
    the other one left in between.
    """
    revisions = {key_of(manifest): label_of(manifest, REVISION_LABEL) for manifest in found}
    lost = []
    for manifest in ours:
        ours_is, theirs_is = label_of(manifest, REVISION_LABEL), revisions.get(key_of(manifest))
        if theirs_is is None:
            lost.append(f"{title_of(manifest)} (gone)")
        elif theirs_is != ours_is:
            lost.append(f"{title_of(manifest)} (revision {theirs_is or 'unknown'})")
    return lost


# --- pruning: Which objects go: those of an older revision, and what keeps a namespace from being deleted. Pure.

# What `kubectl get` and `kubectl delete` call the kinds that a bundle may contain, claims and Secrets left out.
PRUNED_KINDS = ("Deployment", "Job", "Service", "Ingress", "NetworkPolicy", "ConfigMap", "ServiceAccount")
PRUNED_RESOURCES = "deployments,jobs,services,ingresses,networkpolicies,configmaps,serviceaccounts"
# What is looked at to see whose it is, and what has become of it: the same, and claims.
FOLLOWED_KINDS = (*PRUNED_KINDS, "PersistentVolumeClaim")
FOLLOWED_RESOURCES = PRUNED_RESOURCES + ",persistentvolumeclaims"

# In every namespace, or made from what is in it; none of it is anybody's work.
NOBODYS_KINDS = ("Event", "Endpoints", "EndpointSlice", "Lease", "PodMetrics", "ControllerRevision")
NOBODYS_NAMES = (
    ("ServiceAccount", "default"),
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
)


def to_prune(existing: List[Manifest], wanted: List[Manifest]) -> List[Manifest]:
    """Return the objects of the same solution that its new revision no longer has.

    `existing` is what was there before the run: what somebody else adds meanwhile is not ours to judge.
    """
    solutions = {label_of(manifest, SOLUTION_LABEL) for manifest in wanted} - {""}
    if len(solutions) != 1:
        return []
    (solution,), instance = solutions, instance_of(wanted)
    kept = {key_of(manifest) for manifest in wanted}
    return [
        found
        for found in existing
        if found.get("kind") in PRUNED_KINDS
        and key_of(found) not in kept
        and label_of(found, INSTANCE_LABEL) == instance
        and label_of(found, MANAGED_BY_LABEL) == MANAGER
        and label_of(found, SOLUTION_LABEL) == solution
        and not found["metadata"].get("ownerReferences")
        and not is_ending(found)
    ]


def followed(manifests: List[Manifest]) -> List[Manifest]:
    """Return the objects that are found again by their instance: not what somebody has added to the bundle by hand."""
    return [m for m in manifests if m.get("kind") in FOLLOWED_KINDS and label_of(m, INSTANCE_LABEL)]


def is_our_namespace(namespace: Manifest) -> bool:
    """Answer whether this script made the namespace: only such a one may be deleted."""
    return label_of(namespace, MANAGED_BY_LABEL) == MANAGER


def remaining(everything: List[Manifest], instance: str) -> List[str]:
    """Return what in the namespace is worth keeping it for: claims, and whatever belongs to others."""
    return [title_of(found) for found in everything if _is_worth_keeping(found, instance)]


def _is_worth_keeping(found: Manifest, instance: str) -> bool:
    if found.get("kind") in NOBODYS_KINDS or key_of(found) in NOBODYS_NAMES:
        return False
    if found.get("type") == "kubernetes.io/service-account-token" and name_of(found).startswith("default-token-"):
        return False
    # What has an owner goes with it, and the owner is looked at by itself.
    if is_ending(found) or found["metadata"].get("ownerReferences"):
        return False
    return found.get("kind") == "PersistentVolumeClaim" or label_of(found, INSTANCE_LABEL) != instance


# --- changes: What a run changes, or would: an object before and after it, compared without what the cluster keeps for itself. Pure.

CREATED = "created"
CHANGED = "changed"
UNCHANGED = "unchanged"
REPLACED = "replaced"
KEPT = "kept"
DELETED = "deleted"

PATHS_SHOWN = 4

# Written by the cluster, or by kubectl about itself: no change of what was asked for.
BOOKKEEPING = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")
BOOKKEEPING_ANNOTATIONS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
)


@dataclass(frozen=True)
class Change:
    """What became, or would become, of one object; `paths` are the fields that differ."""

    kind: str
    name: str
    what: str
    paths: Tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """One object for people, with the first fields that differ."""
        more = f" and {len(self.paths) - PATHS_SHOWN} more" if len(self.paths) > PATHS_SHOWN else ""
        fields = f" ({', '.join(self.paths[:PATHS_SHOWN])}{more})" if self.paths else ""
        return f"{self.kind}/{self.name}{fields}"


def changes_between(before: List[Manifest], after: List[Manifest]) -> List[Change]:
    """Return for each object in `after` what it means in the light of those that were there `before`."""
    known = {key_of(manifest): manifest for manifest in before}
    return [change_of(known.get(key_of(manifest)), manifest) for manifest in after]


def change_of(before: Optional[Manifest], after: Manifest) -> Change:
    """Return what became of one object."""
    if before is None:
        return Change(*key_of(after), CREATED)
    paths = tuple(differing(comparable(before), comparable(after)))
    return Change(*key_of(after), CHANGED if paths else UNCHANGED, paths)


def tally(changes: List[Change]) -> str:
    """Return `3 created, 1 changed`, the words in the order of first appearance."""
    counts: Dict[str, int] = {}
    for change in changes:
        counts[change.what] = counts.get(change.what, 0) + 1
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def comparable(manifest: Manifest) -> Manifest:
    """Return a copy without status and bookkeeping."""
    made = copy.deepcopy({key: value for key, value in manifest.items() if key != "status"})
    metadata = made.get("metadata", {})
    for field in BOOKKEEPING:
        metadata.pop(field, None)
    annotations = metadata.get("annotations", {})
    for annotation in BOOKKEEPING_ANNOTATIONS:
        annotations.pop(annotation, None)
    if not annotations:
        metadata.pop("annotations", None)
    return made


def differing(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the paths (`spec.replicas`, `spec.ports[0].name`) at which two values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differing(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after)):
            yield from differing(one, other, f"{path}[{number}]")
    elif before != after:
        yield path


# --- readiness: Whether applied workloads are ready, judged from objects as the API server reports them. Pure.

READY = "ready"
WAITING = "waiting"
FAILED = "failed"

APP_LABEL = "app"
# Since 1.27 the label has a prefix; the old one is still written beside it.
JOB_LABELS = ("batch.kubernetes.io/job-name", "job-name")


@dataclass(frozen=True)
class NodeState:
    """One node of the bundle as people watch it come up."""

    name: str
    image: str
    phase: str
    ready: int
    wanted: int
    restarts: int
    since: str
    """When its oldest pod was made (RFC 3339), empty without a pod."""
    state: str
    """`ready`, `waiting` or `failed`."""
    seen: str
    """Why, in a few words."""


def state_of(workload: Manifest) -> Tuple[str, str]:
    """Return (`ready` | `waiting` | `failed`, what is seen) for a Deployment or a Job."""
    if workload.get("kind") == "Job":
        return _job_state(workload)
    wanted = replicas_of(workload)
    status = workload.get("status", {})
    for condition in status.get("conditions", []):
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return FAILED, condition.get("message", "no progress within the deadline")
    current = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    updated, ready = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    seen = f"{ready} of {wanted} ready"
    done = current and updated >= wanted and ready >= wanted and status.get("replicas", 0) <= wanted
    return (READY if done else WAITING), seen


def node_states(workloads: List[Manifest], pods: List[Manifest]) -> List[NodeState]:
    """Return one state per workload, in the order given."""
    return [_node_state(workload, own) for workload, own in zip(workloads, pods_by_workload(workloads, pods))]


def pods_by_workload(workloads: List[Manifest], pods: List[Manifest]) -> List[List[Manifest]]:
    """Return for each workload the pods that a Deployment selects or a Job has made.

    Pods are sorted by their app first: a pipeline of 100 nodes is looked at every second.
    """
    by_app: Dict[str, List[Manifest]] = {}
    for pod in pods:
        by_app.setdefault(label_of(pod, APP_LABEL), []).append(pod)
    found = []
    for workload in workloads:
        app = label_of(workload.get("spec", {}).get("template", {}), APP_LABEL)
        found.append([pod for pod in by_app.get(app, []) if _is_of(pod, workload)])
    return found


def look_ready(workloads: List[Manifest], pods: List[Manifest]) -> bool:
    """Answer whether all pods seem to be what was asked for, so that the truth is worth asking for."""
    return all(_looks_ready(workload, own) for workload, own in zip(workloads, pods_by_workload(workloads, pods)))


def _is_of(pod: Manifest, workload: Manifest) -> bool:
    jobs = [label_of(pod, label) for label in JOB_LABELS]
    if workload.get("kind") == "Job":
        return name_of(workload) in jobs
    selected: Dict[str, str] = workload.get("spec", {}).get("selector", {}).get("matchLabels", {})
    return not any(jobs) and all(label_of(pod, label) == value for label, value in selected.items())


def _looks_ready(workload: Manifest, own: List[Manifest]) -> bool:
    if state_of(workload)[0] != WAITING:
        return True
    if workload.get("kind") == "Job":
        return any(pod.get("status", {}).get("phase") in ("Succeeded", "Failed") for pod in own)
    return len([pod for pod in own if is_pod_ready(pod)]) >= replicas_of(workload)


def is_pod_ready(pod: Manifest) -> bool:
    """Answer whether a pod serves."""
    conditions = pod.get("status", {}).get("conditions", [])
    return not is_ending(pod) and any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def phase_of(pod: Manifest) -> str:
    """Return the most telling word about a pod: the kubelet's reason where it has one, else the phase."""
    if is_ending(pod):
        return "Terminating"
    status = pod.get("status", {})
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        state = container.get("state", {})
        if state.get("waiting", {}).get("reason"):
            return str(state["waiting"]["reason"])
        if state.get("terminated", {}).get("exitCode"):
            return str(state["terminated"].get("reason", "Error"))
    return str(status.get("reason") or status.get("phase", "Pending"))


def replicas_of(workload: Manifest) -> int:
    """Return how many pods a Deployment asks for."""
    replicas = workload.get("spec", {}).get("replicas", 1)
    return int(replicas)


def images_of(workload: Manifest) -> List[str]:
    """Return the images of the containers, in order."""
    return [str(container.get("image", "")) for container in pod_spec_of(workload).get("containers", [])]


def _node_state(workload: Manifest, pods: List[Manifest]) -> NodeState:
    state, seen = state_of(workload)
    is_job = workload.get("kind") == "Job"
    wanted = 1 if is_job else replicas_of(workload)
    live = [pod for pod in pods if not is_ending(pod)] or pods
    # What is not ready yet is what people look for.
    telling = sorted(live, key=lambda pod: (is_pod_ready(pod), name_of(pod)))
    ready = len([pod for pod in live if is_pod_ready(pod)])
    if state == READY:
        ready = wanted
    return NodeState(
        name=name_of(workload),
        image=(images_of(workload) or [""])[0],
        phase=_node_phase(state, wanted=wanted, is_job=is_job, telling=telling),
        ready=min(ready, wanted),
        wanted=wanted,
        restarts=sum(_restarts(pod) for pod in live),
        since=min((str(pod["metadata"].get("creationTimestamp", "")) for pod in live), default=""),
        state=state,
        seen=seen,
    )


def _node_phase(state: str, *, wanted: int, is_job: bool, telling: List[Manifest]) -> str:
    if is_job and state != WAITING:
        return "Completed" if state == READY else "Failed"
    if telling:
        return phase_of(telling[0])
    return "switched off" if wanted == 0 else "no pod yet"


def _restarts(pod: Manifest) -> int:
    return sum(
        int(container.get("restartCount", 0)) for container in pod.get("status", {}).get("containerStatuses", [])
    )


def _job_state(job: Manifest) -> Tuple[str, str]:
    for condition in job.get("status", {}).get("conditions", []):
        if condition.get("status") == "True" and condition.get("type") == "Complete":
            return READY, "completed"
        if condition.get("status") == "True" and condition.get("type") == "Failed":
            return FAILED, condition.get("message", "the job failed")
    return WAITING, "running"


# --- causes: A cause: why a node does not come up, and what to do about it, in words; and what the cluster told about an object.

# So many names before "and 97 more": a cluster that refuses one pod mostly refuses all of them.
NAMES_SHOWN = 5


@dataclass(frozen=True)
class LogPlace:
    """Where the last words of a container are; `previous`: of the run before the one that is up now."""

    pod: str
    container: str
    previous: bool


@dataclass(frozen=True)
class Cause:
    """Why a node, or a claim, is not ready."""

    node: str
    what: str
    """The same words for all nodes that fail alike."""
    hint: str = ""
    log: Optional[LogPlace] = None
    about: str = ""
    """What of the node it is about, such as its image."""

    @property
    def title(self) -> str:
        """The node, and what of it."""
        return f"{self.node} ({self.about})" if self.about else self.node


def cause_lines(causes: List[Cause]) -> List[str]:
    """Return the causes for people: nodes with one and the same cause share a line, the hint stands below."""
    names: Dict[Tuple[str, str], List[str]] = {}
    for cause in causes:
        names.setdefault((cause.what, cause.hint), []).append(cause.title)
    lines = []
    for (what, hint), nodes in names.items():
        lines.append(f"{listed_names(nodes)}: {what}")
        if hint:
            lines.append(f"  -> {hint}")
    return lines


def listed_names(names: List[str]) -> str:
    """Return `a, b, c and 4 more`."""
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"


def messages_about(subject: Manifest, events: List[Manifest], *reasons: str) -> List[str]:
    """Return what the cluster's events say about an object, newest first; of some reasons only, where they are given."""
    about = [event for event in events if _is_about(event, subject)]
    chosen = [event for event in about if not reasons or event.get("reason") in reasons]
    return [str(event.get("message", "")) for event in sorted(chosen, key=_when, reverse=True)]


def _is_about(event: Manifest, subject: Manifest) -> bool:
    involved = event.get("involvedObject", {})
    if involved.get("name") != name_of(subject) or involved.get("kind") != subject.get("kind"):
        return False
    uid = subject["metadata"].get("uid")
    return not uid or involved.get("uid") in (None, "", uid)


def _when(event: Manifest) -> str:
    """Return the time of an event; newer clients of the API write `eventTime` and series only."""
    times = [event.get("lastTimestamp"), event.get("series", {}).get("lastObservedTime"), event.get("eventTime")]
    return max(str(time) for time in [*times, event["metadata"].get("creationTimestamp")] if time is not None)


# --- pulling: Why an image cannot be pulled: which image, which registry, and what is wrong with the pull secret. Pure.

PULL_REASONS = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable")
DEFAULT_REGISTRY = "docker.io"

# The order counts: "denied: requested access, or does not exist" is about access, and a "429" about neither.
SYMPTOMS: Tuple[Tuple[str, Tuple[str, ...]], ...] = (
    ("limit", ("toomanyrequests", "too many requests", "rate limit")),
    ("login", ("unauthorized", "authentication required", "authorization", "denied", "forbidden", "no basic auth")),
    ("trust", ("x509", "certificate", "server gave http response to https client")),
    ("platform", ("no match for platform", "no matching manifest")),
    ("missing", ("not found", "manifest unknown", "name unknown", "no such image", "not exist")),
    (
        "unreachable",
        (
            "no such host",
            "refused",
            "timeout",
            "timed out",
            "deadline exceeded",
            "unreachable",
            "no route",
            "misbehaving",
        ),
    ),
)


def pull_cause(node: str, pod: Manifest, status: Dict[str, Any], events: List[Manifest]) -> Optional[Cause]:
    """Return why the image of a container cannot be pulled, or None when it is not about its image."""
    waiting = status.get("state", {}).get("waiting", {})
    if waiting.get("reason") not in PULL_REASONS:
        return None
    image = _wanted_image(pod, status)
    about = f"{image} of its container {status.get('name')}" if _prepares(pod, status) else image
    if waiting["reason"] == "InvalidImageName":
        return Cause(node, "this is no name of an image", "mend the name in the solution", about=about)
    if waiting["reason"] == "ErrImageNeverPull":
        hint = "load it there, or choose --image_pull_policy IfNotPresent"
        return Cause(node, "the image is not on the machine, and the pull policy is Never", hint, about=about)
    told = _told_by_runtime(pod, waiting, events, image)
    what, hint = _explained(image, told, pod, events)
    return Cause(node, f"the image cannot be pulled: {what}", hint, about=about)


def registry_of(image: str) -> str:
    """Return the host that an image comes from."""
    first, slash, _ = image.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if is_host else DEFAULT_REGISTRY


def symptom_of(told: str) -> str:
    """Return what the words of a container runtime are about: `limit`, `login`, `missing`, …, or nothing."""
    lowered = told.lower()
    return next((name for name, words in SYMPTOMS if any(word in lowered for word in words)), "")


def _wanted_image(pod: Manifest, status: Dict[str, Any]) -> str:
    spec = pod.get("spec", {})
    for container in spec.get("containers", []) + spec.get("initContainers", []):
        if container.get("name") == status.get("name"):
            return str(container.get("image", ""))
    return str(status.get("image", ""))


def _prepares(pod: Manifest, status: Dict[str, Any]) -> bool:
    """Answer whether a container only prepares the pod; its image is another one than the node's."""
    return status.get("name") in [container.get("name") for container in pod.get("spec", {}).get("initContainers", [])]


def _told_by_runtime(pod: Manifest, waiting: Dict[str, Any], events: List[Manifest], image: str) -> str:
    """Return the most telling words: while the kubelet backs off, older ones say only that it does."""
    told = str(waiting.get("message", ""))
    if told and not re.fullmatch(r'Back-off pulling image ".*"', told):
        return told
    failures = [message for message in messages_about(pod, events, "Failed") if image in message]
    return next((message for message in failures if "pull" in message.lower()), told)


def _explained(image: str, told: str, pod: Manifest, events: List[Manifest]) -> Tuple[str, str]:
    registry = registry_of(image)
    symptom = symptom_of(told)
    # A secret that is missing is the cause whatever the registry says to somebody without a login.
    lost = _missing_secrets(pod, events)
    if lost:
        names = ", ".join(lost)
        return f"secret {names}, which the pod names, is missing in the namespace", _secret_hint(lost[0])
    if symptom == "login":
        return _login(registry, pod)
    hints = {
        "missing": (f"registry {registry} has no such image", "push it, or mend its name and tag in the solution"),
        "limit": (f"registry {registry} refuses more downloads for now", "wait, or log in with --secret_name"),
        "trust": (f"the machine does not trust registry {registry} ({_end(told)})", "ask who runs the cluster"),
        "platform": ("it is not made for the processor of the machine", "build the image for that processor, too"),
        "unreachable": (
            f"the machine cannot reach registry {registry} ({_end(told)})",
            "check the host in the image's name, and the cluster's way out",
        ),
    }
    return hints.get(symptom, (told or "the cluster does not say why", ""))


def _login(registry: str, pod: Manifest) -> Tuple[str, str]:
    """Explain a refusal; many registries answer so for an image that does not exist."""
    named = [str(secret.get("name", "")) for secret in pod.get("spec", {}).get("imagePullSecrets", [])]
    if not named:
        what = f"registry {registry} has no such image, or wants a login, and the pod names no pull secret"
        return what, _secret_hint("NAME")
    what = f"registry {registry} has no such image, or does not accept the login in secret {', '.join(named)}"
    return what, f"check that the secret holds a login for {registry}, and the image's name"


def _missing_secrets(pod: Manifest, events: List[Manifest]) -> List[str]:
    named = [str(secret.get("name", "")) for secret in pod.get("spec", {}).get("imagePullSecrets", [])]
    told = " ".join(messages_about(pod, events, "FailedToRetrieveImagePullSecret"))
    found = [name for name in re.findall(r"[a-z0-9.-]+", told.rpartition("(")[2].partition(")")[0]) if name in named]
    return sorted(set(found), key=named.index)


def _end(told: str) -> str:
    """Return the last of the causes, which Go programs put behind each other: what came before repeats the image."""
    return ": ".join(told.split(": ")[-2:])


def _secret_hint(name: str) -> str:
    return f"run again with --secret_name {name} --path_docker_secret ~/.docker/config.json, which creates it"


# --- placing: Why a pod finds no machine, and why a claim finds no volume. Pure.

CLASS_HINT = (
    "`kubectl get storageclass` lists the classes; build the bundle with option sharedFolder.storageClass=NAME of one "
    "that offers ReadWriteMany (NFS, CephFS, a cloud's file service). A claim keeps its class: remove the pending one, "
    "on which there is no data, with --delete --delete-data first"
)
# How provisioners say that a volume cannot be shared between machines.
NOT_SHARED = (
    "accessmode",
    "access mode",
    "readwritemany",
    "multi_node",
    "rwx",
    "volumecapabilities",
    "volume capabilities",
)


def placing_cause(node: str, pod: Manifest) -> Optional[Cause]:
    """Return why the scheduler finds no machine for a pod, or None when it has one."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _unplaced(node, pod, str(condition.get("message") or condition.get("reason", "")))
    return None


def claim_cause(claim: Manifest, events: List[Manifest]) -> Optional[Cause]:
    """Return why a claim has no volume yet, or None when it has one or nothing is wrong."""
    name = f"claim {name_of(claim)}"
    phase = claim.get("status", {}).get("phase")
    if phase == "Lost":
        return Cause(name, "its volume is gone", "restore the volume, or remove the claim by hand")
    if phase != "Pending":
        return None
    wanted = claim.get("spec", {}).get("storageClassName")
    failed = messages_about(claim, events, "ProvisioningFailed", "FailedBinding")
    if failed:
        return Cause(name, _unprovisioned(failed[0], wanted), CLASS_HINT)
    if messages_about(claim, events, "WaitForFirstConsumer", "WaitForPodScheduled"):
        return None
    if messages_about(claim, events, "ExternalProvisioning", "Provisioning"):
        what = f"the provisioner of storage class {wanted} has not made its volume yet"
        return Cause(name, what, "look at the provisioner's own pods, or choose another class. " + CLASS_HINT)
    return Cause(name, "it is pending, and the cluster does not say why", CLASS_HINT)


def _unprovisioned(told: str, wanted: Optional[str]) -> str:
    if "no storage class is set" in told:
        return "it names no storage class, and the cluster has no default one"
    if "not found" in told and "storageclass" in told.lower():
        return f"the cluster has no storage class {wanted}"
    if any(word in told.lower() for word in NOT_SHARED):
        return f"storage class {wanted} does not offer ReadWriteMany, which a shared folder needs ({told})"
    return f"storage class {wanted or '(none)'} made no volume: {told}"


def _unplaced(node: str, pod: Manifest, told: str) -> Cause:
    """Explain the scheduler's `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {…}. …`."""
    # What preemption would change is no cause of its own.
    reasons = told.partition("preemption:")[0]
    short = re.findall(r"(?:Insufficient|Too many) ([a-z0-9./-]*[a-z0-9])", reasons)
    if short:
        return _short_of(node, pod, sorted(set(short)), told)
    if "persistentvolumeclaim" in reasons.lower():
        claims = _claims_of(pod)
        what = f"it waits for the volume of {', '.join(claims) or 'its claim'}"
        return Cause(node, what, f"see there; the scheduler says: {told}")
    if "node affinity/selector" in reasons:
        selector: Dict[str, str] = pod.get("spec", {}).get("nodeSelector", {})
        labels = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
        what = f"no machine of the cluster has the labels that it asks for ({labels or 'node affinity'})"
        return Cause(node, what, "label a machine so, or build the bundle with another nodeSelector")
    if "untolerated taint" in reasons:
        taints = ", ".join(sorted(set(re.findall(r"untolerated taint\(?s?\)? \{([^}]*)\}", reasons))))
        what = "every machine keeps pods off by a taint" + (f" ({taints})" if taints else "")
        return Cause(node, what, "build the bundle with tolerations for it")
    return Cause(node, f"no machine of the cluster can take it: {told}")


def _short_of(node: str, pod: Manifest, resources: List[str], told: str) -> Cause:
    asked = _requested(pod)
    wants = ", ".join(
        f"{resource} ({asked[resource]} asked for)" if resource in asked else resource for resource in resources
    )
    what = f"no machine of the cluster has enough free {wants}"
    hint = "ask for less (option resources, or gpu), or add a machine; the scheduler says: " + told
    return Cause(node, what, hint)


def _requested(pod: Manifest) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for container in pod.get("spec", {}).get("containers", []):
        resources = container.get("resources", {})
        for resource, amount in {**resources.get("limits", {}), **resources.get("requests", {})}.items():
            found[resource] = f"{found[resource]} + {amount}" if resource in found else str(amount)
    return found


def _claims_of(pod: Manifest) -> Tuple[str, ...]:
    volumes = pod.get("spec", {}).get("volumes", [])
    names = [volume.get("persistentVolumeClaim", {}).get("claimName") for volume in volumes]
    return tuple(f"claim {name}" for name in names if name)


# --- starting: Why a container that has its image does not run or does not serve: it exits, cannot be made, never gets ready. Pure.

# 128 + the signal, as shells have it; 126 and 127 are theirs, too.
EXIT_CODES = {
    126: "its command cannot be executed",
    127: "its command was not found",
    134: "it aborted itself",
    137: "it was killed (SIGKILL)",
    139: "it crashed (segmentation fault)",
    143: "it was ended (SIGTERM)",
}
NOT_MADE = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreStartHookError")


def start_cause(node: str, pod: Manifest, status: Dict[str, Any], events: List[Manifest]) -> Optional[Cause]:
    """Return why a container does not run or does not serve, or None while nothing is wrong with it."""
    state = status.get("state", {})
    waiting = state.get("waiting", {})
    if waiting.get("reason") in NOT_MADE:
        return _not_made(node, waiting)
    ended = state.get("terminated")
    if ended and (ended.get("exitCode") or _ends_too_early(pod, status)):
        return _exited(node, pod, status, ended, previous=False)
    last = status.get("lastState", {}).get("terminated")
    # One that runs again was not ready when it ended, and mostly ends again.
    if last and not status.get("ready") and not ended:
        return _exited(node, pod, status, last, previous=True)
    if waiting:
        return _held_up(node, pod, events)
    if "running" in state and not status.get("ready"):
        return _silent(node, pod, status, events)
    return None


def _ends_too_early(pod: Manifest, status: Dict[str, Any]) -> bool:
    """Answer whether a container that ended well was to go on; those that prepare a pod count as ready when they end."""
    return pod.get("spec", {}).get("restartPolicy", "Always") == "Always" and not status.get("ready")


def pod_cause(node: str, pod: Manifest) -> Optional[Cause]:
    """Return why a pod as a whole was put down: evicted, or its machine lost."""
    status = pod.get("status", {})
    if status.get("phase") == "Failed" and status.get("reason"):
        return Cause(node, f"its pod was put down ({status['reason']}): {status.get('message', 'no more is said')}")
    return None


def _not_made(node: str, waiting: Dict[str, Any]) -> Cause:
    told = str(waiting.get("message", waiting["reason"]))
    if "non-root" in told or "runAsNonRoot" in told:
        hint = "build the image with a numeric user, or the bundle with option runAsUser"
        return Cause(node, f"its image runs as root, which the bundle forbids ({told})", hint)
    if "not found" in told and "secret" in told:
        return Cause(node, f"its container needs something that is missing: {told}")
    return Cause(node, f"its container cannot be made: {told}")


def _exited(node: str, pod: Manifest, status: Dict[str, Any], ended: Dict[str, Any], *, previous: bool) -> Cause:
    name, code = str(status.get("name", "")), int(ended.get("exitCode", 0))
    what = "its container" if name == node else f"its container {name}"
    log = LogPlace(pod=name_of(pod), container=name, previous=previous)
    times = int(status.get("restartCount", 0))
    again = f", restarted {times} times" if times > 1 else ", restarted once" if times else ""
    if ended.get("reason") == "OOMKilled":
        limit = _memory_limit(pod, name)
        hint = "build the bundle with a higher resources.limits.memory"
        return Cause(node, f"{what} needs more memory than its limit of {limit} and was killed{again}", hint, log)
    if ended.get("reason") in ("StartError", "ContainerCannotRun"):
        return Cause(node, f"{what} cannot start: {ended.get('message', ended['reason'])}")
    meaning = f" ({EXIT_CODES[code]})" if code in EXIT_CODES else ""
    hint = "a node is to serve for ever; one that ends is of kind job (option nodes)" if code == 0 else ""
    return Cause(node, f"{what} exits with status {code}{meaning}{again}", hint, log)


def _memory_limit(pod: Manifest, name: str) -> str:
    for container in pod.get("spec", {}).get("containers", []):
        if container.get("name") == name:
            return str(container.get("resources", {}).get("limits", {}).get("memory", "the machine's own"))
    return "unknown size"


def _held_up(node: str, pod: Manifest, events: List[Manifest]) -> Optional[Cause]:
    """Explain a container that is still to be made: mostly a volume that cannot be mounted."""
    told = messages_about(pod, events, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
    return Cause(node, f"its container waits: {told[0]}") if told else None


def _silent(node: str, pod: Manifest, status: Dict[str, Any], events: List[Manifest]) -> Cause:
    name = str(status.get("name", ""))
    told = messages_about(pod, events, "Unhealthy")
    port = _probed_port(pod, name)
    answer = f"does not answer on port {port}" if port else "is not ready"
    what = f"its container runs, but {answer}{f' ({told[0]})' if told else ''}"
    hint = "a node serves gRPC on port 8061; one that does not gets option probes: none" if port == "8061" else ""
    if told and "grpc health protocol" in told[0]:
        hint = "build the bundle with probes: tcp for this node, which only asks whether the port is open"
    return Cause(node, what, hint, LogPlace(pod=name_of(pod), container=name, previous=False))


def _probed_port(pod: Manifest, name: str) -> str:
    for container in pod.get("spec", {}).get("containers", []):
        if container.get("name") == name:
            probe = container.get("startupProbe") or container.get("readinessProbe") or {}
            return str((probe.get("tcpSocket") or probe.get("grpc") or {}).get("port", ""))
    return ""


# --- refusing: Why the cluster does not let an object or a pod be made: quota, limits, pod security, rights. Pure.

def refusal_cause(workload: Manifest, replica_sets: List[Manifest], events: List[Manifest]) -> Optional[Cause]:
    """Return why no pod is made for a workload, or None when nothing was refused."""
    told = _told_about(workload, replica_sets, events)
    if not told:
        return None
    what, hint = explained_refusal(told)
    return Cause(name_of(workload), what, hint)


def explained_refusal(told: str) -> Tuple[str, str]:
    """Return (what, hint) for the API server's own words; the words themselves when they are not known."""
    quota = re.search(r"exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: ([^;\n]+)", told)
    if quota:
        name, requested, used, limited = quota.groups()
        what = (
            f"quota {name} of the namespace is used up: asked for {requested}, used {used}, allowed {limited.strip()}"
        )
        return what, "free something, ask for less (option resources, replicas), or have the quota raised"
    unset = re.search(r"failed quota: ([^:]+): must specify (.+)", told)
    if unset:
        fields = ", ".join(sorted(set(re.findall(r"([a-z-]+\.[a-z.-]+) for:", unset.group(2)))))
        what = f"quota {unset.group(1)} of the namespace demands that every pod says its {fields or unset.group(2)}"
        return what, "build the bundle with option resources, which sets them"
    if "violates PodSecurity" in told:
        security = told[told.index("violates PodSecurity") :]
        return f"the namespace forbids its pod: it {security}", "build the bundle with option profile=restricted"
    limit = re.search(r"((?:maximum|minimum) \S+ usage per .+|must be less than or equal to \S+ limit.*)", told)
    if limit:
        what = f"a limit range of the namespace forbids its pod: {limit.group(1)}"
        return what, "build the bundle with other resources"
    return f"the cluster refuses its pod: {told}", ""


def _told_about(workload: Manifest, replica_sets: List[Manifest], events: List[Manifest]) -> str:
    for condition in workload.get("status", {}).get("conditions", []):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return str(condition.get("message", ""))
    makers = [workload] if workload.get("kind") == "Job" else _owned(workload, replica_sets)
    told = [message for maker in makers for message in messages_about(maker, events, "FailedCreate")]
    return told[0] if told else ""


def _owned(workload: Manifest, replica_sets: List[Manifest]) -> List[Manifest]:
    """Return the ReplicaSets of a Deployment that are to have pods."""
    uid = workload["metadata"].get("uid")
    return [
        replica_set
        for replica_set in replica_sets
        if uid
        and uid in [owner.get("uid") for owner in _owners(replica_set)]
        and replica_set.get("spec", {}).get("replicas", 0) > 0
    ]


def _owners(manifest: Manifest) -> List[Dict[str, str]]:
    owners: List[Dict[str, str]] = manifest["metadata"].get("ownerReferences", [])
    return owners


# --- diagnosis: Why what was applied is not ready: every cause at once, from one look at the namespace. Pure.

@dataclass(frozen=True)
class Snapshot:
    """The objects of an instance at one moment."""

    objects: Tuple[Manifest, ...]

    def of(self, *kinds: str) -> List[Manifest]:
        """Return the objects of some kinds."""
        return of_kinds(self.objects, *kinds)

    def with_pods(self, pods: List[Manifest]) -> Snapshot:
        """Return the same with newer pods."""
        return replace(self, objects=(*(m for m in self.objects if m.get("kind") != "Pod"), *pods))

    def find(self, wanted: List[Manifest]) -> List[Manifest]:
        """Return what is there of the wanted objects, in their order; what is missing stands as it was wanted."""
        there = {key_of(manifest): manifest for manifest in self.objects}
        return [there.get(key_of(manifest), manifest) for manifest in wanted]


def causes_of(workloads: List[Manifest], snapshot: Snapshot, events: List[Manifest]) -> List[Cause]:
    """Return why workloads are not ready and claims are pending; nothing when all is well."""
    claims = [claim_cause(claim, events) for claim in snapshot.of("PersistentVolumeClaim")]
    waiting = [workload for workload in workloads if state_of(workload)[0] != READY]
    pods = pods_by_workload(waiting, snapshot.of("Pod"))
    nodes = [_workload_cause(workload, own, snapshot, events) for workload, own in zip(waiting, pods)]
    return [cause for cause in [*claims, *nodes] if cause]


def _workload_cause(workload: Manifest, own: List[Manifest], snapshot: Snapshot, events: List[Manifest]) -> Cause:
    pods = [pod for pod in own if not is_ending(pod)]
    # The newest first: it is the one that was asked for last.
    pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
    found = [cause for pod in pods if (cause := _pod_cause(name_of(workload), pod, events))]
    if found:
        return found[0]
    refused = refusal_cause(workload, snapshot.of("ReplicaSet"), events)
    if refused:
        return refused
    state, seen = state_of(workload)
    if state == FAILED:
        return Cause(name_of(workload), seen)
    if not pods:
        return Cause(name_of(workload), "the cluster has made no pod for it yet")
    if is_pod_ready(pods[0]):
        return Cause(name_of(workload), "its pod is ready, but the cluster has not counted it yet")
    return Cause(name_of(workload), f"it is starting ({phase_of(pods[0])})")


def _pod_cause(node: str, pod: Manifest, events: List[Manifest]) -> Optional[Cause]:
    if is_pod_ready(pod):
        return None
    status = pod.get("status", {})
    found = [placing_cause(node, pod), pod_cause(node, pod)]
    for container in status.get("initContainerStatuses", []) + status.get("containerStatuses", []):
        found += [pull_cause(node, pod, container, events), start_cause(node, pod, container, events)]
    return next((cause for cause in found if cause), None)


# --- addresses: Where the running bundle can be reached, from the Services and Ingresses as the API server filled them in. Pure.

ORCHESTRATOR = "orchestrator"
WEB_UI_PORT_NAME = "webui"


class Answers(Protocol):
    """Whether a web server, or a gRPC server, is at a host and port."""

    def __call__(self, host: str, port: int, *, web: bool) -> bool:
        """Ask."""


@dataclass(frozen=True)
class Address:
    """How one Service is reached from here."""

    service: str
    port: int
    """The Service's own, within the cluster."""
    is_web_ui: bool
    url: str
    """`host:port`, or an URL for what a browser opens; empty where only a port-forward leads there."""
    forward: str
    """The kubectl command that always works."""


def addresses(objects: List[Manifest], *, namespace: str, hosts: List[str], answers: Answers) -> List[Address]:
    """Return how the Services are reached that people use; `hosts` are tried for node ports, the best first."""
    ingresses = of_kinds(objects, "Ingress")
    found = []
    for service in for_people(objects):
        url = _ingress_url(service, ingresses) or _balancer_url(service) or _node_url(service, hosts, answers)
        name, port = name_of(service), first_port(service)
        found.append(Address(name, port, is_web_ui(service), url, forward_line(namespace, name, port, port)))
    return found


def for_people(objects: List[Manifest]) -> List[Manifest]:
    """Return the Services for people: the orchestrator first, web UIs, a model; nodes are called by the orchestrator."""
    services = of_kinds(objects, "Service")
    found = [service for service in services if label_of(service, COMPONENT_LABEL) != "node" or is_web_ui(service)]
    return sorted(found, key=lambda service: (name_of(service) != ORCHESTRATOR, name_of(service)))


def is_web_ui(service: Manifest) -> bool:
    """Answer whether a browser is what opens the Service."""
    return bool(_ports(service)[0].get("name") == WEB_UI_PORT_NAME)


def first_port(service: Manifest) -> int:
    """Return the Service's own port."""
    return int(_ports(service)[0].get("port", 0))


def node_port(objects: List[Manifest], name: str) -> Optional[int]:
    """Return the node port that the API server gave to the first port of Service `name`, or None."""
    for service in of_kinds(objects, "Service"):
        if name_of(service) == name:
            return _ports(service)[0].get("nodePort")
    return None


def forward_line(namespace: str, service: str, local: int, port: int) -> str:
    """Return the command that makes a Service reachable on this machine."""
    return f"kubectl port-forward -n {namespace} service/{service} {local}:{port}"


def address_lines(found: List[Address]) -> List[str]:
    """Return one line per address for people."""
    return [f"{address.service}: {address.url or address.forward}" for address in found]


def machines_of(pods: List[Manifest]) -> List[str]:
    """Return the addresses of the machines that run the pods: node ports answer there, if they can be reached."""
    found = [str(pod.get("status", {}).get("hostIP", "")) for pod in pods]
    return sorted(set(found) - {""})


def with_orchestrator_port(dockerinfo: str, port: int) -> str:
    """Return `dockerinfo.json` with the orchestrator's port as an integer: Graphene's playground dials it from there.

    Raises:
        ValueError: the text is not the JSON that Graphene's tools exchange.
    """
    document: Dict[str, Any] = json.loads(dockerinfo)
    for entry in document.get("docker_info_list", []):
        if entry.get("container_name") == ORCHESTRATOR:
            entry["port"] = port
    return json.dumps(document, indent=2) + "\n"


def _ports(service: Manifest) -> List[Dict[str, Any]]:
    ports: List[Dict[str, Any]] = service.get("spec", {}).get("ports") or [{}]
    return ports


def _ingress_url(service: Manifest, ingresses: List[Manifest]) -> str:
    """Return the URL of an Ingress that some controller has taken on."""
    for ingress in ingresses:
        if name_of(ingress) == name_of(service) and ingress.get("status", {}).get("loadBalancer", {}).get("ingress"):
            host = ingress["spec"]["rules"][0].get("host", "")
            return f"{'https' if ingress['spec'].get('tls') else 'http'}://{host}/"
    return ""


def _balancer_url(service: Manifest) -> str:
    for entry in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        host = entry.get("hostname") or entry.get("ip")
        if host:
            return _url(service, str(host), first_port(service))
    return ""


def _node_url(service: Manifest, hosts: List[str], answers: Answers) -> str:
    port = _ports(service)[0].get("nodePort")
    if not port:
        return ""
    web = is_web_ui(service)
    return next((_url(service, host, port) for host in hosts if answers(host, port, web=web)), "")


def _url(service: Manifest, host: str, port: int) -> str:
    named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"http://{named}/" if is_web_ui(service) else named


# --- progress: How people watch nodes come up: a line per node, as a table that is drawn again or as plain lines of what changed. Pure.

HEAD = ("NODE", "IMAGE", "PHASE", "READY", "RESTARTS", "AGE")
# An image's tag is at its end and tells versions apart: what is too long is cut at the front.
IMAGE_WIDTH = 48
MINUTE, HOUR, DAY = 60, 3600, 86400


def table(states: List[NodeState], *, now: datetime, width: int, height: int) -> List[str]:
    """Return the table, at most `height` lines of less than `width` characters; what is ready gives way first."""
    shown, hidden = _chosen(states, height - 1)
    rows = [HEAD, *(_row(state, now) for state in shown)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width_) for cell, width_ in zip(row, widths)).rstrip() for row in rows]
    if hidden:
        lines.append(f"and {len(hidden)} more, {len([s for s in hidden if s.state == READY])} of them ready")
    return [line[: width - 1] for line in lines]


def plain_line(state: NodeState, *, now: datetime) -> str:
    """Return one node as a line that makes sense by itself."""
    name, image, phase, ready, restarts, age = _row(state, now)
    again = f", {restarts} restarts" if state.restarts else ""
    return f"{name}: {phase}, {ready} ready{again}, {age} ({image})"


def news(before: List[NodeState], now: List[NodeState]) -> List[NodeState]:
    """Return the nodes of which something changed that people want to know; the age is not."""
    known = {state.name: _telling(state) for state in before}
    return [state for state in now if known.get(state.name) != _telling(state)]


def summary(states: List[NodeState]) -> str:
    """Return `3 of 4 nodes ready`."""
    ready = len([state for state in states if state.state == READY])
    failed = len([state for state in states if state.state == FAILED])
    return f"{ready} of {len(states)} nodes ready" + (f", {failed} failed" if failed else "")


def age_seconds(since: str, now: datetime) -> int:
    """Return the seconds since an RFC 3339 time in UTC, 0 for none; clocks that disagree give no negative age."""
    if not since:
        return 0
    began = datetime.strptime(since[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return max(0, int((now - began).total_seconds()))


def age_text(seconds: int) -> str:
    """Return `45s`, `3m05s`, `2h10m` or `4d`."""
    if seconds < MINUTE:
        return f"{seconds}s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m{seconds % MINUTE:02d}s"
    if seconds < DAY:
        return f"{seconds // HOUR}h{seconds % HOUR // MINUTE:02d}m"
    return f"{seconds // DAY}d"


def _row(state: NodeState, now: datetime) -> Tuple[str, ...]:
    image = state.image if len(state.image) <= IMAGE_WIDTH else "..." + state.image[3 - IMAGE_WIDTH :]
    age = age_text(age_seconds(state.since, now)) if state.since else "-"
    return state.name, image, state.phase, f"{state.ready}/{state.wanted}", str(state.restarts), age


def _chosen(states: List[NodeState], room: int) -> Tuple[List[NodeState], List[NodeState]]:
    if len(states) <= room:
        return states, []
    # One line is for what is left out.
    first = sorted(states, key=lambda state: state.state == READY)[: max(1, room - 1)]
    return [state for state in states if state in first], [state for state in states if state not in first]


def _telling(state: NodeState) -> Tuple[str, int, int, str]:
    return state.phase, state.ready, state.restarts, state.state


# --- report: What a run came to: collected on the way, and written as one JSON document for programs.

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_READY = 3
EXIT_INTERRUPTED = 130

EXITS = {
    EXIT_DONE: "done",
    EXIT_FAILED: "failed",
    EXIT_USAGE: "usage",
    EXIT_NOT_READY: "not ready",
    EXIT_INTERRUPTED: "interrupted",
}
REPORT_VERSION = 1


@dataclass
class Report:
    """Filled while the run goes on, so that also one that fails tells what it did."""

    action: str
    namespace: str
    instance: str = ""
    revision: str = ""
    doing: str = "reading the bundle"
    """What a run that is stopped was stopped at."""
    ready: bool = False
    changes: List[Change] = field(default_factory=list)
    nodes: List[NodeState] = field(default_factory=list)
    causes: List[Cause] = field(default_factory=list)
    addresses: List[Address] = field(default_factory=list)
    problem: str = ""

    def document(self, status: int, now: datetime) -> Dict[str, Any]:
        """Return the JSON document; empty texts and lists are kept, so that its shape is always the same."""
        return {
            "version": REPORT_VERSION,
            "action": self.action,
            "namespace": self.namespace,
            "instance": self.instance,
            "revision": self.revision,
            "outcome": EXITS.get(status, "failed"),
            "exit": status,
            "ready": self.ready,
            "problem": self.problem,
            "changes": [{**asdict(change), "paths": list(change.paths)} for change in self.changes],
            "nodes": [_node(state, now) for state in self.nodes],
            "causes": [
                {"node": cause.node, "about": cause.about, "what": cause.what, "hint": cause.hint}
                for cause in self.causes
            ],
            "addresses": [asdict(address) for address in self.addresses],
        }


def _node(state: NodeState, now: datetime) -> Dict[str, Any]:
    described = asdict(state)
    since = described.pop("since")
    return {**described, "age_seconds": age_seconds(since, now)}


# --- arguments: The command line. The short options are Graphene's, so that what calls its script can call this one.

# Graphene's playground calls this script from a worker that it stops after 300 s, and takes a non-zero status for a
# failed deployment: a slow image pull must be neither.
PATIENCE_SECONDS = 240.0
# Where Graphene's playground keeps its configuration; elsewhere it is missing, which is no complaint.
GRAPHENE_CONFIG = "/home/ai4eu/playground-app/config.json"

EPILOG = """\
Exit status: 0 done: all is ready, or (without --timeout) all is applied and what is slow was told; 1 failed, in words;
2 wrong usage, nothing was done; 3 not ready in time; 130 interrupted. With --run: that of the orchestrator's client.

The same command may be run again at any time, also after it was stopped: it goes on where that is needed."""

Value = TypeVar("Value")


def read_arguments(arguments: List[str], *, script: str) -> argparse.Namespace:
    """Read the command line; what cannot be meant ends the program with status 2 before kubectl is called at all."""
    parser = _parser(Path(script).resolve().parent)
    chosen = parser.parse_args(arguments)
    chosen.action = next((name for name in ("status", "logs", "delete") if getattr(chosen, name)), "deploy")
    problem = _contradiction(chosen)
    if problem:
        parser.error(problem)
    return chosen


def _parser(folder: Path) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Apply this bundle to the cluster of the current kubeconfig, wait, and print the addresses.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-n", "--namespace", required=True, type=_type(checked_namespace), help="namespace; created when it is missing")
    add("--no-create-namespace", action="store_true", help="refuse when the namespace is missing")
    add("-ipp", "--image_pull_policy", choices=["Always", "IfNotPresent", "Never"], help="instead of the bundle's own")
    add("-bp", "--base_path", default=str(folder), help="folder of the bundle; without it that of this script")
    add("-ps", "--path_docker_secret", metavar="FILE", help="docker config.json to make the pull secret from")
    add("-sn", "--secret_name", type=_type(checked_secret), help="name of the pull secret that the workloads use")
    add("-cf", "--config-file", metavar="FILE", default=GRAPHENE_CONFIG, help="JSON with environment_variables rules")
    add(
        "--timeout",
        type=_type(_seconds),
        metavar="SECONDS",
        help="wait so long until all is ready, 0: do not wait; without it, what is not ready after "
        f"{PATIENCE_SECONDS:.0f} s is told, and is no failure",
    )
    add("--forward", action="store_true", help="then forward orchestrator and web UIs to this machine until Ctrl-C")
    add("--run", action="store_true", help="then start the pipeline with the orchestrator's client, and follow it")
    add("--json", action="store_true", help="write one JSON document to stdout, and words to stderr")
    add("--dry-run", action="store_true", help="only tell what would be created, changed and deleted")
    actions = parser.add_argument_group("instead of deploying").add_mutually_exclusive_group()
    actions.add_argument("--status", action="store_true", help="tell how the deployment is, and change nothing")
    actions.add_argument("--logs", metavar="NODE", type=_type(checked_node), help="follow the logs of a node")
    actions.add_argument("--delete", action="store_true", help="delete what belongs to this solution, but no claims")
    add("--delete-data", action="store_true", help="with --delete: delete the claims, too, and what is on them")
    return parser


def _contradiction(chosen: argparse.Namespace) -> str:
    """Return what cannot be meant together, or nothing."""
    follows = chosen.forward or chosen.run
    rules = (
        (chosen.path_docker_secret and not chosen.secret_name, "--path_docker_secret needs --secret_name"),
        (chosen.delete_data and not chosen.delete, "--delete-data goes with --delete"),
        (
            follows and (chosen.logs or chosen.delete or chosen.dry_run or chosen.json),
            "--forward and --run go with a deployment or with --status, in words",
        ),
        (chosen.forward and chosen.run, "choose one of --forward and --run"),
        (chosen.logs and chosen.json, "--logs has no --json: logs are what the node writes"),
        (
            chosen.dry_run and (chosen.status or chosen.logs),
            "--dry-run goes with a deployment or with --delete; --status and --logs change nothing anyway",
        ),
    )
    return next((words for broken, words in rules if broken), "")


def _type(check: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return `check` so that argparse shows its words."""

    def checked(value: str) -> Value:
        try:
            return check(value)
        except UsageError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from problem

    return checked


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UsageError(f"expected a number of seconds, 0 or more; found {value!r}")
    return seconds


# --- answering: Asks whether a Service really answers at an address: a connection alone proves nothing, as proxies accept all of them.

ANSWER_SECONDS = 1.0

# What an HTTP/2 client sends first: the preface, and a SETTINGS frame without settings. A gRPC server answers with its
# own SETTINGS frame, whose type stands in the fourth byte.
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HTTP2_SETTINGS = 4
FRAME_HEADER_BYTES = 9
# Where no machine of a cluster has a server: who answers there, too, is a proxy that answers for everybody.
NOBODYS_PORT = 1


def is_host(host: str, port: int, *, web: bool) -> bool:
    """Answer whether node ports of the cluster are reached at a host, judged by one of them."""
    return answers(host, port, web=web) and not answers(host, NOBODYS_PORT, web=web)


def answers(host: str, port: int, *, web: bool) -> bool:
    """Answer whether a web server, or a gRPC server, is there."""
    greeting = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "replace")
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.sendall(greeting if web else HTTP2_GREETING)
            answer = connection.recv(FRAME_HEADER_BYTES)
    except (OSError, UnicodeError):
        return False
    return answer.startswith(b"HTTP/") if web else answer[3:4] == bytes([HTTP2_SETTINGS])


# --- terminal: What the person at the terminal gets to read. Nothing that comes from the cluster or a manifest can steer the terminal.

def printable(text: str) -> str:
    """Escape what could steer the terminal; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def shell_line(command: List[str]) -> str:
    """Return a command as people type it into their shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else " ".join(map(shlex.quote, command))


class Terminal:
    """Words go to stdout, or to stderr when stdout is kept for one JSON document; trouble always goes to stderr."""

    def __init__(self, *, json_on_stdout: bool) -> None:
        for stream in (sys.stdout, sys.stderr):
            # A log may hold letters that the terminal's encoding has not.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        self._out: TextIO = sys.stderr if json_on_stdout else sys.stdout
        self._draws = can_redraw(self._out)
        self._height = 0
        self._shown: List[NodeState] = []

    def say(self, text: str) -> None:
        """Print a line of what happens."""
        self._leave_table()
        print(printable(text), file=self._out, flush=True)

    def warn(self, text: str) -> None:
        """Print a line of what is wrong."""
        self._leave_table()
        print(printable(text), file=sys.stderr, flush=True)

    def progress(self, states: List[NodeState]) -> None:
        """Show the nodes: the table again in its place, or a line for each that changed."""
        now = datetime.now(timezone.utc)
        if self._draws:
            self._draw(states, now)
        else:
            for state in news(self._shown, states):
                print(printable(plain_line(state, now=now)), file=self._out, flush=True)
        self._shown = states

    def _draw(self, states: List[NodeState], now: datetime) -> None:
        size = shutil.get_terminal_size()
        lines = table(states, now=now, width=size.columns, height=max(3, size.lines - 2))
        up = f"\x1b[{self._height}F\x1b[J" if self._height else ""
        self._out.write(up + "".join(printable(line) + "\n" for line in lines))
        self._out.flush()
        self._height = len(lines)

    def _leave_table(self) -> None:
        """Let what is printed next stand below the table, and the next table below that."""
        self._height = 0


def can_redraw(stream: TextIO) -> bool:
    """Answer whether the stream is a terminal that can move its cursor; old Windows consoles cannot."""
    capable = os.name != "nt" or "WT_SESSION" in os.environ
    return stream.isatty() and capable and os.environ.get("TERM") != "dumb"


# --- connection: What kubectl's words mean for whoever calls it: try again, ask for another way, or give up. Pure.

# The cluster did not answer, or not yet: the same call may succeed in a moment, and all of ours may be repeated.
PASSING = (
    "connection refused",
    "was refused - did you specify the right host or port",
    "connection reset by peer",
    "connection timed out",
    "i/o timeout",
    "tls handshake timeout",
    "client connection lost",
    "context deadline exceeded",
    "client.timeout exceeded",
    "request canceled",
    "no route to host",
    "network is unreachable",
    "no such host",
    "name resolution",
    "server misbehaving",
    "broken pipe",
    "unexpected eof",
    ": eof",
    "currently unable to handle the request",
    "not yet ready to handle request",
    "too many requests",
    "etcdserver:",
    "cannot be fulfilled on resourcequotas",  # two objects were counted against a quota at once
    "apiserver is shutting down",
    "the server was unable to return a response in the time allotted",
)
# Where kubectl looks when nobody has told it of a cluster.
NO_CLUSTER = (
    "localhost:8080 was refused",
    "dial tcp 127.0.0.1:8080",
    "dial tcp [::1]:8080",
    "no configuration has been",
)
# A refused pod template is quoted whole: its beginning and its end tell enough.
PART_SHOWN = 1000
NO_LOGIN = ("you must be logged in to the server", "the server has asked for the client to provide credentials")


def is_passing(told: str) -> bool:
    """Answer whether a failed call is worth repeating."""
    lowered = told.lower()
    if "x509" in lowered or knows_no_cluster(told):
        return False
    return any(words in lowered for words in PASSING)


def knows_no_cluster(told: str) -> bool:
    """Answer whether kubectl has no kubeconfig."""
    return any(words in told.lower() for words in NO_CLUSTER)


def wants_login(told: str) -> bool:
    """Answer whether the cluster does not know who calls."""
    return any(words in told.lower() for words in NO_LOGIN)


def is_terminating(told: str) -> bool:
    """Answer whether the namespace is on its way out and takes nothing more."""
    return "because it is being terminated" in told or ("object is being deleted" in told and "namespaces" in told)


def is_too_large_to_copy(told: str) -> bool:
    """Answer whether an object does not fit into the annotation in which kubectl keeps what it has applied."""
    return "metadata.annotations: Too long" in told


def is_still_there(told: str) -> bool:
    """Answer whether something that is deleted takes longer to go than we wait."""
    return "timed out waiting for the condition" in told


def is_forbidden(told: str) -> bool:
    """Answer whether the person lacks a right."""
    return "(Forbidden)" in told


def unchangeable_jobs(told: str) -> List[str]:
    """Return the Jobs that exist with another pod template, which Kubernetes never changes."""
    return re.findall(r'The Job "([^"]+)" is invalid:[^\n]*field is immutable', told)


def unchangeable_claims(told: str) -> List[str]:
    """Return the claims that exist with another size or class than they are asked for."""
    invalid = r'The PersistentVolumeClaim "([^"]+)" is invalid'
    refused = r'persistentvolumeclaims "([^"]+)" is forbidden: only dynamically provisioned pvc can be resized'
    return sorted({*re.findall(invalid, told), *re.findall(refused, told)})


def in_words(told: str) -> str:
    """Return kubectl's words without its log lines (`E1121 05:02:46.435174 …`), shortened to what a person reads."""
    lines = [line for line in told.strip().splitlines() if not re.match(r"[EWI]\d{4} \d\d:\d\d:\d\d", line)]
    text = "\n".join(lines).strip() or told.strip()
    return text if len(text) <= 2 * PART_SHOWN else f"{text[:PART_SHOWN]}\n...\n{text[-PART_SHOWN:]}"


# --- kubectl: Calls `kubectl`: argument lists only, a timeout on every call, patience with a cluster that is away for a moment.

CALL_SECONDS = 300
REQUEST_SECONDS = 20
# A pod has 30 s to end, and whatever waits for it goes after it.
DELETE_SECONDS = 180
# A cluster that never answered is probably the wrong one; one that did comes back.
FIRST_ABSENCE_SECONDS = 10.0
ABSENCE_SECONDS = 120.0
LONGEST_PAUSE_SECONDS = 5.0


class KubectlError(Exception):
    """`kubectl` is missing, failed or took too long; the text is for the person at the terminal."""

    def __init__(self, words: str, told: str = "") -> None:
        super().__init__(words)
        self.told = told
        """All that kubectl wrote to stderr."""


class Kubectl:
    """The cluster that the current kubeconfig names, in one namespace that was checked before."""

    def __init__(self, namespace: str, *, warn: Callable[[str], None]) -> None:
        program = shutil.which("kubectl")
        if program is None:
            raise KubectlError("kubectl is not on the PATH: see https://kubernetes.io/docs/tasks/tools/")
        self.program = program
        self.namespace = namespace
        self._warn = warn
        self._has_answered = False
        self._server_side = True

    def run(self, *arguments: str, given: Optional[str] = None, asks: bool = True) -> str:
        """Run kubectl and return its output; repeat it for a while when the cluster does not answer.

        `asks`: the call asks the cluster, so that its success shows that the cluster is there.

        Raises:
            KubectlError: with kubectl's own words.
        """
        began, pause, warned = time.monotonic(), 1.0, False
        while True:
            try:
                output = self._once(arguments, given)
            except KubectlError as problem:
                # A kubeconfig that was there a moment ago is being written anew, by a login for example.
                is_rewritten = self._has_answered and knows_no_cluster(problem.told)
                if not is_passing(problem.told) and not is_rewritten:
                    self._has_answered = self._has_answered or asks
                    raise
                patience = ABSENCE_SECONDS if self._has_answered else FIRST_ABSENCE_SECONDS
                if time.monotonic() + pause > began + patience:
                    raise KubectlError(f"the cluster did not answer for {patience:.0f} s: {problem}") from problem
                if not warned:
                    last = in_words(problem.told).splitlines()[-1]
                    self._warn(f"the cluster does not answer, trying again for {patience:.0f} s: {last}")
                    warned = True
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                self._has_answered = self._has_answered or asks
                return output

    def read_manifests(self, text: str) -> List[Manifest]:
        """Return the objects in YAML. kubectl parses it, since the standard library knows no YAML; nothing is sent."""
        rest = ("--validate=false", "-o", "json", "-n", self.namespace, "-f", "-")
        try:
            return objects_in(self.run("create", "--dry-run=client", *rest, given=text, asks=False))
        except KubectlError as problem:
            if 'invalid argument "client"' not in problem.told:  # kubectl before 1.18
                raise
        return objects_in(self.run("create", "--dry-run", *rest, given=text, asks=False))

    def apply(self, manifests: List[Manifest], *, dry_run: bool = False) -> List[Manifest]:
        """Apply objects in one call and return them as they then are; `dry_run`: as they would be.

        Server-side with our field manager; by kubectl itself where it is too old for that.
        """
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        common = [*(["--dry-run=server"] if dry_run else []), "-n", self.namespace, "-o", "json", "-f", "-"]
        if self._server_side:
            managed = ("--server-side", "--force-conflicts", "--field-manager", MANAGER)
            try:
                return objects_in(self.run("apply", *managed, *common, given=document))
            except KubectlError as problem:
                if "unknown flag" not in problem.told:
                    raise
            self._server_side = False
            self._warn("this kubectl is old and cannot apply on the server's side; it applies by itself")
        try:
            return objects_in(self.run("apply", *common, given=document))
        except KubectlError as problem:
            if not is_too_large_to_copy(problem.told):
                raise
            words = (
                f"{problem}\nthis kubectl keeps a copy of each object in an annotation, and one is too large for that: "
            )
            raise KubectlError(
                f"{words}kubectl 1.18 or newer applies it on the server's side", problem.told
            ) from problem

    def get(self, kinds: str, selector: str = "") -> List[Manifest]:
        """Return the objects of some kinds (`deployments,jobs`) in the namespace."""
        chosen = ("-l", selector) if selector else ()
        return objects_in(self.run("get", kinds, "-n", self.namespace, "-o", "json", *chosen))

    def find(self, kind: str, name: str) -> Optional[Manifest]:
        """Return one object, or None when it is not there."""
        found = self.run("get", kind, name, "-n", self.namespace, "--ignore-not-found", "-o", "json")
        return next(iter(objects_in(found)), None)

    def delete(self, manifests: List[Manifest]) -> None:
        """Delete objects and wait until they are gone; what is gone already is no error.

        Raises:
            KubectlError: also when something is still there after `DELETE_SECONDS`: see `is_still_there`.
        """
        names = [
            {"apiVersion": m["apiVersion"], "kind": m["kind"], "metadata": {"name": m["metadata"]["name"]}}
            for m in manifests
        ]
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": names})
        options = ("--ignore-not-found", f"--timeout={DELETE_SECONDS}s")
        self.run("delete", *options, "-n", self.namespace, "-f", "-", given=document)

    def create_namespace(self) -> str:
        """Create the namespace, labelled as ours: only such a one may ever be deleted again.

        Returns `created`, `there`, `terminating`, or `forbidden` to somebody who may not create namespaces.
        """
        metadata = {"name": self.namespace, "labels": {MANAGED_BY_LABEL: MANAGER}}
        document = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        try:
            self.run("create", "-f", "-", given=document)
        except KubectlError as problem:
            if is_terminating(problem.told):
                return "terminating"
            if "AlreadyExists" in problem.told:
                return "there"
            if is_forbidden(problem.told):
                return "forbidden"
            raise
        return "created"

    def host(self) -> Optional[str]:
        """Return the host name of the API server: on many small clusters node ports answer there."""
        url = self.run("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        return urlsplit(url.strip()).hostname

    def attend(self, *arguments: str) -> int:
        """Run kubectl for the person at the terminal until it ends or they end it; return its exit status."""
        return subprocess.run([self.program, *arguments, "-n", self.namespace], check=False).returncode

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start kubectl for something that goes on; the caller reads its output and ends it."""
        return subprocess.Popen(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )

    def _once(self, arguments: tuple[str, ...], given: Optional[str]) -> str:
        verb = arguments[0]
        command = [self.program, *arguments, f"--request-timeout={REQUEST_SECONDS}s"]
        try:
            done = subprocess.run(
                command,
                input=given,
                stdin=subprocess.DEVNULL if given is None else None,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                timeout=CALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            words = f"kubectl {verb}: no answer within {CALL_SECONDS} s"
            raise KubectlError(words, "connection timed out") from late
        if done.returncode:
            raise KubectlError(_explained_failure(verb, done.stderr), done.stderr)
        return done.stdout


def objects_in(text: str) -> List[Manifest]:
    """Return the objects in kubectl's JSON output: one, a List, or several behind each other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        found.extend(_flat(value))
    return found


def _flat(value: Dict[str, Any]) -> List[Manifest]:
    return list(value["items"]) if value.get("kind", "").endswith("List") else [value]


def _explained_failure(verb: str, told: str) -> str:
    if knows_no_cluster(told):
        return "kubectl knows no cluster: set KUBECONFIG to the file that you got for yours, or see `kubectl config`"
    if wants_login(told):
        return "the cluster does not know you: log in again with the program of whoever runs it, then run this again"
    return f"kubectl {verb} failed: {in_words(told)}"


# --- watching: Follows the pods of an instance with one `kubectl get --watch` that runs as long as we wait, instead of one call a second.

RESTART_PAUSE_SECONDS = 3.0
# Somebody who may not watch is not asked for it all the time; what is asked about now and then has to do.
LONGEST_PAUSE_TO_RESTART = 60.0
# What one look at the queue takes in at most before the terminal is drawn again.
MOST_EVENTS_AT_ONCE = 500
CROWD_SECONDS = 0.2

Event = Tuple[str, Manifest]


class PodWatch:
    """The pods with some labels, kept up to date. A watch that ends is started anew: the cluster may be away for a while."""

    def __init__(self, kubectl: Kubectl, selector: str) -> None:
        self._kubectl = kubectl
        self._selector = selector
        self._pods: Dict[str, Manifest] = {}
        self._events: queue.Queue[Optional[Event]] = queue.Queue()
        self._process: Optional[subprocess.Popen[str]] = None
        self._next_start = 0.0
        self._pause = RESTART_PAUSE_SECONDS

    def look(self, seconds: float) -> List[Manifest]:
        """Return the pods as they are known after at most `seconds`, sooner when something happens."""
        self._ensure_started()
        try:
            event = self._events.get(timeout=seconds)
            # Events come in crowds.
            time.sleep(CROWD_SECONDS)
            for _ in range(MOST_EVENTS_AT_ONCE):
                self._take(event)
                event = self._events.get_nowait()
        except queue.Empty:
            pass
        return list(self._pods.values())

    def learn(self, pods: List[Manifest]) -> None:
        """Take over what is known from elsewhere: a watch that was started anew does not mention what went meanwhile."""
        self._pods = {name_of(pod): pod for pod in pods}

    def close(self) -> None:
        """End the watch."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _ensure_started(self) -> None:
        if self._process is not None or time.monotonic() < self._next_start:
            return
        self._next_start = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE_TO_RESTART)
        arguments = ("get", "pods", "-n", self._kubectl.namespace, "-l", self._selector)
        self._process = self._kubectl.start(*arguments, "--watch", "--output-watch-events", "-o", "json")
        self._events = queue.Queue()
        threading.Thread(target=self._read, args=(self._process, self._events), daemon=True).start()

    def _take(self, event: Optional[Event]) -> None:
        if event is None:
            self.close()
            return
        self._pause = RESTART_PAUSE_SECONDS
        what, pod = event
        if what == "DELETED":
            self._pods.pop(name_of(pod), None)
        elif what in ("ADDED", "MODIFIED"):
            self._pods[name_of(pod)] = pod

    @staticmethod
    def _read(process: subprocess.Popen[str], events: queue.Queue[Optional[Event]]) -> None:
        """Hand on what the watch writes; None when it ends."""
        if process.stdout is not None:
            for event in watch_events(process.stdout):
                events.put(event)
            process.stdout.close()
        events.put(None)


def watch_events(stream: Iterable[str]) -> Iterator[Event]:
    """Yield (`ADDED` | `MODIFIED` | `DELETED`, object) from what `kubectl get --watch -o json` writes.

    An event is one line of kubectl's, `{...}`; one that is printed over several ends with a brace at the beginning of a line.
    """
    lines: List[str] = []
    for line in stream:
        lines.append(line)
        if line.startswith(("{", "}")) and line.rstrip().endswith("}"):
            event = json.loads("".join(lines))
            lines = []
            yield str(event.get("type", "")), event.get("object", {})


# --- waiting: Waits until all nodes are ready: pods are followed live, and the workloads asked about where that promises news.

# Everything that belongs to an instance, and what the cluster makes of it.
ALL_RESOURCES = FOLLOWED_RESOURCES + ",replicasets,pods"

LOOK_SECONDS = 1.0
# The status of a workload follows its pods within a moment; the controllers that write it take some 20 a second.
SETTLE_SECONDS = 0.5
SETTLE_SECONDS_PER_WORKLOAD = 0.05
# Each question costs a process and a dozen requests: the longer the wait, the fewer.
FIRST_GAP_SECONDS = 120.0
LONGEST_READY_GAP_SECONDS = 15.0

Show = Callable[[List[NodeState]], None]


def survey(kubectl: Kubectl, selector: str) -> Snapshot:
    """Return everything of an instance as it is now."""
    return Snapshot(tuple(kubectl.get(ALL_RESOURCES, selector)))


def wait(kubectl: Kubectl, workloads: List[Manifest], selector: str, *, seconds: float, show: Show) -> Snapshot:
    """Wait until every workload is ready, one has failed for good, or the time is up; return what then is.

    `workloads` are what was applied, as the API server answered: what did not change is ready already.
    """
    end = time.monotonic() + seconds
    snapshot = Snapshot(tuple(workloads))
    if is_settled(workloads, snapshot):
        return survey(kubectl, selector)
    questions = Questions(time.monotonic(), workloads=len(workloads))
    with closing(PodWatch(kubectl, selector)) as watch:
        while True:
            snapshot = snapshot.with_pods(watch.look(LOOK_SECONDS))
            found = snapshot.find(workloads)
            show(node_states(found, snapshot.of("Pod")))
            now, is_late = time.monotonic(), time.monotonic() >= end
            if is_late or questions.is_due(now, promising=look_ready(found, snapshot.of("Pod"))):
                snapshot = survey(kubectl, selector)
                watch.learn(snapshot.of("Pod"))
                questions.asked(time.monotonic())
                if is_late or is_settled(workloads, snapshot):
                    show(node_states(snapshot.find(workloads), snapshot.of("Pod")))
                    return snapshot


def is_settled(workloads: List[Manifest], snapshot: Snapshot) -> bool:
    """Answer whether waiting longer changes nothing: all are ready, or one never will be."""
    states = [state_of(workload)[0] for workload in snapshot.find(workloads)]
    return FAILED in states or all(state == READY for state in states)


class Questions:
    """When to ask about the workloads: soon after all pods look ready, and now and then in between."""

    def __init__(self, now: float, *, workloads: int) -> None:
        self._asked = now
        self._gap = FIRST_GAP_SECONDS
        self._settle = SETTLE_SECONDS + SETTLE_SECONDS_PER_WORKLOAD * workloads
        self._promising_since = 0.0
        self._ready_gap = self._settle

    def is_due(self, now: float, *, promising: bool) -> bool:
        """Answer whether to ask now."""
        if not promising:
            self._promising_since, self._ready_gap = 0.0, self._settle
            return now - self._asked >= self._gap
        self._promising_since = self._promising_since or now
        return now - max(self._asked, self._promising_since) >= self._ready_gap

    def asked(self, now: float) -> None:
        """Take down that we asked: the next gap is longer."""
        self._asked = now
        if self._promising_since:
            self._ready_gap = min(self._ready_gap * 2, LONGEST_READY_GAP_SECONDS)
        else:
            self._gap *= 2


# --- applying: Brings the namespace to what the bundle says: stage by stage, then without what an older revision left behind.

TERMINATING_SECONDS = 60.0
TERMINATING_PAUSE_SECONDS = 3.0

Say = Callable[[str], None]


class Application:
    """One run over all stages; what it did is in `changes`, what then is in `objects`."""

    def __init__(self, kubectl: Kubectl, existing: List[Manifest], *, say: Say, dry_run: bool = False) -> None:
        self._kubectl = kubectl
        self._existing = existing
        self._say = say
        self._dry_run = dry_run
        self.changes: List[Change] = []
        self.objects: List[Manifest] = []

    def apply(self, manifests: List[Manifest]) -> None:
        """Apply all stages in order.

        Raises:
            KubectlError: the cluster refuses something; the stages before it are applied.
        """
        for stage, group in in_stages(manifests):
            applied = self._stage(stage, group)
            self.objects += applied
            self._say(f"{stage}: {tally([c for c in self.changes if (c.kind, c.name) in set(map(key_of, group))])}")

    def prune(self, manifests: List[Manifest]) -> None:
        """Delete what an older revision of the same solution had and this one has not."""
        old = to_prune(self._existing, manifests)
        if not old:
            return
        if not self._dry_run:
            self._kubectl.delete(old)
        self.changes += [Change(*key_of(manifest), DELETED) for manifest in old]
        self._say(f"of an older revision: {len(old)} deleted")

    def _stage(self, stage: str, group: List[Manifest]) -> List[Manifest]:
        try:
            applied = self._kubectl.apply(group, dry_run=self._dry_run)
        except KubectlError as problem:
            jobs, claims = unchangeable_jobs(problem.told), unchangeable_claims(problem.told)
            if not jobs and not claims:
                raise _refused(stage, problem) from problem
            return self._without_changing(stage, group, jobs=jobs, claims=claims)
        self.changes += changes_between(self._existing, applied)
        return applied

    def _without_changing(
        self, stage: str, group: List[Manifest], *, jobs: List[str], claims: List[str]
    ) -> List[Manifest]:
        """Make Jobs anew that are others now, and leave claims alone that cannot become what they should."""
        old = [manifest for manifest in group if manifest["kind"] == "Job" and name_of(manifest) in jobs]
        kept = [m for m in group if m["kind"] == "PersistentVolumeClaim" and name_of(m) in claims]
        if old and not self._dry_run:
            self._kubectl.delete(old)
        rest = [m for m in group if m not in kept and not (self._dry_run and m in old)]
        try:
            applied = self._kubectl.apply(rest, dry_run=self._dry_run) if rest else []
        except KubectlError as problem:
            raise _refused(stage, problem) from problem
        others = [manifest for manifest in applied if name_of(manifest) not in jobs or manifest["kind"] != "Job"]
        self.changes += [
            *changes_between(self._existing, others),
            *(Change(*key_of(manifest), REPLACED) for manifest in old),
            *(Change(*key_of(manifest), KEPT) for manifest in kept),
        ]
        for manifest in kept:
            self._say(
                f"claim {name_of(manifest)} stays as it is: its size or class cannot become what the bundle asks for"
            )
        return applied


def ensure_namespace(kubectl: Kubectl, *, create: bool, say: Say) -> bool:
    """Make sure that the namespace is there, and answer whether it is new; one that is being deleted is waited for.

    Raises:
        KubectlError: it is missing and may not be created, or goes on being deleted.
    """
    if not create:
        return _demand_namespace(kubectl, "and --no-create-namespace was given")
    end, waiting = time.monotonic() + TERMINATING_SECONDS, False
    while True:
        found = kubectl.create_namespace()
        if found == "created":
            say(f"namespace {kubectl.namespace}: created")
            return True
        if found == "there":
            return False
        if found == "forbidden":
            return _demand_namespace(kubectl, "and you may not create it: ask whoever runs the cluster for one")
        if time.monotonic() >= end:
            raise KubectlError(_still_terminating(kubectl))
        if not waiting:
            say(f"namespace {kubectl.namespace} is being deleted; waiting for it to be gone")
            waiting = True
        time.sleep(TERMINATING_PAUSE_SECONDS)


def _demand_namespace(kubectl: Kubectl, why: str) -> bool:
    found = kubectl.find("namespace", kubectl.namespace)
    if found is None:
        raise KubectlError(f"namespace {kubectl.namespace} does not exist, {why}")
    if found.get("status", {}).get("phase") == "Terminating":
        raise KubectlError(_still_terminating(kubectl))
    return False


def _still_terminating(kubectl: Kubectl) -> str:
    """Say what holds a namespace up; the cluster keeps the reasons in its conditions."""
    found = kubectl.find("namespace", kubectl.namespace) or {}
    conditions = found.get("status", {}).get("conditions", [])
    held = [str(c.get("message", "")) for c in conditions if c.get("status") == "True"]
    why = f" (held up: {' '.join(held)})" if held else ""
    return f"namespace {kubectl.namespace} is being deleted{why}: try again when it is gone, or choose another one"


def _refused(stage: str, problem: KubectlError) -> KubectlError:
    """Return what the cluster's refusal means to a person."""
    if is_terminating(problem.told):
        return KubectlError(f"{stage}: the namespace is being deleted: try again when it is gone", problem.told)
    what, hint = explained_refusal(problem.told)
    if "quota" in what or "limit range" in what:
        return KubectlError(f"{stage}: {what}; {hint}", problem.told)
    return KubectlError(f"{stage}: {problem}", problem.told)


# --- bundle_files: The files of the unpacked bundle: its manifests, which are only read, and `dockerinfo.json`, the one file that changes.

DOCKERINFO = "dockerinfo.json"
FOLDERS = ("deployments", "policies")


def manifests_text(base: Path) -> str:
    """Return all manifests of the bundle as one YAML stream.

    One stream and not a list of files: a path may hold a comma, at which kubectl would cut it, and a command line has
    an end.

    Raises:
        ValueError: there are none.
    """
    files = [file for folder in FOLDERS for file in sorted((base / folder).glob("*.yaml"))]
    if not files:
        raise ValueError(f"no manifests in {base / FOLDERS[0]}: is this an unpacked solution.zip?")
    return "".join(f"---\n{file.read_text(encoding='utf-8-sig')}\n" for file in files)


def environment_rules(config_file: Optional[str]) -> List[EnvironmentRule]:
    """Return the rules of the configuration file; none without a file, or when it is missing (Graphene's callers).

    Raises:
        ValueError: it is there, and is not what Graphene's playground writes.
    """
    if not config_file or not Path(config_file).is_file():
        return []
    try:
        return rules_of(json.loads(Path(config_file).read_text(encoding="utf-8-sig")))
    except ValueError as problem:
        raise ValueError(f"{config_file}: {problem}") from problem


def docker_config(path: str) -> str:
    """Return the docker configuration that a pull secret is made from.

    Raises:
        ValueError: it is no JSON, which the cluster would refuse.
    """
    text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    try:
        json.loads(text)
    except ValueError as problem:
        raise ValueError(f"{path}: expected the JSON of docker: {problem}") from problem
    return text


def has_login(config: str) -> bool:
    """Answer whether a docker configuration holds a login; docker may leave them to the keychain of the desktop."""
    try:
        logins = json.loads(config)["auths"].values()
        return any(login.get(key) for login in logins for key in ("auth", "identitytoken", "password"))
    except (TypeError, KeyError, AttributeError):
        return False


def write_orchestrator_port(base: Path, port: int) -> bool:
    """Put the port into `dockerinfo.json`, whole or not at all; answer whether that changed the file."""
    path = (base / DOCKERINFO).resolve()
    if not path.is_file():
        return False
    before = path.read_text(encoding="utf-8-sig")
    text = with_orchestrator_port(before, port)
    if json.loads(before) == json.loads(text):
        return False
    handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix=".dockerinfo-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # The temporary file is for its owner alone; the other tools that read this one may be others.
        shutil.copymode(str(path), temporary)
        os.replace(temporary, str(path))
    except BaseException:
        Path(temporary).unlink()
        raise
    return True


# --- session: What every action works with: the command line, the cluster, the bundle's objects, and where words go.

class Session:
    """One run of the script. Making one reads the bundle; kubectl parses it, and nothing is written."""

    def __init__(self, chosen: argparse.Namespace, report: Report, terminal: Terminal) -> None:
        self.chosen = chosen
        self.report = report
        self.terminal = terminal
        self.base = Path(chosen.base_path).resolve()
        self.rules = environment_rules(chosen.config_file)
        self.login = self._docker_config(chosen.path_docker_secret) if chosen.path_docker_secret else ""
        text = manifests_text(self.base)
        self.kubectl = Kubectl(chosen.namespace, warn=terminal.warn)
        self.manifests = self._read(text)
        self.instance = instance_of(self.manifests)
        self.selector = selector_of(self.instance)
        report.instance = self.instance
        report.revision = next((r for m in self.manifests if (r := label_of(m, REVISION_LABEL))), "")

    @property
    def workloads(self) -> List[Manifest]:
        """The Deployments and Jobs of the bundle."""
        return of_kinds(self.manifests, *WORKLOAD_KINDS)

    def doing(self, what: str) -> None:
        """Note what a run that is stopped now was stopped at."""
        self.report.doing = what

    def pull_secret(self) -> List[Manifest]:
        """Return the pull secret that the command line asks for, if it does."""
        if not self.login:
            return []
        return [pull_secret_manifest(self.chosen.secret_name, self.login, instance=self.instance)]

    def ensure_namespace(self) -> bool:
        """Make sure that the namespace is there, and answer whether it is new."""
        return ensure_namespace(self.kubectl, create=not self.chosen.no_create_namespace, say=self.terminal.say)

    def _docker_config(self, path: str) -> str:
        text = docker_config(path)
        if not has_login(text):
            self.terminal.warn(
                f"{path}: there is no login in it, so the secret will open no registry. Where docker keeps logins in a "
                "keychain, make the secret with `kubectl create secret docker-registry`"
            )
        return text

    def _read(self, text: str) -> List[Manifest]:
        try:
            found = self.kubectl.read_manifests(text)
        except KubectlError as problem:
            if not problem.told or "STDIN" not in problem.told:
                raise
            raise KubectlError(f"the manifests in {self.base} cannot be read: {problem}", problem.told) from problem
        chosen = self.chosen
        return [
            with_choices(m, pull_policy=chosen.image_pull_policy, pull_secret=chosen.secret_name, rules=self.rules)
            for m in found
        ]


# --- telling: Tells how the deployment is: the nodes, why some are not ready, and where the others are reached.

LOG_LINES = 5
ADDRESSES_SHOWN = 12
# Of the logs that explain failures so many are fetched: each is a call, and more nobody reads.
LOGS_SHOWN = 3
# Machines that are tried for node ports: they are alike.
MACHINES_TRIED = 2
FOLLOWED_LINES = 100
# `kubectl logs` follows five containers by default.
MOST_FOLLOWED = 50


def tell_status(session: Session) -> int:
    """Print the nodes, why some are not ready, and the addresses; change nothing."""
    session.doing("asking the cluster")
    snapshot = survey(session.kubectl, session.selector)
    there = {key_of(manifest) for manifest in snapshot.objects}
    wanted = followed(session.manifests)
    missing = [manifest for manifest in wanted if key_of(manifest) not in there]
    if len(missing) == len(wanted):
        raise KubectlError(f"nothing of {session.instance} is in namespace {session.kubectl.namespace}")
    nodes = node_states(snapshot.find(session.workloads), snapshot.of("Pod"))
    for line in table(nodes, now=datetime.now(timezone.utc), width=250, height=len(nodes) + 2):
        session.terminal.say(line)
    if missing:
        titles = listed_names([title_of(manifest) for manifest in missing])
        session.terminal.warn(f"missing: {titles}. Run the script without --status to apply the bundle")
    status = tell_state(session, snapshot)
    session.terminal.say(summary(nodes))
    tell_addresses(session, snapshot)
    return status or (EXIT_NOT_READY if missing else EXIT_DONE)


def tell_logs(session: Session) -> int:
    """Follow the logs of a node until Ctrl-C, or until its pods are gone; return kubectl's verdict."""
    node, nodes = session.chosen.logs, [name_of(workload) for workload in session.workloads]
    if node not in nodes:
        raise ValueError(f"--logs: expected one of {', '.join(nodes)}; found {node}")
    session.doing(f"following the logs of {node}; it goes on")
    selector = f"app={node},{INSTANCE_LABEL}={session.instance}"
    options = ("--follow", "--all-containers", "--prefix", f"--tail={FOLLOWED_LINES}", "--ignore-errors")
    return session.kubectl.attend("logs", "-l", selector, *options, f"--max-log-requests={MOST_FOLLOWED}")


def tell_state(session: Session, snapshot: Snapshot) -> int:
    """Note the nodes in the report, explain what is not ready, and return the exit status that this means."""
    note_nodes(session, snapshot)
    report = session.report
    if report.ready:
        return EXIT_DONE
    session.doing("asking the cluster why nodes are not ready")
    report.causes = causes_of(snapshot.find(session.workloads), snapshot, session.kubectl.get("events"))
    session.terminal.warn("not ready:")
    for line in cause_lines(report.causes):
        session.terminal.warn("  " + line)
    for cause in [cause for cause in report.causes if cause.log][:LOGS_SHOWN]:
        _tell_log(session, cause)
    return EXIT_FAILED if FAILED in [node.state for node in report.nodes] else EXIT_NOT_READY


def note_nodes(session: Session, snapshot: Snapshot) -> None:
    """Note in the report how the nodes are."""
    session.report.nodes = node_states(snapshot.find(session.workloads), snapshot.of("Pod"))
    session.report.ready = all(node.state == READY for node in session.report.nodes)


def tell_addresses(session: Session, snapshot: Snapshot) -> None:
    """Print how each Service for people is reached, and how a pipeline is started by hand."""
    session.doing("looking for the addresses")
    report = session.report
    report.addresses = find_addresses(session, snapshot)
    lines = address_lines(report.addresses)
    for line in lines[:ADDRESSES_SHOWN]:
        session.terminal.say(line)
    if len(lines) > ADDRESSES_SHOWN:
        session.terminal.say(f"and {len(lines) - ADDRESSES_SHOWN} more in the same way; --status --json lists all")
    for address in report.addresses:
        if address.service == ORCHESTRATOR:
            _tell_client(session, address)


def find_addresses(session: Session, snapshot: Snapshot) -> List[Address]:
    """Return how the Services are reached; node ports are tried, and named only where somebody answers."""
    wanted = {key_of(manifest) for manifest in session.manifests}
    own = [manifest for manifest in snapshot.of("Service", "Ingress") if key_of(manifest) in wanted]
    hosts = _hosts(session, snapshot, own)
    return addresses(own, namespace=session.kubectl.namespace, hosts=hosts, answers=answers)


def _hosts(session: Session, snapshot: Snapshot, services: List[Manifest]) -> List[str]:
    """Return the host at which node ports answer from here: a machine, else that of the API server."""
    ready = [node.name for node in session.report.nodes if node.state == READY]
    with_port = [service for service in for_people(services) if node_port([service], name_of(service))]
    first = next((service for service in with_port if label_of(service, "app") in ready), None)
    if first is None:
        return []
    port, web = node_port([first], name_of(first)) or 0, is_web_ui(first)
    for machine in machines_of(snapshot.of("Pod"))[:MACHINES_TRIED]:
        if is_host(machine, port, web=web):
            return [machine]
    host = session.kubectl.host()
    return [host] if host and is_host(host, port, web=web) else []


def _tell_log(session: Session, cause: Cause) -> None:
    """Print the last words of a container."""
    if cause.log is None:
        return
    where = (cause.log.pod, "-n", session.kubectl.namespace, "-c", cause.log.container)
    previous = ["--previous"] if cause.log.previous else []
    try:
        text = session.kubectl.run("logs", *where, f"--tail={LOG_LINES}", *previous)
    except KubectlError:
        return
    lines = text.strip().splitlines()
    session.terminal.warn(f"the last lines of {cause.node}:" if lines else f"{cause.node} has written nothing")
    for line in lines:
        session.terminal.warn("  | " + line)


def _tell_client(session: Session, address: Address) -> None:
    endpoint = address.url or f"127.0.0.1:{address.port}"
    if not address.url:
        line = forward_line(session.kubectl.namespace, address.service, address.port, address.port)
        session.terminal.say(f"To reach the orchestrator, leave this running (or use --forward): {line}")
    client, base = session.base / "orchestrator_client" / "orchestrator_client.py", f"--basepath={session.base}"
    session.terminal.say(f"Please run {shell_line(['python', str(client), f'--endpoint={endpoint}', base])}")


# --- deploying: The main action: refuse what is not ours, apply, prune, wait, explain, tell the addresses.

def deploy(session: Session) -> int:
    """Bring the namespace to what the bundle says, and return the exit status."""
    session.doing("making sure of the namespace")
    is_new = session.ensure_namespace()
    manifests = session.pull_secret() + session.manifests
    existing = [] if is_new else existing_objects(session, manifests)
    session.doing("applying")
    application = Application(session.kubectl, existing, say=session.terminal.say)
    try:
        application.apply(manifests)
        _tell_playground(session, application.objects)
        application.prune(manifests)
    finally:
        session.report.changes = application.changes
    return _wait(session, application.objects)


def would_deploy(session: Session) -> int:
    """Tell what a deployment would change, as the API server answers a dry run, and return the exit status."""
    session.doing("asking what would change")
    manifests = session.pull_secret() + session.manifests
    if session.kubectl.find("namespace", session.kubectl.namespace) is None:
        return _would_create_all(session, manifests)
    existing = existing_objects(session, manifests)
    application = Application(session.kubectl, existing, say=lambda _: None, dry_run=True)
    application.apply(manifests)
    application.prune(manifests)
    session.report.changes = application.changes
    changed = [change for change in application.changes if change.what != UNCHANGED]
    for change in changed:
        session.terminal.say(f"would be {change.what}: {change.title}")
    session.terminal.say(f"{len(application.changes) - len(changed)} objects stay as they are; nothing was written")
    return EXIT_DONE


def existing_objects(session: Session, manifests: List[Manifest]) -> List[Manifest]:
    """Return what is in the namespace of the kinds that a bundle has, once it is sure that nothing is in our way.

    Raises:
        KubectlError: objects of somebody else stand there under our names.
    """
    session.doing("looking for objects of others")
    added = {str(m["kind"]).lower() for m in manifests if m["kind"] not in (*FOLLOWED_KINDS, "Secret", "Namespace")}
    found = session.kubectl.get(",".join([FOLLOWED_RESOURCES, *sorted(added)]))
    # Secrets are looked at by name: most people may not list them, and nobody should read more of them than they must.
    for secret in of_kinds(manifests, "Secret"):
        there = session.kubectl.find("secret", name_of(secret))
        found += [there] if there else []
    others = foreign(found, manifests)
    if others:
        raise KubectlError(f"not ours, left untouched: {', '.join(others)}; choose another namespace")
    return found


def _would_create_all(session: Session, manifests: List[Manifest]) -> int:
    namespace = session.kubectl.namespace
    if session.chosen.no_create_namespace:
        raise KubectlError(f"namespace {namespace} does not exist, and --no-create-namespace was given")
    session.report.changes = [
        Change("Namespace", namespace, CREATED),
        *(Change(*key_of(m), CREATED) for m in manifests),
    ]
    for change in session.report.changes:
        session.terminal.say(f"would be {change.what}: {change.title}")
    session.terminal.say("the namespace does not exist yet, so the cluster could check nothing; nothing was written")
    return EXIT_DONE


def _tell_playground(session: Session, objects: List[Manifest]) -> None:
    """Put the orchestrator's node port where Graphene's playground dials it; a folder that is read-only stays so."""
    port = node_port(objects, ORCHESTRATOR)
    if not port:
        return
    try:
        write_orchestrator_port(session.base, port)
    except (OSError, ValueError) as problem:
        session.terminal.warn(f"{DOCKERINFO} keeps its port, for Graphene's tools: {problem}")


def _wait(session: Session, applied: List[Manifest]) -> int:
    """Wait as long as was asked for, and tell what came of it."""
    session.doing("waiting for the nodes; everything is applied")
    timeout = session.chosen.timeout
    seconds = PATIENCE_SECONDS if timeout is None else timeout
    if seconds > 0:
        workloads = of_kinds(applied, *WORKLOAD_KINDS)
        snapshot = wait(session.kubectl, workloads, session.selector, seconds=seconds, show=session.terminal.progress)
    else:
        snapshot = survey(session.kubectl, session.selector)
    _refuse_mixture(session, snapshot)
    if seconds == 0:
        note_nodes(session, snapshot)
        tell_addresses(session, snapshot)
        return EXIT_DONE
    status = tell_state(session, snapshot)
    session.terminal.say(summary(session.report.nodes))
    if status != EXIT_FAILED:
        tell_addresses(session, snapshot)
    return EXIT_DONE if status == EXIT_NOT_READY and timeout is None else status


def _refuse_mixture(session: Session, snapshot: Snapshot) -> None:
    """Say so when somebody else has applied or deleted the same solution meanwhile."""
    lost = overtaken(list(snapshot.objects), followed(session.manifests))
    if lost:
        raise KubectlError(
            "somebody else deploys or deletes this solution here at the same time; what is not as this bundle has it: "
            f"{listed_names(lost)}. Agree on one, and run this again"
        )


# --- deleting: Deletes what belongs to the instance, and nothing else: claims on request only, the namespace only if it was ours alone.

CLAIMS = "persistentvolumeclaims"
# Lists that the cluster makes up while it answers: reading them costs much, and nobody keeps anything there.
COMPUTED_GROUPS = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")


def delete(session: Session) -> int:
    """Delete the deployment and return the exit status. Done twice, it finds nothing the second time."""
    kubectl, say, dry_run = session.kubectl, session.terminal.say, session.chosen.dry_run
    session.doing("looking for what belongs to this solution")
    namespace = kubectl.find("namespace", kubectl.namespace)
    if namespace is None:
        say(f"namespace {kubectl.namespace} does not exist: there is nothing to delete")
        return EXIT_DONE
    found = kubectl.get(f"{PRUNED_RESOURCES},{CLAIMS},secrets", session.selector)
    claims = of_kinds(found, "PersistentVolumeClaim")
    kept = [] if session.chosen.delete_data else claims
    doomed = [manifest for manifest in found if manifest not in kept]
    session.report.changes = [Change(*key_of(m), DELETED) for m in doomed] + [Change(*key_of(m), KEPT) for m in kept]
    if dry_run:
        return _would_delete(session)
    session.doing("deleting; run the same command again to delete the rest")
    if doomed:
        kubectl.delete(doomed)
    say(f"{len(doomed)} objects of {session.instance} deleted")
    if kept:
        names = listed_names([name_of(claim) for claim in kept])
        say(f"kept with the data on them: claim {names}; --delete-data deletes them, too")
    if is_our_namespace(namespace):
        _delete_namespace(session, namespace)
    return EXIT_DONE


def _would_delete(session: Session) -> int:
    for change in session.report.changes:
        session.terminal.say(f"would be {change.what}: {change.title}")
    session.terminal.say("nothing was deleted")
    return EXIT_DONE


def _delete_namespace(session: Session, namespace: Manifest) -> None:
    """Delete the namespace that we made, unless somebody may miss something in it."""
    kubectl = session.kubectl
    session.doing("looking whether the namespace is empty")
    try:
        left = remaining(_everything(session), session.instance)
    except KubectlError as problem:
        session.terminal.say(f"namespace {kubectl.namespace} stays: not all that is in it can be seen ({problem})")
        return
    if left:
        session.terminal.say(f"namespace {kubectl.namespace} stays: {listed_names(left)} is in it")
        return
    session.doing("deleting the namespace")
    session.report.changes.append(Change("Namespace", kubectl.namespace, DELETED))
    try:
        kubectl.delete([namespace])
    except KubectlError as problem:
        if not is_still_there(problem.told):
            raise
        session.terminal.say(f"namespace {kubectl.namespace} is being deleted, which takes a while")
        return
    session.terminal.say(f"namespace {kubectl.namespace} deleted: this script had made it, and nothing else was in it")


def _everything(session: Session) -> List[Manifest]:
    """Return all objects in the namespace, of whatever kind the cluster knows."""
    listed = session.kubectl.run("api-resources", "--verbs=list", "--namespaced", "-o", "name")
    kinds = [kind for kind in listed.split() if not kind.endswith(COMPUTED_GROUPS)]
    return session.kubectl.get(",".join(kinds))


# --- forwarding: Makes Services reachable on this machine for as long as the script runs, and runs the orchestrator's client there.

FORWARD_SECONDS = 20.0
RETRY_SECONDS = 2.0


class Forward:
    """One `kubectl port-forward` to a Service."""

    def __init__(self, kubectl: Kubectl, address: Address, local: int) -> None:
        target = (f"service/{address.service}", f"{local or ''}:{address.port}")
        self._process = kubectl.start("port-forward", "-n", kubectl.namespace, *target, "--address=127.0.0.1")
        self._port: Optional[int] = None
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """Whether kubectl still forwards."""
        return self._process.poll() is None

    def port(self) -> Optional[int]:
        """Return the port on this machine, or None when kubectl gave up."""
        self._listening.wait(timeout=FORWARD_SECONDS)
        return self._port

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        """Wait for `Forwarding from 127.0.0.1:34567 -> 8062`; read on, or kubectl would block on what it writes."""
        if self._process.stdout is not None:
            for line in self._process.stdout:
                found = re.match(r"Forwarding from 127\.0\.0\.1:(\d+)", line)
                if found:
                    self._port = int(found.group(1))
                    self._listening.set()
            self._process.stdout.close()
        self._listening.set()


def forward_until_stopped(session: Session) -> None:
    """Forward orchestrator, web UIs or model until Ctrl-C; one that breaks, as a new pod does it, is made again."""
    session.doing("forwarding; the deployment goes on")
    forwards: List[Forward] = []
    try:
        for address in session.report.addresses:
            forward = _opened(session, address, local=_usual_port(address))
            forwards.append(forward)
        session.terminal.say("Ctrl-C ends the forwarding; the deployment goes on")
        while True:
            time.sleep(RETRY_SECONDS)
            for number, address in enumerate(session.report.addresses):
                if not forwards[number].is_running:
                    port = forwards[number].port() or 0
                    forwards[number].close()
                    forwards[number] = Forward(session.kubectl, address, port)
    except KeyboardInterrupt:
        session.terminal.say("no longer forwarding; the deployment goes on")
    finally:
        for forward in forwards:
            forward.close()


def run_client(session: Session) -> int:
    """Start the pipeline with the client in the bundle, follow it to its end, and return the client's exit status."""
    client = session.base / "orchestrator_client" / "orchestrator_client.py"
    address = next((a for a in session.report.addresses if a.service == ORCHESTRATOR), None)
    if address is None or not client.is_file():
        raise ValueError("--run: this bundle has no orchestrator; a model is called on its Service")
    if importlib.util.find_spec("grpc") is None:
        requirements = session.base / "requirements.txt"
        raise ValueError(f"--run: the client needs grpcio: {sys.executable} -m pip install -r {requirements}")
    session.doing("following the run; it goes on in the cluster")
    if address.url:
        return _run(session, str(client), address.url)
    forward = _opened(session, address, local=0)
    try:
        return _run(session, str(client), f"127.0.0.1:{forward.port()}")
    finally:
        forward.close()


def _run(session: Session, client: str, endpoint: str) -> int:
    session.terminal.say(f"starting the pipeline at {endpoint}")
    command = [sys.executable, client, f"--endpoint={endpoint}", f"--basepath={session.base}"]
    # Ctrl-C is for the client, which says that the run goes on; a handler, unlike "ignore", is not inherited by it.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _opened(session: Session, address: Address, *, local: int) -> Forward:
    """Return a forward that listens; on a free port where the usual one is taken."""
    for port in dict.fromkeys((local, 0)):
        forward = Forward(session.kubectl, address, port)
        found = forward.port()
        if found:
            session.terminal.say(f"{address.service}: {'http://' if address.is_web_ui else ''}127.0.0.1:{found}")
            return forward
        forward.close()
    raise KubectlError(f"cannot forward to {address.service}: try it by hand with {address.forward}")


def _usual_port(address: Address) -> int:
    """Return the local port to try first: people know the orchestrator's."""
    return address.port if address.service == ORCHESTRATOR else 0


# --- script: The finishing script of the Kubernetes deployer: does one action with the bundle that it lies in.

ACTIONS = {"status": tell_status, "logs": tell_logs, "delete": delete, "deploy": deploy}


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the script and return its exit status."""
    chosen = read_arguments(sys.argv[1:] if arguments is None else arguments, script=__file__)
    terminal = Terminal(json_on_stdout=chosen.json)
    report = Report(action=chosen.action, namespace=chosen.namespace)
    # Whoever ends this program ends the kubectl that it waits for, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        status = perform(Session(chosen, report, terminal))
    except KeyboardInterrupt:
        terminal.warn(f"stopped while {report.doing}. The same command goes on where that is needed")
        status, report.problem = EXIT_INTERRUPTED, f"stopped while {report.doing}"
    except (KubectlError, OSError, ValueError) as problem:
        terminal.warn(f"error: {problem}")
        status, report.problem = EXIT_FAILED, str(problem)
    if chosen.json:
        print(json.dumps(report.document(status, datetime.now(timezone.utc)), indent=2))
    return status


def perform(session: Session) -> int:
    """Do what the command line asks for."""
    chosen: argparse.Namespace = session.chosen
    if chosen.dry_run and chosen.action == "deploy":
        return would_deploy(session)
    status = ACTIONS[chosen.action](session)
    if not (chosen.forward or chosen.run) or status not in (EXIT_DONE, EXIT_NOT_READY):
        return status
    if chosen.run:
        return run_client(session)
    forward_until_stopped(session)
    return status


if __name__ == "__main__":
    sys.exit(main())
