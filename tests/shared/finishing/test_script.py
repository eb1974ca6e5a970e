"""The finishing script as its user runs it: the joined file, a real process, a recording `kubectl` on the PATH."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.finishing import joining

# Stands in for kubectl: answers what a small cluster would, and writes down every call. A real cluster is used by the
# cluster tier; this one exists for the faults and the order, which a real cluster does not give on demand.
KUBECTL = """#!{python}
import json, os, pathlib, sys
home = pathlib.Path(os.environ["KUBECTL_HOME"])
arguments = sys.argv[1:]
given = sys.stdin.read() if arguments[-2:] == ["-f", "-"] else ""
with (home / "calls.jsonl").open("a") as log:
    log.write(json.dumps({{"arguments": arguments, "given": given}}) + "\\n")
state = json.loads((home / "state.json").read_text())
verb = arguments[0]
if verb in state.get("fails", []):
    sys.exit("the cluster says no")
if verb == "create":
    print("\\n".join(json.dumps(item) for item in state["manifests"]))
elif verb == "get" and arguments[1] == "namespace":
    print("namespace/x" if state["namespace"] else "")
elif verb == "get":
    print(json.dumps({{"kind": "List", "items": state[arguments[1]] if arguments[1] in state else []}}))
elif verb == "config":
    print("https://cluster.example:6443")
"""

LABELS = {"app.kubernetes.io/instance": "demo-1"}
SERVICE = {
    "kind": "Service",
    "metadata": {"name": "orchestrator", "labels": LABELS},
    "spec": {"ports": [{"port": 8061, "nodePort": 31234}]},
}
DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "a", "labels": LABELS, "generation": 1},
    "spec": {"template": {"spec": {"containers": [{"name": "a", "image": "registry.example/a:1"}]}}},
}
READY = {**DEPLOYMENT, "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}}
CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "shared-folder", "labels": LABELS}, "spec": {}}
POLICY = {"kind": "NetworkPolicy", "metadata": {"name": "nodes", "labels": LABELS}, "spec": {}}


@dataclass
class Desk:
    """A bundle on disk, and the cluster that the stand-in plays."""

    home: Path
    bundle: Path

    def cluster(self, **state: object) -> None:
        usual = {
            "namespace": True,
            "manifests": [POLICY, DEPLOYMENT, SERVICE, CLAIM],
            "deployments,jobs": [READY],
            "services": [SERVICE],
        }
        (self.home / "state.json").write_text(json.dumps({**usual, **state}))

    def run(self, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.home) if path is None else path, "KUBECTL_HOME": str(self.home)}
        command = [sys.executable, str(self.bundle / joining.SCRIPT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)

    @property
    def calls(self) -> list[dict[str, object]]:
        log = self.home / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def applied(self) -> list[list[str]]:
        given = [str(call["given"]) for call in self.calls if call["given"]]
        return [[item["kind"] for item in json.loads(text)["items"]] for text in given]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    home, bundle = tmp_path / "home", tmp_path / "the bundle"
    home.mkdir()
    (bundle / "deployments").mkdir(parents=True)
    (bundle / "policies").mkdir()
    (bundle / "deployments" / "a_deployment.yaml").write_text("kind: Deployment\n")
    (bundle / "policies" / "nodes.yaml").write_text("kind: NetworkPolicy\n")
    names = [{"container_name": name, "ip_address": name, "port": "8556"} for name in ("a", "orchestrator")]
    (bundle / "dockerinfo.json").write_text(json.dumps({"docker_info_list": names}))
    (bundle / joining.SCRIPT).write_bytes(joining.script())
    kubectl = home / "kubectl"
    kubectl.write_text(KUBECTL.format(python=sys.executable))
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    desk = Desk(home, bundle)
    desk.cluster()
    return desk


def test_the_script_in_the_repository_is_what_its_parts_make():
    assert joining.joined() == joining.script().decode()


def test_objects_are_applied_claims_before_workloads_before_services_before_policies(desk: Desk):
    assert desk.run("-n", "demo").returncode == 0

    assert desk.applied == [["PersistentVolumeClaim"], ["Deployment"], ["Service"], ["NetworkPolicy"]]


def test_a_missing_namespace_is_created_and_labelled_as_ours(desk: Desk):
    desk.cluster(namespace=False)

    desk.run("-n", "demo")

    (namespace,) = json.loads(str(next(call["given"] for call in desk.calls if call["given"])))["items"]
    assert namespace["metadata"] == {"name": "demo", "labels": {"app.kubernetes.io/managed-by": "slipway"}}


def test_a_missing_namespace_is_refused_on_request(desk: Desk):
    desk.cluster(namespace=False)

    done = desk.run("-n", "demo", "--no-create-namespace")

    assert (done.returncode, desk.applied) == (1, [])


def test_the_allocated_port_of_the_orchestrator_alone_enters_dockerinfo_as_an_integer(desk: Desk):
    desk.run("-n", "demo")

    ports = json.loads((desk.bundle / "dockerinfo.json").read_text())["docker_info_list"]
    assert [entry["port"] for entry in ports] == ["8556", 31234]


def test_manifests_on_disk_are_never_rewritten(desk: Desk):
    before = (desk.bundle / "deployments" / "a_deployment.yaml").read_bytes()

    desk.run("-n", "demo", "-ipp", "Always")

    assert (desk.bundle / "deployments" / "a_deployment.yaml").read_bytes() == before


def test_pull_policy_secret_and_environment_rules_reach_the_workload(desk: Desk):
    rules = {"environment_variables": [{"docker_image_pattern": "registry.example/.*", "name": "KEY", "value": "1"}]}
    config = desk.home / "config.json"
    config.write_text(json.dumps(rules))

    desk.run("-n", "demo", "-ipp", "Always", "-sn", "mine", "-cf", str(config))

    given = [json.loads(str(call["given"]))["items"] for call in desk.calls if call["given"]]
    pod = given[1][0]["spec"]["template"]["spec"]
    assert pod == {
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


def test_a_missing_configuration_file_is_no_complaint(desk: Desk):
    done = desk.run("-n", "demo", "-cf", "/home/nobody/config.json")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("namespace", ["-x", "--kubeconfig=/tmp/x", "a;rm", "$(id)", "A", "a b", "a\nb", "", "x" * 64])
def test_a_namespace_that_is_no_label_never_reaches_kubectl(desk: Desk, namespace: str):
    done = desk.run(f"--namespace={namespace}")

    assert (done.returncode, desk.calls) == (1, [])


def test_objects_of_another_instance_stop_the_run_before_any_write(desk: Desk):
    other = {**READY, "metadata": {**READY["metadata"], "labels": {"app.kubernetes.io/instance": "other-2"}}}
    desk.cluster(**{"deployment,networkpolicy,persistentvolumeclaim,service": [other]})

    done = desk.run("-n", "demo")

    assert (done.returncode, desk.applied) == (1, [])
    assert "Deployment/a (instance other-2)" in done.stderr


def test_a_failing_call_stops_the_run_with_the_words_of_kubectl(desk: Desk):
    desk.cluster(fails=["apply"])

    done = desk.run("-n", "demo")

    assert done.returncode == 1
    assert "the cluster says no" in done.stderr


def test_without_kubectl_the_script_says_where_to_get_it(desk: Desk):
    done = desk.run("-n", "demo", path=os.devnull)

    assert done.returncode == 1
    assert "kubectl is not on the PATH" in done.stderr


def test_what_is_not_ready_in_time_is_explained_and_exits_3(desk: Desk):
    waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
    status = {"containerStatuses": [{"image": "registry.example/a:1", "state": {"waiting": waiting}}]}
    pod = {"kind": "Pod", "metadata": {"name": "a-1"}, "status": status}
    desk.cluster(**{"deployments,jobs": [DEPLOYMENT], "pods": [pod]})

    done = desk.run("-n", "demo", "--timeout", "0.1")

    assert done.returncode == 3
    assert "a-1: ImagePullBackOff (registry.example/a:1): no such image" in done.stderr


def test_a_folder_without_manifests_is_refused_with_the_question_where_they_are(desk: Desk):
    done = desk.run("-n", "demo", "-bp", str(desk.home))

    assert done.returncode == 1
    assert "is this an unpacked solution.zip?" in done.stderr


def test_without_a_timeout_what_is_slow_is_said_and_is_no_failure(desk: Desk):
    script = desk.bundle / joining.SCRIPT
    impatient = script.read_text().replace("PATIENCE_SECONDS = 240.0", "PATIENCE_SECONDS = 0.1")
    script.write_text(impatient)
    desk.cluster(**{"deployments,jobs": [DEPLOYMENT]})

    done = desk.run("-n", "demo")

    assert "PATIENCE_SECONDS = 0.1" in impatient
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "not ready:")
