"""Whether workloads are ready, from objects as an API server reports them."""

from __future__ import annotations

from typing import Any

import pytest
from support.cluster_objects import container, deployment, job, pod, ready_deployment, waiting

from shared.finishing.readiness import FAILED, READY, WAITING, look_ready, node_states, phase_of, state_of

RUNNING = container(ready=True, running={"startedAt": "2026-01-01T00:00:01Z"})
COMPLETE = {"type": "Complete", "status": "True"}


def test_a_deployment_is_ready_when_all_its_pods_are_the_new_ones_and_available():
    assert state_of(ready_deployment(replicas=2)) == (READY, "2 of 2 ready")


@pytest.mark.parametrize(
    "status",
    [
        {"replicas": 1},
        {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1},
        {"replicas": 1, "updatedReplicas": 0, "availableReplicas": 1},
        {"replicas": 2, "updatedReplicas": 1, "availableReplicas": 2},
    ],
    ids=["starting", "ready but not yet available", "the old pod serves", "the old pod is still there"],
)
def test_a_deployment_waits_for_its_new_pods_and_for_the_end_of_the_old(status: dict[str, int]):
    assert state_of(deployment(**status))[0] == WAITING


def test_a_status_of_an_older_generation_says_nothing():
    changed = ready_deployment()
    changed["metadata"]["generation"] = 2

    assert state_of(changed)[0] == WAITING


def test_a_deployment_that_was_never_looked_at_is_not_ready():
    assert state_of(deployment()) == (WAITING, "0 of 1 ready")


def test_a_deployment_that_is_switched_off_is_ready_without_pods():
    off = deployment(wanted=0, replicas=0)

    assert state_of(off)[0] == READY


def test_a_deployment_past_its_deadline_has_failed():
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too late"}

    assert state_of(deployment(conditions=[late])) == (FAILED, "too late")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], (WAITING, "running")),
        ([COMPLETE], (READY, "completed")),
        ([{"type": "SuccessCriteriaMet", "status": "True"}, COMPLETE], (READY, "completed")),
        ([{"type": "Complete", "status": "False"}], (WAITING, "running")),
        ([{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}], (FAILED, "BackoffLimitExceeded")),
    ],
)
def test_a_job_is_ready_when_it_is_complete(conditions: list[dict[str, Any]], expected: tuple[str, str]):
    assert state_of(job("loader", *conditions)) == expected


def test_a_node_shows_its_image_phase_ready_pods_restarts_and_since_when():
    pods = [
        pod(name="a-2", phase="Running", ready=True, made="2026-01-02T00:00:00Z"),
        pod("a", waiting("CrashLoopBackOff", restarts=3), name="a-1", phase="Running"),
        pod("b", name="b-1"),
    ]

    (node,) = node_states([deployment(wanted=2)], pods)

    assert (node.name, node.image, node.phase) == ("a", "registry.example/a:1", "CrashLoopBackOff")
    assert (node.ready, node.wanted, node.restarts, node.since) == (1, 2, 3, "2026-01-01T00:00:00Z")


def test_pods_that_end_do_not_count_as_long_as_there_are_others():
    pods = [pod(name="old", ready=True, ending=True), pod("a", waiting("ContainerCreating"), name="new")]

    (node,) = node_states([deployment()], pods)

    assert (node.phase, node.ready) == ("ContainerCreating", 0)


def test_a_node_without_pods_says_so():
    states = node_states([deployment(), deployment("b", wanted=0, replicas=0)], [])

    assert [node.phase for node in states] == ["no pod yet", "switched off"]


def test_a_job_shows_its_end():
    done, failed = job("loader", COMPLETE), job("other", {"type": "Failed", "status": "True"})

    assert [(node.phase, node.ready, node.wanted) for node in node_states([done, failed], [])] == [
        ("Completed", 1, 1),
        ("Failed", 0, 1),
    ]


@pytest.mark.parametrize(
    ("found", "phase"),
    [
        (pod(phase="Pending"), "Pending"),
        (pod("a", waiting("ErrImagePull")), "ErrImagePull"),
        (pod("a", RUNNING, phase="Running", ready=True), "Running"),
        (pod("a", container(terminated={"exitCode": 1, "reason": "Error"}), phase="Failed"), "Error"),
        (pod("a", container(terminated={"exitCode": 0}), phase="Succeeded"), "Succeeded"),
        (pod(phase="Failed", reason="Evicted"), "Evicted"),
        (pod(phase="Running", ending=True), "Terminating"),
        (
            pod("a", waiting("PodInitializing"), initContainerStatuses=[waiting("ErrImagePull", name="p")]),
            "ErrImagePull",
        ),
    ],
)
def test_the_most_telling_word_about_a_pod_is_shown(found: dict[str, Any], phase: str):
    assert phase_of(found) == phase


@pytest.mark.parametrize(
    ("workload", "pods", "expected"),
    [
        (deployment(), [], False),
        (deployment(), [pod(phase="Running")], False),
        (deployment(), [pod(ready=True)], True),
        (deployment(), [pod(ready=True, ending=True)], False),
        (deployment(), [pod("b", ready=True)], False),
        (deployment(wanted=2), [pod(ready=True)], False),
        (ready_deployment(), [], True),
        (job(), [pod("loader", phase="Running", ready=True, labels={"job-name": "loader"})], False),
        (job(), [pod("loader", phase="Succeeded", labels={"job-name": "loader"})], True),
        (job(), [pod("loader", phase="Failed", labels={"batch.kubernetes.io/job-name": "loader"})], True),
        (deployment(), [pod(ready=True, labels={"job-name": "a"})], False),
    ],
)
def test_pods_tell_when_it_is_worth_asking_about_a_workload(
    workload: dict[str, Any], pods: list[dict[str, Any]], *, expected: bool
):
    assert look_ready([workload], pods) is expected
