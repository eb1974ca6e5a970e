"""`slipway-driver deploy` and `teardown` against a real API server, with the rights of a service account of one namespace."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from support.bundles import built, manifests, unpack, whole
from support.cluster import Kubectl, identity
from support.fake_nodes import FakeNodes
from support.solutions import ROOT, read

from orchestrator.driver import ownership
from orchestrator.driver.cluster import Cluster
from shared.errors import ConflictError, UpstreamError
from shared.workflows import turns

RELEASE = "tried-1"


@dataclass
class Pod:
    """The driver as it runs in a pod: a folder of its service account, and the address of the API."""

    space: Kubectl
    folder: Path
    environment: dict[str, str]

    def run(
        self, command: str, *arguments: str, namespace: str = "", release: str = RELEASE
    ) -> subprocess.CompletedProcess[str]:
        where = f"--namespace={namespace or self.space.namespace}"
        program = [sys.executable, "-m", "orchestrator.driver", command, f"--name={release}", where]
        return subprocess.run(
            [*program, *arguments], env=self.environment, capture_output=True, text=True, timeout=120, check=False
        )

    def start(self, bundle: Path, release: str) -> subprocess.Popen[str]:
        """Begin to deploy, and do not wait for the end."""
        ends = [f"--bundle={bundle}", f"--endpoint-file={self.folder}/{release}.json", "--timeout=90"]
        where = [f"--name={release}", f"--namespace={self.space.namespace}"]
        program = [sys.executable, "-m", "orchestrator.driver", "deploy"]
        return subprocess.Popen([*program, *where, *ends], env=self.environment, stderr=subprocess.PIPE, text=True)

    def cluster(self) -> Cluster:
        """Return the API as the driver calls it."""
        return Cluster.of_pod(self.environment, self.space.namespace)

    def deploy(self, bundle: Path, *arguments: str, release: str = RELEASE) -> subprocess.CompletedProcess[str]:
        ends = [f"--bundle={bundle}", f"--endpoint-file={self.folder}/endpoints.json", "--timeout=90"]
        return self.run("deploy", *ends, *arguments, release=release)

    @property
    def endpoints(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "endpoints.json").read_text())
        return found


@pytest.fixture
def pod(space: Kubectl, tmp_path: Path) -> Iterator[Pod]:
    """Give a driver whose account may edit the namespace."""
    space("create", "serviceaccount", "deployer")
    account = f"{space.namespace}:deployer"
    space("create", "rolebinding", "deployer", "--clusterrole=edit", f"--serviceaccount={account}")
    config = json.loads(space("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    cluster = config["clusters"][0]["cluster"]
    folder = tmp_path / "account"
    folder.mkdir()
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(space("create", "token", "deployer", "--duration=1h"))
    (folder / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    server = urlsplit(cluster["server"])
    environment = {
        "PATH": os.environ["PATH"],
        "KUBERNETES_SERVICE_HOST": server.hostname or "",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "SLIPWAY_SERVICE_ACCOUNT_DIRECTORY": str(folder),
    }
    return Pod(space, tmp_path, environment)


@pytest.fixture
def bundle(fake_nodes: FakeNodes, tmp_path: Path) -> Path:
    """Return an unpacked bundle with a claim, for fake nodes."""
    files = read(ROOT / "tests" / "golden" / "shared-folders")
    return unpack(built(files, fake_nodes.options({}), static=whole()), tmp_path / "bundle")


def test_a_bundle_is_deployed_again_and_removed_and_its_data_last(pod: Pod, bundle: Path) -> None:
    expected = {identity(each) for each in manifests(bundle)}
    nodes = {each["metadata"]["name"] for each in manifests(bundle) if each["kind"] == "Deployment"} - {"orchestrator"}

    first, second = pod.deploy(bundle), pod.deploy(bundle)
    there = pod.space.objects(selector=f"slipway.dev/release={RELEASE}")
    gone = pod.run("teardown")
    left = {identity(each) for each in pod.space.objects(selector=f"slipway.dev/release={RELEASE}")}
    all_gone, again = pod.run("teardown", "--data"), pod.run("teardown", "--data")

    assert (first.returncode, first.stdout) == (0, ""), first.stderr
    assert second.returncode == 0, second.stderr
    assert {identity(each) for each in there} == expected
    assert pod.endpoints == {name: f"{name}.{pod.space.namespace}.svc:8556" for name in nodes}
    assert gone.returncode == 0, gone.stderr
    assert left == {name for name in expected if name.startswith("PersistentVolumeClaim/")}
    assert (all_gone.returncode, again.returncode) == (0, 0), all_gone.stderr + again.stderr
    assert pod.space.objects(selector=f"slipway.dev/release={RELEASE}") == []


def test_the_next_release_finds_the_data_of_the_last_one_and_meets_none_that_is_there(pod: Pod, bundle: Path) -> None:
    def claims() -> set[str]:
        return {each["metadata"]["uid"] for each in pod.space.objects() if each["kind"] == "PersistentVolumeClaim"}

    first = pod.deploy(bundle)
    data = claims()
    beside = pod.deploy(bundle, release="tried-2")
    pod.run("teardown")
    after = pod.deploy(bundle, release="tried-2")

    assert first.returncode == 0, first.stderr
    assert (beside.returncode, "not of the release tried-2" in beside.stderr) == (1, True), beside.stderr
    assert after.returncode == 0, after.stderr
    assert data
    assert claims() == data


def test_a_release_belongs_to_who_the_pod_belongs_to(pod: Pod, bundle: Path) -> None:
    pod.space("create", "configmap", "run")
    run = pod.space("get", "configmap", "run", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "run", "uid": run}
    member = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "member", "ownerReferences": [{**owner, "controller": True}]},
        "spec": {
            "containers": [{"name": "member", "image": "registry.example.org/member:1"}],
            "nodeSelector": {"no": "such-node"},
        },
    }
    pod.space("create", "-f", "-", given=json.dumps(member))
    uid = pod.space("get", "pod", "member", "-o", "jsonpath={.metadata.uid}")

    done = pod.deploy(bundle, f"--owner=Pod/member/{uid}")

    found = pod.space.objects(selector=f"slipway.dev/release={RELEASE}")
    owners = {
        json.dumps(each["metadata"]["ownerReferences"]) for each in found if "ownerReferences" in each["metadata"]
    }
    assert done.returncode == 0, done.stderr
    assert owners == {json.dumps([owner])}


def test_a_bundle_in_pieces_belongs_to_its_owner_but_for_the_data(pod: Pod, bundle: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in (*bundle.glob("deployments/*.yaml"), *bundle.glob("policies/*.yaml")):
        content = file.read_bytes()
        half = len(content) // 2
        name = f"{file.parent.name}.{file.name}"
        (flat / f"{name}.000").write_bytes(content[:half])
        (flat / f"{name}.001").write_bytes(content[half:])
    pod.space("create", "-f", "-", given=json.dumps(_job()))
    uid = pod.space("get", "job", "owner", "-o", "jsonpath={.metadata.uid}")

    done = pod.deploy(flat, f"--owner=Job/owner/{uid}")

    found = pod.space.objects(selector=f"slipway.dev/release={RELEASE}")
    owned = {each["kind"] for each in found if each["metadata"].get("ownerReferences")}
    assert done.returncode == 0, done.stderr
    assert {each["kind"] for each in found} - owned == {"PersistentVolumeClaim"}


def _job() -> dict[str, object]:
    container = {"name": "owner", "image": "registry.example.org/owner:1"}
    pod = {"restartPolicy": "Never", "containers": [container], "nodeSelector": {"no": "such-node"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "owner"},
        "spec": {"suspend": True, "template": {"spec": pod}},
    }


def test_what_is_not_of_the_release_is_left_untouched(pod: Pod, bundle: Path) -> None:
    pod.space("create", "service", "clusterip", "orchestrator", "--tcp=8061")

    done = pod.deploy(bundle)

    assert done.returncode == 1
    assert "not of the release tried-1, left untouched: Service/orchestrator" in done.stderr
    assert pod.space.objects() == []


def test_of_two_releases_that_begin_at_the_same_moment_one_gets_all_names(pod: Pod, bundle: Path) -> None:
    running = {release: pod.start(bundle, release) for release in ("tried-1", "tried-2")}
    told = {release: each.communicate(timeout=120)[1] for release, each in running.items()}

    won = [release for release, each in running.items() if each.returncode == 0]
    (lost,) = running.keys() - set(won)
    owners = {each["metadata"]["labels"]["slipway.dev/release"] for each in pod.space.objects()}
    assert (running[lost].returncode, f"not of the release {lost}" in told[lost]) == (1, True), told
    assert owners == set(won)


def test_who_found_a_name_free_does_not_get_it_when_another_release_was_quicker(pod: Pod) -> None:
    def of(release: str) -> dict[str, Any]:
        labels = {"slipway.dev/release": release, "app.kubernetes.io/instance": "tried"}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": labels}}

    with pod.cluster() as one, pod.cluster() as two:
        ownership.refuse_foreign(one, [of("tried-1")], "tried-1")
        ownership.refuse_foreign(two, [of("tried-2")], "tried-2")
        ownership.put(one, of("tried-1"), "tried-1")

        with pytest.raises(ConflictError, match="not of the release tried-2, left untouched: ConfigMap/a"):
            ownership.put(two, of("tried-2"), "tried-2")
        assert not two.create(of("tried-2"))


@pytest.mark.parametrize("changed", ["gone", "another"])
def test_only_the_very_object_that_was_looked_at_is_changed(pod: Pod, changed: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"of": "ours"}}
    with pod.cluster() as cluster:
        cluster.create(manifest)
        found = cluster.find("ConfigMap", "a") or {}
        pod.space("delete", "configmap", "a")
        if changed == "another":
            pod.space("create", "configmap", "a", "--from-literal=of=others")

        with pytest.raises(UpstreamError):
            cluster.apply(manifest, found["metadata"]["uid"])
        left = cluster.find("ConfigMap", "a") or {}

    assert left.get("data") == ({"of": "others"} if changed == "another" else None)


def test_a_release_is_deployed_again_where_a_quota_is_used_up(pod: Pod, bundle: Path) -> None:
    first = pod.deploy(bundle)
    services = len([each for each in pod.space.objects() if each["kind"] == "Service"])
    pod.space("create", "quota", "full", f"--hard=count/services={services}")
    pod.space("wait", "quota/full", f"--for=jsonpath={{.status.used.count/services}}={services}", "--timeout=60s")

    again = pod.deploy(bundle)

    assert first.returncode == 0, first.stderr
    assert again.returncode == 0, again.stderr


def test_jobs_run_one_after_the_other_before_the_nodes(pod: Pod, bundle: Path) -> None:
    (first,) = bundle.glob("deployments/*orchestrator_deployment.yaml")
    template = yaml.safe_load(first.read_text())["spec"]["template"]["spec"]
    placed = {key: template[key] for key in ("nodeSelector", "tolerations")}
    for turn, name in ((2, "deal"), (1, "seed")):
        manifest = turns.annotated(_ending(name, placed), turn)
        (bundle / "deployments" / f"{name}_job.yaml").write_text(yaml.safe_dump(manifest))

    done = pod.deploy(bundle)

    assert done.returncode == 0, done.stderr
    found = {identity(each): each for each in pod.space.objects("jobs,deployments", f"slipway.dev/release={RELEASE}")}
    made = {name: each["metadata"]["creationTimestamp"] for name, each in found.items()}
    ended = {name: each["status"]["completionTime"] for name, each in found.items() if name.startswith("Job/")}
    assert ended["Job/seed"] <= made["Job/deal"]
    assert ended["Job/deal"] <= min(at for name, at in made.items() if name.startswith("Deployment/"))


def _ending(name: str, placed: Mapping[str, Any]) -> dict[str, Any]:
    container = {"name": name, "image": "registry.example.org/ends:1"}
    pod = {"restartPolicy": "Never", "containers": [container], **placed}
    labels = {"app.kubernetes.io/instance": "tried"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": pod}},
    }


def test_an_account_without_rights_is_told_so(pod: Pod, bundle: Path) -> None:
    pod.space("delete", "rolebinding", "deployer")

    done = pod.deploy(bundle)

    assert done.returncode == 1
    assert "the service account may not" in done.stderr
    assert (pod.folder / "account" / "token").read_text() not in done.stderr


def test_what_does_not_get_ready_is_named_at_the_deadline(pod: Pod, bundle: Path) -> None:
    for file in bundle.glob("deployments/*_deployment.yaml"):
        manifest = yaml.safe_load(file.read_text())
        manifest["spec"]["template"]["spec"]["nodeSelector"] = {"no": "such-node"}
        file.write_text(yaml.safe_dump(manifest))

    done = pod.deploy(bundle, "--timeout=3")

    assert done.returncode == 3
    assert "not ready in time: " in done.stderr
    assert "0 of 1 ready" in done.stderr
