"""What people are told of nodes, judged from objects as a real API server reports them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from support import cluster_objects as made

from playground.runtime.deployment import State
from playground.runtime.kubernetes import node_view, objects
from playground.runtime.kubernetes.node_view import Seen, view_of

_TYPES = {
    "Deployment": objects.Deployment,
    "Job": objects.Job,
    "Pod": objects.Pod,
    "PersistentVolumeClaim": objects.Claim,
    "Event": objects.Happening,
    "Service": objects.Service,
}


def seen(*told: dict[str, Any]) -> Seen:
    kept: dict[str, list[Any]] = {kind: [] for kind in _TYPES}
    for one in told:
        kept[one["kind"]].append(msgspec.convert(one, _TYPES[one["kind"]]))
    return Seen(
        workloads=(*kept["Deployment"], *kept["Job"]),
        pods=tuple(kept["Pod"]),
        services=tuple(kept["Service"]),
        claims=tuple(kept["PersistentVolumeClaim"]),
        happenings=tuple(kept["Event"]),
    )


def running(started: str = "2026-01-01T00:00:10Z", **more: Any) -> dict[str, Any]:
    return made.container(running={"startedAt": started}, ready=True, **more)


def test_a_node_that_serves_is_ready_with_what_runs_and_since_when() -> None:
    status = {**running(restarts=2), "imageID": "registry.example/a@sha256:12"}
    service = {"kind": "Service", "metadata": {"name": "awebui"}, "spec": {"ports": [{"port": 8062}]}}

    view = view_of(seen(made.ready_deployment(), made.pod("a", status, phase="Running", ready=True), service))

    (node,) = view.nodes
    assert (view.state, view.reason) == (State.READY, "")
    assert (node.name, node.image, node.phase, node.is_ready, node.restarts) == (
        "a",
        "registry.example/a:1",
        "ready",
        True,
        2,
    )
    assert (node.started_at, node.reason, node.has_web_ui) == (1767225610.0, "", True)
    assert node.image_id == "registry.example/a@sha256:12"


@pytest.mark.parametrize(
    ("pods", "phase", "state", "reason"),
    [
        ([], "waiting", State.STARTING, ""),
        ([made.pod("a")], "waiting for a machine", State.STARTING, ""),
        ([made.pod("a", made.waiting("ContainerCreating"))], "starting", State.STARTING, ""),
        (
            [made.pod("a", made.waiting("ErrImagePull", "dial tcp: connection refused"))],
            "cannot pull the image",
            State.STARTING,
            (
                "a: the image cannot be pulled: the machine cannot reach registry registry.example"
                " (dial tcp: connection refused) (registry.example/a:1)"
            ),
        ),
        (
            [made.pod("a", made.waiting("ErrImagePull", "manifest unknown"))],
            "cannot pull the image",
            State.FAILED,
            "a: the image cannot be pulled: registry registry.example has no such image (registry.example/a:1)",
        ),
        (
            [made.pod("a", made.waiting("CrashLoopBackOff", last={"exitCode": 3}, restarts=2))],
            "crashed",
            State.STARTING,
            "a: its container exits with status 3, restarted 2 times",
        ),
        (
            [made.pod("a", made.waiting("CrashLoopBackOff", last={"exitCode": 3}, restarts=4))],
            "crashed",
            State.FAILED,
            "a: its container exits with status 3, restarted 4 times",
        ),
        (
            [made.pod("a", conditions=[{"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}])],
            "waiting for a machine",
            State.STARTING,
            "a: no machine of the cluster has enough free cpu",
        ),
    ],
)
def test_why_a_node_is_not_ready_is_told(pods: list[dict[str, Any]], phase: str, state: State, reason: str) -> None:
    view = view_of(seen(made.deployment(), *pods))

    assert (view.nodes[0].phase, view.nodes[0].is_ready) == (phase, False)
    assert (view.state, view.reason) == (state, reason)
    assert view.nodes[0].reason == reason.removeprefix("a: ")


def test_an_image_that_is_being_pulled_is_said_to_be() -> None:
    pod = made.pod("a", made.waiting("ContainerCreating"))
    pulling = made.event(pod, "Pulling", "Pulling image", at="2026-01-01T00:00:05Z")
    pulled = made.event(pod, "Pulled", "Pulled it", at="2026-01-01T00:00:09Z")

    assert view_of(seen(made.deployment(), pod, pulling)).nodes[0].phase == "pulling the image"
    assert view_of(seen(made.deployment(), pod, pulling, pulled)).nodes[0].phase == "starting"


def test_a_job_that_is_done_is_completed_and_keeps_nothing_from_being_ready() -> None:
    job = made.job("loader", {"type": "Complete", "status": "True"})

    view = view_of(seen(made.ready_deployment(), made.pod("a", running(), ready=True), job))

    assert [(node.name, node.phase, node.is_ready) for node in view.nodes] == [
        ("a", "ready", True),
        ("loader", "completed", False),
    ]
    assert view.state is State.READY


def test_a_job_that_has_given_up_is_a_failure() -> None:
    job = made.job("loader", {"type": "Failed", "status": "True", "message": "reached its limit"})

    view = view_of(seen(made.ready_deployment(), job))

    assert (view.state, view.reason) == (State.FAILED, "loader: reached its limit")
    assert view.nodes[1].phase == "failed"


def test_a_deployment_without_pods_wanted_is_asleep() -> None:
    asleep = made.deployment(wanted=0)
    stopping = made.deployment(wanted=0, replicas=1)

    assert node_view.state_of(seen(asleep, made.job())) == (State.ASLEEP, "")
    assert node_view.state_of(seen(stopping, made.pod("a", ending=True))) == (State.ASLEEP, "stopping")
    assert [node.phase for node in node_view.node_statuses(seen(asleep))] == ["asleep"]


def test_a_claim_without_a_volume_is_told_where_nothing_else_is() -> None:
    claim = made.claim()
    failed = made.event(claim, "ProvisioningFailed", 'storageclass "standard" not found')

    state, reason = node_view.state_of(seen(made.deployment(), claim, failed))

    assert state is State.STARTING
    assert reason == "claim shared-folder: the cluster has no storage class standard"


def test_a_deployment_of_which_nothing_is_there_yet_is_starting() -> None:
    assert node_view.state_of(Seen(workloads=())) == (State.STARTING, "")


def test_what_the_cluster_says_cannot_become_terminal_syntax() -> None:
    pod = made.pod("a", made.waiting("CreateContainerError", "no\x1b[2J\nsuch\tthing"))

    reason = view_of(seen(made.deployment(), pod)).nodes[0].reason

    assert reason == "its container cannot be made: no[2J such thing"


def test_events_are_told_with_their_nodes_oldest_first() -> None:
    pod = made.pod("a")
    gone = {**made.pod("a"), "metadata": {"name": "a-66f-zzzzz", "uid": "u"}}
    told = [
        {**made.event(pod, "BackOff", "again and again", at="2026-01-01T00:00:09Z"), "type": "Warning", "count": 12},
        made.event(gone, "Killing", "Stopping container a", at="2026-01-01T00:00:02Z"),
        made.event(made.deployment(), "ScalingReplicaSet", "Scaled up", at="2026-01-01T00:00:01Z"),
        {**made.event({"kind": "Pod", "metadata": {"name": "b-1"}}, "Started", "x"), "lastTimestamp": None}
        | {"eventTime": "2026-01-01T00:00:03.250000Z", "metadata": {"name": "e"}},
    ]

    events = node_view.events_of(seen(made.deployment(), pod, *told))

    assert [(event.at, event.text, event.node, event.is_warning) for event in events] == [
        (1767225602.0, "Stopping container a", "a", False),
        (1767225603.25, "x", "", False),
        (1767225609.0, "again and again (12 times)", "a", True),
    ]
