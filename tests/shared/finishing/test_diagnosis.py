"""Why nodes do not come up: the words for objects as kubelets, schedulers and controllers really leave them."""

from __future__ import annotations

from typing import Any

import pytest
from support.cluster_objects import claim, container, deployment, event, job, pod, ready_deployment, waiting

from shared.finishing.causes import Cause, LogPlace, cause_lines
from shared.finishing.diagnosis import Snapshot, causes_of

IMAGE = "registry.example/a:1"
NOT_FOUND = (
    f'Back-off pulling image "{IMAGE}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image '
    f'"{IMAGE}": failed to resolve reference "{IMAGE}": {IMAGE}: not found'
)
NO_ACCESS = (
    'failed to pull and unpack image "docker.io/team/a:1": failed to resolve reference "docker.io/team/a:1": pull access '
    "denied, repository does not exist or may require authorization: server message: insufficient_scope: "
    "authorization failed"
)
NO_ROUTE = (
    'failed to do request: Head "https://registry.example/v2/a/manifests/1": dial tcp: lookup registry.example on '
    "10.96.0.10:53: no such host"
)


def cause_of(
    *pods: dict[str, Any], events: Any = (), workload: dict[str, Any] | None = None, others: Any = ()
) -> Cause:
    """Return the one cause that is found for a Deployment `a` with these pods."""
    (cause,) = causes_of([workload or deployment()], Snapshot((*pods, *others)), list(events))
    return cause


# --- images


def test_an_image_that_does_not_exist():
    cause = cause_of(pod("a", waiting("ImagePullBackOff", NOT_FOUND)))

    assert cause == Cause(
        "a",
        "the image cannot be pulled: registry registry.example has no such image",
        "push it, or mend its name and tag in the solution",
        about=IMAGE,
    )


def test_an_older_kubelet_tells_the_reason_in_an_event_only():
    found = pod("a", waiting("ImagePullBackOff", f'Back-off pulling image "{IMAGE}"'))
    events = [
        event(found, "Failed", f'Failed to pull image "{IMAGE}": rpc error: {NOT_FOUND}'),
        event(found, "Failed", "Error: ImagePullBackOff", "2026-01-01T00:00:09Z"),
    ]

    assert cause_of(found, events=events).what == (
        "the image cannot be pulled: registry registry.example has no such image"
    )


def test_an_image_that_wants_a_login_names_the_options_that_make_the_secret():
    cause = cause_of(
        pod("a", waiting("ErrImagePull", NO_ACCESS), spec={"containers": [{"name": "a", "image": "team/a:1"}]})
    )

    assert cause.what == (
        "the image cannot be pulled: registry docker.io has no such image, or wants a login, and the pod names no pull secret"
    )
    assert cause.hint.startswith("run again with --secret_name NAME --path_docker_secret")


def test_a_login_that_is_not_accepted_names_the_secret():
    spec = {"imagePullSecrets": [{"name": "mine"}]}

    cause = cause_of(pod("a", waiting("ErrImagePull", "401 Unauthorized"), spec={**SPEC, **spec}))

    assert cause.what.endswith("registry.example has no such image, or does not accept the login in secret mine")


def test_a_pull_secret_that_is_missing_is_the_cause_whatever_the_registry_says():
    found = pod(
        "a", waiting("ErrImagePull", NO_ACCESS), spec={"imagePullSecrets": [{"name": "one"}, {"name": "my.other"}]}
    )
    told = "Unable to retrieve some image pull secrets (my.other); attempting to pull the image may not succeed."

    cause = cause_of(found, events=[event(found, "FailedToRetrieveImagePullSecret", told)])

    assert cause.what == (
        "the image cannot be pulled: secret my.other, which the pod names, is missing in the namespace"
    )
    assert "--secret_name my.other --path_docker_secret" in cause.hint


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            NO_ROUTE,
            "the machine cannot reach registry registry.example (lookup registry.example on 10.96.0.10:53: no such host)",
        ),
        ("429 Too Many Requests - toomanyrequests: denied", "refuses more downloads for now"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "does not trust registry"),
        ("http: server gave HTTP response to HTTPS client", "does not trust registry"),
        ("no match for platform in manifest: not found", "not made for the processor"),
        ("something new", "the image cannot be pulled: something new"),
        ("", "the cluster does not say why"),
    ],
)
def test_other_reasons_for_an_image_that_is_not_pulled(told: str, words: str):
    assert words in cause_of(pod("a", waiting("ErrImagePull", told))).what


def test_a_name_that_is_none_and_a_policy_that_never_pulls():
    assert cause_of(pod("a", waiting("InvalidImageName"))).what == "this is no name of an image"
    assert "the pull policy is Never" in cause_of(pod("a", waiting("ErrImageNeverPull"))).what


def test_the_image_of_a_container_that_prepares_the_pod_is_told_as_such():
    spec = {**SPEC, "initContainers": [{"name": "prepare-shared-folder", "image": "orchestrator:1"}]}
    first = waiting("ErrImagePull", NOT_FOUND, name="prepare-shared-folder")

    cause = cause_of(pod("a", waiting("PodInitializing"), spec=spec, initContainerStatuses=[first]))

    assert cause.about == "orchestrator:1 of its container prepare-shared-folder"


SPEC = {"containers": [{"name": "a", "image": IMAGE}]}

# --- places


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            "0/3 nodes are available: 1 Insufficient cpu, 2 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
            "no machine of the cluster has enough free cpu (64 asked for), nvidia.com/gpu (2 asked for)",
        ),
        ("0/1 nodes are available: 1 Too many pods. preemption: x", "no machine of the cluster has enough free pods"),
        (
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. preemption: x",
            "no machine of the cluster has the labels that it asks for (disk=ssd)",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: only}. preemption: x",
            "every machine keeps pods off by a taint (gpu: only)",
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: x",
            "every machine keeps pods off by a taint",
        ),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. x",
            "it waits for the volume of claim data",
        ),
        (
            "no nodes available to schedule pods",
            "no machine of the cluster can take it: no nodes available to schedule pods",
        ),
    ],
)
def test_a_pod_without_a_machine(told: str, words: str):
    container_ = {"name": "a", "resources": {"requests": {"cpu": "64"}, "limits": {"nvidia.com/gpu": "2"}}}
    spec = {
        "containers": [container_],
        "nodeSelector": {"disk": "ssd"},
        "volumes": [{"name": "x", "emptyDir": {}}, {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": told}]

    assert cause_of(pod(spec=spec, conditions=conditions)).what == words


@pytest.mark.parametrize(
    ("storage_class", "reason", "told", "words"),
    [
        (
            "fast",
            "ProvisioningFailed",
            'storageclass.storage.k8s.io "fast" not found',
            "the cluster has no storage class fast",
        ),
        (
            None,
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set",
            "it names no storage class, and the cluster has no default one",
        ),
        (
            "local-path",
            "ProvisioningFailed",
            (
                'failed to provision volume with StorageClass "local-path": NodePath only supports ReadWriteOnce and '
                "ReadWriteOncePod (1.22+) access modes"
            ),
            "storage class local-path does not offer ReadWriteMany, which a shared folder needs",
        ),
        (
            "gp3",
            "ProvisioningFailed",
            (
                "rpc error: code = InvalidArgument desc = Volume capabilities MULTI_NODE_MULTI_WRITER not supported. Only "
                "AccessModes[ReadWriteOnce] supported."
            ),
            "storage class gp3 does not offer ReadWriteMany, which a shared folder needs",
        ),
        ("nfs", "ProvisioningFailed", "disk full", "storage class nfs made no volume: disk full"),
        (
            "nfs",
            "ExternalProvisioning",
            "Waiting for a volume to be created either by the external provisioner 'nfs' or manually",
            "the provisioner of storage class nfs has not made its volume yet",
        ),
    ],
)
def test_a_claim_without_a_volume_says_why_and_what_to_do(storage_class: str, reason: str, told: str, words: str):
    pending = claim(storage_class=storage_class)

    (cause,) = causes_of([ready_deployment()], Snapshot((pending,)), [event(pending, reason, told)])

    assert cause.node == "claim shared-folder"
    assert cause.what.startswith(words)
    assert "option sharedFolder.storageClass=NAME of one that offers ReadWriteMany" in cause.hint


def test_a_claim_that_waits_for_its_first_pod_or_is_bound_is_no_trouble():
    pending = claim()
    events = [event(pending, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")]

    assert causes_of([], Snapshot((pending,)), events) == []
    assert causes_of([], Snapshot((claim("Bound"),)), []) == []


def test_a_claim_whose_volume_is_gone():
    (cause,) = causes_of([], Snapshot((claim("Lost"),)), [])

    assert cause.what == "its volume is gone"


# --- containers


def test_a_container_that_exits_names_its_status_and_where_its_last_words_are():
    ended = {"exitCode": 3, "reason": "Error"}

    cause = cause_of(pod("a", waiting("CrashLoopBackOff", "back-off 40s", restarts=4, last=ended), phase="Running"))

    place = LogPlace(pod="a-5d4f8c7b9-x2x7q", container="a", previous=True)
    assert cause == Cause("a", "its container exits with status 3, restarted 4 times", "", place)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"exitCode": 139, "reason": "Error"}, "its container exits with status 139 (it crashed (segmentation fault))"),
        ({"exitCode": 127, "reason": "Error"}, "its container exits with status 127 (its command was not found)"),
        (
            {"exitCode": 128, "reason": "StartError", "message": 'exec: "node": executable file not found in $PATH'},
            'its container cannot start: exec: "node": executable file not found in $PATH',
        ),
        (
            {"exitCode": 137, "reason": "OOMKilled"},
            "its container needs more memory than its limit of 64Mi and was killed",
        ),
    ],
)
def test_the_way_a_container_ended_is_explained(ended: dict[str, Any], words: str):
    spec = {"containers": [{"name": "a", "image": IMAGE, "resources": {"limits": {"memory": "64Mi"}}}]}

    assert cause_of(pod("a", container(terminated=ended), spec=spec)).what == words


def test_a_node_that_ends_well_though_it_is_to_serve_may_be_a_job():
    last = {"exitCode": 0, "reason": "Completed"}

    cause = cause_of(pod("a", waiting("CrashLoopBackOff", restarts=1, last=last), phase="Running"))

    assert cause.what == "its container exits with status 0, restarted once"
    assert "kind job" in cause.hint


@pytest.mark.parametrize(
    "found",
    [
        container(restarts=1, terminated={"exitCode": 0, "reason": "Completed"}),
        container(restarts=1, running={}, last={"exitCode": 0, "reason": "Completed"}),
    ],
    ids=["just ended", "runs again"],
)
def test_a_node_that_keeps_ending_is_told_so_at_any_moment(found: dict[str, Any]):
    assert cause_of(pod("a", found, phase="Running")).what == "its container exits with status 0, restarted once"


def test_a_container_that_prepared_the_pod_and_one_of_a_job_end_well():
    prepared = container("prepare", ready=True, terminated={"exitCode": 0, "reason": "Completed"})
    done = container("loader", terminated={"exitCode": 0, "reason": "Completed"})
    job_pod = pod("loader", done, labels={"job-name": "loader"}, spec={"restartPolicy": "Never"}, phase="Running")

    assert cause_of(pod("a", waiting("PodInitializing"), initContainerStatuses=[prepared])).what == (
        "it is starting (PodInitializing)"
    )
    assert cause_of(job_pod, workload=job("loader")).what == "it is starting (Running)"


def test_a_job_that_failed_tells_of_its_last_pod():
    ended = container("loader", terminated={"exitCode": 1, "reason": "Error"})
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "Job has reached the limit",
    }
    pods = [
        pod(
            "loader",
            ended,
            name=f"loader-{n}",
            phase="Failed",
            labels={"job-name": "loader"},
            made=f"2026-01-0{n}T00:00:00Z",
        )
        for n in (1, 3, 2)
    ]

    cause = cause_of(*pods, workload=job("loader", failed))

    assert cause.what == "its container exits with status 1"
    assert cause.log == LogPlace(pod="loader-3", container="loader", previous=False)


def test_a_container_that_cannot_be_made():
    secret = cause_of(pod("a", waiting("CreateContainerConfigError", 'secret "token" not found')))
    root = cause_of(
        pod(
            "a", waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root (pod: x)")
        )
    )

    assert secret.what == 'its container needs something that is missing: secret "token" not found'
    assert root.what.startswith("its image runs as root, which the bundle forbids")
    assert "runAsUser" in root.hint


def test_a_volume_that_cannot_be_mounted():
    found = pod("a", waiting("ContainerCreating"))
    told = 'MountVolume.SetUp failed for volume "data" : mount failed: exit status 32'

    assert cause_of(found, events=[event(found, "FailedMount", told)]).what == f"its container waits: {told}"


def test_a_container_that_runs_and_never_answers_names_the_port():
    probed = {"containers": [{"name": "a", "image": IMAGE, "startupProbe": {"tcpSocket": {"port": 8061}}}]}
    found = pod("a", container(running={}), phase="Running", spec=probed)
    told = "Startup probe failed: dial tcp 10.244.0.5:8061: connect: connection refused"

    cause = cause_of(found, events=[event(found, "Unhealthy", told)])

    assert cause.what == f"its container runs, but does not answer on port 8061 ({told})"
    assert "serves gRPC on port 8061" in cause.hint


def test_a_probe_that_the_node_does_not_know_names_the_option():
    probed = {"containers": [{"name": "a", "image": IMAGE, "startupProbe": {"grpc": {"port": 8061}}}]}
    found = pod("a", container(running={}), phase="Running", spec=probed)
    told = "Startup probe failed: error: this server does not implement the grpc health protocol"

    assert "probes: tcp" in cause_of(found, events=[event(found, "Unhealthy", told)]).hint


def test_a_pod_that_was_put_down():
    cause = cause_of(pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."))

    assert cause.what == "its pod was put down (Evicted): The node was low on resource: memory."


# --- refusals

QUOTA = (
    'pods "a-5d4f8c7b9-" is forbidden: exceeded quota: team, requested: pods=1,requests.cpu=100m, used: '
    "pods=5,requests.cpu=500m, limited: pods=5,requests.cpu=500m"
)


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (
            QUOTA,
            (
                "quota team of the namespace is used up: asked for pods=1,requests.cpu=100m, used pods=5,requests.cpu=500m, "
                "allowed pods=5,requests.cpu=500m"
            ),
        ),
        (
            'pods "a-1" is forbidden: failed quota: team: must specify limits.cpu for: a; limits.memory for: a',
            "quota team of the namespace demands that every pod says its limits.cpu, limits.memory",
        ),
        (
            'pods "a-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
            'the namespace forbids its pod: it violates PodSecurity "restricted:latest": runAsNonRoot != true',
        ),
        (
            'pods "a-1" is forbidden: maximum memory usage per Container is 100Mi, but limit is 1Gi',
            "a limit range of the namespace forbids its pod: maximum memory usage per Container is 100Mi, but limit is 1Gi",
        ),
        (
            (
                'Pod "a-1" is invalid: spec.containers[0].resources.requests: Invalid value: "256Mi": must be less than or '
                "equal to memory limit of 100Mi"
            ),
            "a limit range of the namespace forbids its pod: must be less than or equal to memory limit of 100Mi",
        ),
        (
            'admission webhook "x" denied the request: no',
            'the cluster refuses its pod: admission webhook "x" denied the request: no',
        ),
    ],
)
def test_a_pod_that_the_cluster_refuses(told: str, what: str):
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": told}

    assert cause_of(workload=deployment(conditions=[failure])).what == what


def test_before_the_deployment_knows_the_replica_set_tells_of_a_refusal():
    maker = {
        "kind": "ReplicaSet",
        "metadata": {"name": "a-5d4f8c7b9", "uid": "uid-rs", "ownerReferences": [{"uid": "uid-a"}]},
        "spec": {"replicas": 1},
    }

    cause = cause_of(others=[maker], events=[event(maker, "FailedCreate", QUOTA)])

    assert cause.what.startswith("quota team of the namespace is used up")


def test_a_job_tells_of_a_refusal_itself():
    made = job("loader")

    cause = cause_of(workload=made, events=[event(made, "FailedCreate", QUOTA)])

    assert cause.what.startswith("quota team of the namespace is used up")


# --- in general


def test_a_node_that_is_ready_has_no_cause():
    assert causes_of([ready_deployment()], Snapshot((pod("a", waiting("ErrImagePull", NOT_FOUND)),)), []) == []


def test_the_newest_pod_tells_because_it_was_asked_for_last():
    old = pod("a", container(terminated={"exitCode": 1}), name="old", made="2026-01-01T00:00:00Z")
    new = pod("a", waiting("ErrImagePull", NOT_FOUND), name="new", made="2026-01-02T00:00:00Z")

    assert "cannot be pulled" in cause_of(old, new).what


def test_events_about_an_older_object_of_the_same_name_do_not_count():
    found = pod("a", waiting("ContainerCreating"))
    stale = event(found, "FailedMount", "from before")
    stale["involvedObject"]["uid"] = "another"

    assert cause_of(found, events=[stale]).what == "it is starting (ContainerCreating)"


def test_a_node_without_a_pod_and_without_a_reason_says_that():
    assert cause_of().what == "the cluster has made no pod for it yet"
    assert cause_of(pod(ending=True)).what == "the cluster has made no pod for it yet"


def test_a_deployment_that_gave_up_says_so():
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}

    assert cause_of(workload=deployment(conditions=[late])).what == "timed out"


def test_nodes_with_one_cause_share_a_line():
    causes = [Cause(f"node-{number}", "no room", "make room") for number in range(8)] + [Cause("b", "it is starting")]

    assert cause_lines(causes) == [
        "node-0, node-1, node-2, node-3, node-4 and 3 more: no room",
        "  -> make room",
        "b: it is starting",
    ]
