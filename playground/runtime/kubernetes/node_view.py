"""What people are told of a deployment's nodes, judged from the objects in the cache. Pure; `views` remembers it.

Readiness and causes come from `shared.finishing`, which judges plain manifests.

Signatures for the writing half:
    node_statuses(seen: Seen) -> tuple[NodeStatus, ...];  state_of(seen: Seen) -> tuple[State, str]
    events_of(seen: Seen) -> tuple[deployment.Event, ...]            oldest first;  Seen.of(cache, namespace)
A state is what the cluster shows: starting, ready, failed, or asleep where nothing is to run. Whether a deployment is
queued or goes, its record says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from playground.runtime.deployment import Event, NodeStatus, State
from playground.runtime.kubernetes import words
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.objects import (
    Claim,
    ContainerStatus,
    Deployment,
    Happening,
    Job,
    Pod,
    Service,
    Workload,
    manifests,
)
from shared.finishing import readiness
from shared.finishing.causes import Cause
from shared.finishing.diagnosis import Snapshot, causes_of
from shared.finishing.objects import Manifest
from shared.finishing.pulling import PULL_REASONS, symptom_of
from shared.finishing.readiness import NodeState
from shared.naming import WEB_UI_SUFFIX
from shared.solution import ORCHESTRATOR

READY, COMPLETED, FAILED, CRASHED = "ready", "completed", "failed", "crashed"
_PHASES: Mapping[str, str] = {
    "Pending": "waiting for a machine",
    "no pod yet": "waiting",
    "ContainerCreating": "starting",
    "PodInitializing": "starting",
    "Running": "starting",
    "Terminating": "stopping",
    "switched off": "asleep",
    "CrashLoopBackOff": CRASHED,
    "Error": CRASHED,
    "OOMKilled": CRASHED,
    "Completed": COMPLETED,
    "Failed": FAILED,
    **dict.fromkeys(PULL_REASONS, "cannot pull the image"),
}
"""What the cluster calls a phase, in the words of the playground; what is not here is shown as it is."""
_PULLING = "pulling the image"
_MANY_CRASHES = 4  # something has to be changed
_LASTING = frozenset({"missing", "login", "platform"})
"""Symptoms of a pull that no further try mends."""
_HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"})
_USUAL = ("it is starting (", "its pod is ready, but ", "the cluster has made no pod")
"""How causes begin that are none: nothing is wrong so far."""
_TECHNICAL = frozenset(
    {
        *("ScalingReplicaSet", "SuccessfulCreate", "SuccessfulDelete", "Scheduled", "Created", "NoPods"),
        *("WaitForFirstConsumer", "ExternalProvisioning", "Provisioning"),
    }
)
"""Events that say nothing to whoever owns a deployment."""
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What the cache holds of one deployment."""

    workloads: tuple[Workload, ...]
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    claims: tuple[Claim, ...] = ()
    happenings: tuple[Happening, ...] = ()

    @classmethod
    def of(cls, cache: Cache, namespace: str) -> Seen:
        """Look into the cache; what the runtime itself added to the bundle is left out. The orchestrator stands last."""
        workloads = [one for one in cache.workloads(namespace) if words.PART not in one.metadata.labels]
        return cls(
            workloads=tuple(sorted(workloads, key=lambda one: (one.metadata.name == ORCHESTRATOR, one.metadata.name))),
            pods=cache.pods(namespace),
            services=cache.services(namespace),
            claims=cache.claims(namespace),
            happenings=cache.events(namespace),
        )


@dataclass(frozen=True, slots=True)
class View:
    """What is told of a deployment."""

    nodes: tuple[NodeStatus, ...]
    state: State
    reason: str


def node_statuses(seen: Seen) -> tuple[NodeStatus, ...]:
    """Return one status per workload."""
    return view_of(seen).nodes


def state_of(seen: Seen) -> tuple[State, str]:
    """Return where the deployment is, and why it is not ready: the first node that says something."""
    view = view_of(seen)
    return view.state, view.reason


def view_of(seen: Seen) -> View:
    """Return all that is told of a deployment."""
    workloads, pods = manifests(seen.workloads), manifests(seen.pods)
    states = readiness.node_states(workloads, pods)
    causes = _causes(workloads, states, pods, seen)
    own = _pods_of(seen, workloads, pods)
    web_uis = {service.metadata.name for service in seen.services}
    pulling = _pulling(seen.happenings)
    nodes = tuple(
        _status(workload, state, live, reason=causes.get(state.name, ""), services=web_uis, pulling=pulling)
        for workload, state, live in zip(seen.workloads, states, own, strict=True)
    )
    failed = [
        state.name
        for state, live in zip(states, own, strict=True)
        if state.state == readiness.FAILED
        or (state.state != readiness.READY and any(map(_is_hopeless, _statuses(live[:1]))))
    ]
    return View(nodes, *_state(seen, states, failed, causes))


def events_of(seen: Seen) -> tuple[Event, ...]:
    """Return what the cluster tells of a deployment, for people, oldest first."""
    apps = {pod.metadata.name: pod.metadata.labels.get(readiness.APP_LABEL, "") for pod in seen.pods}
    names = sorted((one.metadata.name for one in seen.workloads), key=len, reverse=True)
    told = [
        Event(_when(one), _text(one), _node(one, apps, names), is_warning=one.type == "Warning")
        for one in seen.happenings
        if one.reason not in _TECHNICAL
    ]
    return tuple(sorted(told, key=lambda event: event.at))


def seconds(time: str | None) -> float | None:
    """Return an API time as seconds since the epoch."""
    return datetime.fromisoformat(time).timestamp() if time else None


def one_line(text: str) -> str:
    """Return a text of strangers as one line without control characters."""
    words_only = " ".join(text.split())
    return "".join(letter for letter in words_only if letter.isprintable())[:_LONGEST_TEXT]


def _causes(workloads: list[Manifest], states: list[NodeState], pods: list[Manifest], seen: Seen) -> dict[str, str]:
    """Return why nodes, and claims, are not ready; looked at only where something is not."""
    if all(state.state == readiness.READY for state in states) and all(
        one.status.phase == "Bound" for one in seen.claims
    ):
        return {}
    snapshot = Snapshot((*manifests(seen.claims), *pods))
    found = causes_of(workloads, snapshot, manifests(seen.happenings))
    return {cause.node: _words(cause) for cause in found if not cause.what.startswith(_USUAL)}


def _words(cause: Cause) -> str:
    return one_line(f"{cause.what} ({cause.about})" if cause.about else cause.what)


def _pods_of(seen: Seen, workloads: list[Manifest], pods: list[Manifest]) -> list[list[Pod]]:
    """Return for each workload its pods that are not about to go, the newest first."""
    by_name = {pod.metadata.name: pod for pod in seen.pods}
    found = []
    for own in readiness.pods_by_workload(workloads, pods):
        records = [by_name[pod["metadata"]["name"]] for pod in own]
        live = [pod for pod in records if pod.metadata.deletion_timestamp is None]
        found.append(sorted(live, key=lambda pod: pod.metadata.creation_timestamp or "", reverse=True))
    return found


def _statuses(pods: Iterable[Pod]) -> list[ContainerStatus]:
    return [one for pod in pods for one in (*pod.status.init_container_statuses, *pod.status.container_statuses)]


def _status(
    workload: Workload,
    state: NodeState,
    pods: list[Pod],
    *,
    reason: str,
    services: Iterable[str],
    pulling: Iterable[str],
) -> NodeStatus:
    is_ready = state.state == readiness.READY and not isinstance(workload, Job) and state.wanted > 0
    main = next((one for pod in pods for one in pod.status.container_statuses[:1]), None)
    return NodeStatus(
        name=state.name,
        image=state.image,
        phase=READY if is_ready else _phase(state, is_pulling=any(pod.metadata.name in pulling for pod in pods)),
        is_ready=is_ready,
        restarts=state.restarts,
        started_at=seconds(main.state.running.started_at) if main and main.state.running else None,
        reason="" if state.state == readiness.READY else reason,
        has_web_ui=f"{state.name}{WEB_UI_SUFFIX}" in services,
        image_id=main.image_id if main else "",
    )


def _phase(state: NodeState, *, is_pulling: bool) -> str:
    said = _PHASES.get(state.phase, state.phase)
    return _PULLING if is_pulling and said == "starting" and state.phase != "Running" else said


def _pulling(happenings: Iterable[Happening]) -> set[str]:
    """Return the pods of which the cluster said last that it pulls an image."""
    last = {one.involved_object.name: one.reason for one in happenings if one.reason in {"Pulling", "Pulled", "Failed"}}
    return {name for name, reason in last.items() if reason == "Pulling"}


def _is_hopeless(status: ContainerStatus) -> bool:
    """Tell whether no further try of the cluster mends a container."""
    waiting = status.state.waiting
    if waiting is None:
        return False
    if waiting.reason in PULL_REASONS and symptom_of(waiting.message) in _LASTING:
        return True
    return waiting.reason in _HOPELESS or status.restart_count >= _MANY_CRASHES


def _state(seen: Seen, states: list[NodeState], failed: list[str], causes: Mapping[str, str]) -> tuple[State, str]:
    serving = [one for one in seen.workloads if isinstance(one, Deployment)]
    if serving and all(one.spec.replicas == 0 for one in serving):
        return State.ASLEEP, "stopping" if any(one.status.replicas for one in serving) else ""
    if states and all(state.state == readiness.READY for state in states):
        return State.READY, ""
    names = [*failed, *(state.name for state in states), *causes]
    reason = next((f"{name}: {causes[name]}" for name in names if name in causes), "")
    return (State.FAILED if failed else State.STARTING), reason


def _when(one: Happening) -> float:
    series = one.series.last_observed_time if one.series else None
    times = [one.last_timestamp, series, one.event_time, one.metadata.creation_timestamp]
    return max((at for time in times if (at := seconds(time)) is not None), default=0.0)


def _text(one: Happening) -> str:
    count = one.series.count if one.series else one.count
    again = f" ({count} times)" if count > 1 else ""
    return one_line(one.message or one.reason) + again


def _node(one: Happening, apps: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the node that an event is about: by the pod's label, or where the pod has gone, by how its name begins."""
    about = one.involved_object.name
    if about in apps:
        return apps[about]
    return next((name for name in names if about == name or about.startswith(f"{name}-")), "")
