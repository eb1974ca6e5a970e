"""Deploying as its user does it: the joined script, a real process, and a stand-in for kubectl that keeps a cluster."""

from __future__ import annotations

import base64
import json
import os

import pytest
from support.finishing_desk import BUNDLE, CLAIM, Desk, lay_out, made, workload

from shared.finishing import joining

pytestmark = pytest.mark.conformance

NO_CLUSTER = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
LOGIN = '{"auths": {"registry.example": {"auth": "bWU6c2VjcmV0"}}}'
FOREIGN = {"app.kubernetes.io/instance": "other-2"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return the desk after a first run in a namespace that did not exist; for tests that only look."""
    desk = lay_out(tmp_path_factory.mktemp("fresh"))
    desk.holds(*BUNDLE, made("ServiceAccount", "demo-1"), workload(name="b"))
    desk.cluster(namespace=None)
    assert desk.run("-ipp", "Always").returncode == 0
    return desk


def test_objects_are_applied_in_stages_each_in_one_call(fresh: Desk):
    assert fresh.applied == [
        ["ServiceAccount"],
        ["PersistentVolumeClaim"],
        ["ConfigMap"],
        ["Deployment", "Deployment"],
        ["Service"],
        ["NetworkPolicy"],
    ]


def test_objects_are_applied_server_side_with_one_field_manager(fresh: Desk):
    (call, *others) = [call["arguments"] for call in fresh.calls if call["arguments"][0] == "apply"]

    assert call[1:5] == ["--server-side", "--force-conflicts", "--field-manager", "slipway"]
    assert all(other[:5] == call[:5] for other in others)


def test_a_missing_namespace_is_created_and_labelled_as_ours(fresh: Desk):
    (given,) = [call["given"] for call in fresh.calls if call["arguments"][:2] == ["create", "-f"]]

    labels = {"app.kubernetes.io/managed-by": "slipway"}
    assert json.loads(given)["metadata"] == {"name": "demo", "labels": labels}


def test_the_allocated_port_of_the_orchestrator_alone_enters_dockerinfo_as_an_integer(fresh: Desk):
    entries = json.loads((fresh.bundle / "dockerinfo.json").read_text())["docker_info_list"]

    assert [entry["port"] for entry in entries] == ["8556", 31234]


def test_manifests_on_disk_are_never_rewritten(fresh: Desk):
    on_disk = [json.loads(file.read_text()) for file in sorted(fresh.bundle.glob("deployments/*.yaml"))]

    assert on_disk == [*BUNDLE, made("ServiceAccount", "demo-1"), workload(name="b")]


def test_a_missing_namespace_is_refused_on_request(desk: Desk):
    desk.cluster(namespace=None)

    done = desk.run("--no-create-namespace")

    assert (done.returncode, desk.objects) == (1, [])
    assert "namespace demo does not exist" in done.stderr


def test_pull_policy_secret_and_environment_rules_reach_the_workload(desk: Desk):
    rules = {"environment_variables": [{"docker_image_pattern": "registry.example/.*", "name": "KEY", "value": "1"}]}
    config = desk.home / "config.json"
    config.write_text(json.dumps(rules))

    desk.run("-ipp", "Always", "-sn", "mine", "-cf", str(config))

    assert desk.find("Deployment", "a")["spec"]["template"]["spec"] == {
        "containers": [
            {
                "name": "a",
                "image": "registry.example/a:1",
                "imagePullPolicy": "Always",
                "env": [{"name": "KEY", "value": "1"}],
            }
        ],
        "imagePullSecrets": [{"name": "mine"}],
    }


def test_the_pull_secret_is_made_first_and_belongs_to_the_instance(desk: Desk):
    docker = desk.home / "config.json"
    docker.write_text(LOGIN)

    desk.run("-sn", "mine", "-ps", str(docker))

    assert desk.applied[0] == ["Secret"]
    secret = desk.find("Secret", "mine")
    assert secret["metadata"]["labels"]["app.kubernetes.io/instance"] == "demo-1"
    assert secret["data"] == {".dockerconfigjson": base64.b64encode(LOGIN.encode()).decode()}


def test_a_pull_secret_of_somebody_else_stays_as_it_is(desk: Desk):
    docker = desk.home / "config.json"
    docker.write_text(LOGIN)
    desk.cluster({"kind": "Secret", "metadata": {"name": "mine"}})

    done = desk.run("-sn", "mine", "-ps", str(docker))

    assert (done.returncode, desk.applied) == (1, [])
    assert "Secret/mine (instance unknown)" in done.stderr


def test_a_missing_configuration_file_is_no_complaint(desk: Desk):
    done = desk.run("-cf", "/home/nobody/config.json")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("namespace", ["--kubeconfig=/tmp/x", "a;rm $(id)"])
def test_a_namespace_that_is_no_label_never_reaches_kubectl(desk: Desk, namespace: str):
    done = desk.run(f"--namespace={namespace}")

    assert (done.returncode, desk.calls) == (2, [])


def test_objects_of_another_instance_stop_the_run_before_any_write(desk: Desk):
    desk.cluster(workload(**FOREIGN))

    done = desk.run()

    assert (done.returncode, desk.applied) == (1, [])
    assert "Deployment/a (instance other-2)" in done.stderr


def test_the_second_run_changes_nothing(desk: Desk):
    desk.run()
    before = desk.objects

    done = desk.run()

    assert (done.returncode, desk.objects) == (0, before)
    assert "workloads: 1 unchanged" in done.stdout


def test_another_revision_prunes_what_it_no_longer_has_but_never_a_claim(desk: Desk):
    desk.holds(*BUNDLE, workload(name="old"), made("PersistentVolumeClaim", "shared-folder-2"))
    desk.run()
    desk.holds(*(revised(manifest) for manifest in BUNDLE))

    done = desk.run()

    assert done.returncode == 0
    assert "Deployment/old" not in desk.titles
    assert "PersistentVolumeClaim/shared-folder-2" in desk.titles


def test_a_job_that_is_another_one_now_is_made_anew(desk: Desk):
    desk.holds(workload("Job", "loader", "registry.example/loader:1"))
    desk.run()
    desk.holds(workload("Job", "loader", "registry.example/loader:2"))

    done = desk.run()

    assert (done.returncode, desk.verbs.count("delete")) == (0, 1)
    (container,) = desk.find("Job", "loader")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/loader:2"


def test_a_job_that_is_the_same_is_left_alone(desk: Desk):
    desk.holds(workload("Job", "loader"))
    desk.run()

    assert desk.run().returncode == 0

    assert "delete" not in desk.verbs


def test_a_claim_that_cannot_become_what_it_should_stays_and_is_told(desk: Desk):
    desk.cluster({**CLAIM, "spec": {"resources": {"requests": {"storage": "1Gi"}}}})

    done = desk.run()

    assert done.returncode == 0
    assert "claim shared-folder stays as it is" in done.stdout
    assert desk.find("PersistentVolumeClaim", "shared-folder")["spec"]["resources"]["requests"] == {"storage": "1Gi"}


@pytest.mark.parametrize(("call", "verb"), [(3, "apply"), (5, "apply"), (6, "delete"), (10, "delete")])
def test_a_run_that_is_killed_after_any_write_is_finished_by_the_next(desk: Desk, call: int, verb: str):
    desk.cluster(workload(name="old"), workload("Job", "loader", "registry.example/loader:1"))
    desk.holds(*BUNDLE, workload("Job", "loader", "registry.example/loader:2"))

    killed = desk.run(KILL_AFTER=str(call))
    finished = desk.run()

    assert (desk.verbs[call], killed.returncode, finished.returncode) == (verb, -9, 0)
    assert desk.titles == {
        "ConfigMap/demo-1-pipeline-1",
        "Deployment/a",
        "Job/loader",
        "NetworkPolicy/demo-1-nodes",
        "PersistentVolumeClaim/shared-folder",
        "Service/orchestrator",
    }


def test_a_failing_call_stops_the_run_with_the_words_of_kubectl(desk: Desk):
    desk.cluster(fails={"apply": "the cluster says no"})

    done = desk.run()

    assert done.returncode == 1
    assert "error: claims: kubectl apply failed: the cluster says no" in done.stderr


def test_a_cluster_that_is_away_for_a_moment_is_waited_for(desk: Desk):
    desk.cluster(
        fails={
            "apply": "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?"
        }
    )

    done = desk.run()

    assert (done.returncode, len(desk.applied)) == (0, 6)
    assert "the cluster does not answer, trying again for 120 s" in done.stderr


def test_a_kubeconfig_that_is_written_anew_meanwhile_is_waited_for(desk: Desk):
    desk.cluster(fails={"apply": NO_CLUSTER})

    assert desk.run().returncode == 0


def test_without_a_kubeconfig_the_script_says_what_to_set(desk: Desk):
    desk.cluster(fails={"create": NO_CLUSTER})

    done = desk.run()

    assert done.returncode == 1
    assert "kubectl knows no cluster: set KUBECONFIG" in done.stderr


def test_without_kubectl_the_script_says_where_to_get_it(desk: Desk):
    done = desk.run(path=os.devnull)

    assert done.returncode == 1
    assert "kubectl is not on the PATH" in done.stderr


def test_an_old_kubectl_applies_by_itself(desk: Desk):
    desk.cluster(old=True)

    done = desk.run()

    assert (done.returncode, len(desk.titles)) == (0, 5)
    assert "this kubectl is old" in done.stderr
    assert desk.calls[-2]["arguments"][:2] == ["apply", "-n"]


def test_what_is_not_ready_in_time_is_explained_and_exits_3(desk: Desk):
    desk.cluster(ready=False, pods=[BROKEN_POD])

    done = desk.run("--timeout", "0.1")

    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "not ready:",
        "  a (registry.example/a:1): the image cannot be pulled: registry registry.example has no such image",
        "    -> push it, or mend its name and tag in the solution",
    ]


def test_without_a_timeout_what_is_slow_is_said_and_is_no_failure(desk: Desk):
    script = desk.bundle / joining.SCRIPT
    impatient = script.read_text().replace("PATIENCE_SECONDS = 240.0", "PATIENCE_SECONDS = 0.1")
    script.write_text(impatient)
    desk.program = joining.SCRIPT
    desk.cluster(ready=False)

    done = desk.run()

    assert "PATIENCE_SECONDS = 0.1" in impatient
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "not ready:")


def test_a_folder_without_manifests_is_refused_with_the_question_where_they_are(desk: Desk):
    done = desk.run("-bp", str(desk.home))

    assert (done.returncode, desk.calls) == (1, [])
    assert "is this an unpacked solution.zip?" in done.stderr


def test_somebody_who_deploys_another_revision_meanwhile_is_noticed(desk: Desk):
    desk.cluster(meddles={"Service/orchestrator": "revision-2"})

    done = desk.run()

    assert done.returncode == 1
    assert "somebody else deploys or deletes this solution here at the same time" in done.stderr
    assert "Service/orchestrator (revision revision-2)" in done.stderr


def test_a_folder_that_is_read_only_is_no_failure(desk: Desk):
    (desk.bundle / "dockerinfo.json").unlink()

    assert desk.run().returncode == 0


BROKEN_POD = {
    "kind": "Pod",
    "metadata": {"name": "a-1", "labels": {"app": "a"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"containers": [{"name": "a", "image": "registry.example/a:1"}]},
    "status": {
        "phase": "Pending",
        "containerStatuses": [
            {
                "name": "a",
                "state": {"waiting": {"reason": "ErrImagePull", "message": "registry.example/a:1: not found"}},
            }
        ],
    },
}


def revised(manifest: dict[str, object]) -> dict[str, object]:
    """Return an object of the bundle's next revision."""
    return json.loads(json.dumps(manifest).replace("revision-1", "revision-2"))
