"""What goes wrong around the finishing script: each ends in the right state or in the right words, and no claim is lost."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.blueprints import PROTO, document, folder, node, operation
from support.bundles import built, manifests, unpack, whole
from support.cluster import Ended, Kubectl, identity
from support.costs import counting_calls
from support.fake_nodes import FakeNodes
from support.finishing import command, script, succeeds
from support.killing import killing_after
from support.outages import way_to

from shared.solution import Ids, RevisionId, SolutionFiles, SolutionId

NODES = ("source", "sink")
# So small that a crowded machine takes them.
TINY = {"resources": {"requests": {"cpu": "1m", "memory": "8Mi"}}}
Make = Callable[..., Path]


@pytest.fixture
def bundle(tmp_path: Path) -> Make:
    """Return what makes an unpacked bundle of a pipeline with a shared folder, or with other nodes and options."""
    return lambda *nodes, **more: made(tmp_path, *(nodes or NODES), **more)


def made(
    desk: Path,
    *names: str,
    revision: str = "revision-1",
    options: Mapping[str, Any] | None = None,
    image: str = "registry.example/node:1",
    with_ids: bool = True,
) -> Path:
    """Write a bundle of nodes in a row and a shared folder, and return where it is."""
    nodes = [node(name, operation("process", *[f"{after}.process"]), image=image) for name, after in pairwise(names)]
    blueprint = document(*nodes, node(names[-1], image=image), folder("/data/shared"), name="faults")
    ids = Ids(SolutionId("faults"), RevisionId(revision)) if with_ids else None
    files = SolutionFiles(
        name="faults", blueprint=json.dumps(blueprint).encode(), protos=dict.fromkeys(names, PROTO), ids=ids
    )
    chosen = {**TINY, "orchestrator": TINY, **(options or {})}
    return unpack(
        built(files, chosen, static=whole()), desk / f"{revision}-{'-'.join(names)}-{len(list(desk.iterdir()))}"
    )


def expected(bundle: Path) -> set[str]:
    """Return what a bundle consists of."""
    return {identity(each) for each in manifests(bundle)}


def present(space: Kubectl) -> set[str]:
    """Return what of any bundle is in the namespace."""
    return {identity(each) for each in space.objects()}


def claim_uid(space: Kubectl) -> str:
    """Return what tells a claim from another one of the same name."""
    return space("get", "persistentvolumeclaim", "shared-folder", "-o", "jsonpath={.metadata.uid}")


def started(space: Kubectl, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the script and do not wait for it."""
    return subprocess.Popen(
        command(space, folder, *arguments),
        env=dict(space.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a script that was started."""
    out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out, err)


# --- stopped


def test_a_run_that_is_killed_after_any_call_is_finished_by_the_next(bundle: Make, space: Kubectl, tmp_path: Path):
    versions = [bundle("source", "sink"), bundle("source", "middle", revision="revision-2", options=JOB)]
    succeeds(space, versions[1], "--timeout", "0")
    claim, killed_at, left = claim_uid(space), [], []

    for call in range(40):
        chosen = versions[call % 2]
        killing, calls = killing_after(space, call, tmp_path)
        killed = script(killing, chosen, "--timeout", "0")
        if killed.status == 0:
            break
        killed_at.append(calls.read_text().splitlines()[call].split()[0])
        succeeds(space, chosen, "--timeout", "0")
        left.append((killed.status, present(space), claim_uid(space)))

    wanted = [(-9, expected(versions[call % 2]), claim) for call in range(len(left))]
    assert left == wanted
    assert killed_at.count("apply") >= 5
    assert "delete" in killed_at


JOB = {"nodes": {"source": {"kind": "job"}}}


def test_the_api_server_may_be_away_for_20_seconds(
    bundle: Make, unmade: Kubectl, fake_nodes: FakeNodes, tmp_path: Path
):
    made = bundle(options=fake_nodes.options(TINY))
    with way_to(unmade, tmp_path) as (kubectl, way):
        counted, calls = counting_calls(kubectl, tmp_path)
        running = started(counted, made, "--timeout", "240")
        until(lambda: calls.read_text().count("\n") >= 4)

        way.cut(silently=False)
        time.sleep(20)
        way.mend()
        done = ended(running)

    assert done.status == 0, done.out + done.err
    assert "the cluster does not answer, trying again for 120 s" in done.err
    assert present(unmade) == expected(made)


def test_the_api_server_may_say_nothing_for_20_seconds(
    bundle: Make, unmade: Kubectl, fake_nodes: FakeNodes, tmp_path: Path
):
    made = bundle(options=fake_nodes.options(TINY))
    with way_to(unmade, tmp_path) as (kubectl, way):
        counted, calls = counting_calls(kubectl, tmp_path)
        running = started(counted, made, "--timeout", "240")
        until(lambda: calls.read_text().count("\n") >= 4)

        way.cut(silently=True)
        time.sleep(20)
        way.mend()
        done = ended(running)

    assert done.status == 0, done.out + done.err
    assert present(unmade) == expected(made)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- refused


def test_the_objects_of_another_solution_stop_the_run_before_any_write(bundle: Make, space: Kubectl):
    other = {"app.kubernetes.io/instance": "other-12345678", "app.kubernetes.io/managed-by": "slipway"}
    space.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orchestrator", "labels": other}})
    service = {"ports": [{"port": 8061}]}
    metadata = {"name": "orchestrator", "labels": other}
    space.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})

    done = script(space, bundle())

    assert done.status == 1
    assert "not ours, left untouched: Service/orchestrator (instance other-12345678)" in done.err
    assert present(space) == {"ConfigMap/orchestrator", "Service/orchestrator"}


def test_a_namespace_that_goes_on_being_deleted_is_told_with_what_holds_it(bundle: Make, new_namespace: Any):
    space = new_namespace()
    metadata = {"name": "holder", "finalizers": ["example.org/held"]}
    space.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    space("delete", "namespace", space.namespace, "--wait=false")

    done = script(space, bundle())

    space("patch", "configmap", "holder", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    assert done.status == 1
    assert "is being deleted; waiting for it to be gone" in done.out
    assert "example.org/held" in done.err


def test_a_namespace_that_is_nearly_gone_is_waited_for_and_made_again(bundle: Make, unmade: Kubectl):
    succeeds(unmade, bundle(), "--timeout", "0")
    metadata = {"name": "holder", "finalizers": ["example.org/held"]}
    unmade.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    unmade("delete", "namespace", unmade.namespace, "--wait=false")

    running = started(unmade, bundle(), "--timeout", "0")
    time.sleep(5)
    unmade("patch", "configmap", "holder", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    done = ended(running)

    assert done.status == 0, done.out + done.err
    assert present(unmade) == expected(bundle())


def test_a_quota_on_objects_stops_the_run_in_words_and_the_next_run_goes_on(bundle: Make, space: Kubectl):
    made = bundle()
    space("create", "quota", "few-ports", "--hard=services.nodeports=2")

    done = script(space, made, "--timeout", "0")
    space("delete", "quota", "few-ports")
    again = script(space, made, "--timeout", "0")

    assert done.status == 1
    assert "error: services: quota few-ports of the namespace is used up: asked for services.nodeports=1" in done.err
    assert again.status == 0
    assert present(space) == expected(made)


def test_a_quota_on_pods_is_the_cause_that_is_told(bundle: Make, space: Kubectl):
    space("create", "quota", "no-pods", "--hard=pods=0")

    done = script(space, bundle(), "--timeout", "5")

    assert done.status == 3
    assert "quota no-pods of the namespace is used up: asked for pods=1, used pods=0, allowed pods=0" in done.err


# --- not ready


def test_a_missing_image_is_told_with_its_name_and_registry(bundle: Make, space: Kubectl):
    made = bundle(image="registry.example/nobody/nothing:1")

    done = script(space, made, "--timeout", "20", "--json")

    document = json.loads(done.out)
    causes = {cause["node"]: cause for cause in document["causes"]}
    assert (done.status, document["outcome"], document["ready"]) == (3, "not ready", False)
    assert causes["source"]["what"].startswith("the image cannot be pulled: ")
    assert "registry.example" in causes["source"]["what"]
    # The container that prepares the shared folder comes first, and is the orchestrator's image.
    assert causes["source"]["about"].startswith("registry.example")


def test_a_pull_secret_that_is_missing_is_told_with_its_name(bundle: Make, space: Kubectl):
    done = script(space, bundle(), "--timeout", "20", "-sn", "my-registry")

    assert done.status == 3
    assert "secret my-registry, which the pod names, is missing in the namespace" in done.err


def test_a_claim_without_a_class_that_fits_is_told_with_what_to_do(bundle: Make, space: Kubectl):
    done = script(space, bundle(options={"sharedFolder": {"storageClass": "nobodys"}}), "--timeout", "10")

    assert done.status == 3
    assert "claim shared-folder: the cluster has no storage class nobodys" in done.err
    assert "one that offers ReadWriteMany" in done.err


def test_a_pod_that_is_too_large_is_told_with_the_resource(bundle: Make, space: Kubectl):
    options = {"nodes": {"source": {"resources": {"requests": {"cpu": "9000", "memory": "8Mi"}}}}}

    done = script(space, bundle(options=options), "--timeout", "10")

    assert done.status == 3
    assert "source: no machine of the cluster has enough free cpu (9k asked for)" in done.err


# --- others


def test_a_new_revision_prunes_its_own_objects_and_nothing_else(bundle: Make, space: Kubectl):
    old, new = bundle("source", "gone"), bundle("source", revision="revision-2")
    succeeds(space, old, "--timeout", "0")
    other = {"app.kubernetes.io/instance": "other-12345678", "app.kubernetes.io/managed-by": "slipway"}
    ours = {
        "app.kubernetes.io/instance": next(iter(manifests(old)))["metadata"]["labels"]["app.kubernetes.io/instance"]
    }
    for name, labels in (("of-others", other), ("by-hand", ours)):
        space.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})
    claim = claim_uid(space)

    succeeds(space, new, "--timeout", "0")

    assert present(space) == expected(new) | {"ConfigMap/of-others", "ConfigMap/by-hand"}
    assert claim_uid(space) == claim


def test_without_ids_nothing_is_pruned(bundle: Make, space: Kubectl):
    old, new = bundle("source", "gone", with_ids=False), bundle("source", with_ids=False)
    succeeds(space, old, "--timeout", "0")

    succeeds(space, new, "--timeout", "0")

    assert present(space) == expected(old) | expected(new)


def test_two_people_who_deploy_the_same_at_once_both_succeed(bundle: Make, unmade: Kubectl, fake_nodes: FakeNodes):
    made = bundle(options=fake_nodes.options(TINY))

    both = [started(unmade, made, "--timeout", "240") for _ in range(2)]
    ends = [ended(each) for each in both]

    assert [end.status for end in ends] == [0, 0], ends
    assert present(unmade) == expected(made)


@pytest.mark.parametrize("seconds", [0.0, 0.4, 0.8, 1.2])
def test_of_two_revisions_at_once_one_wins_whole_or_somebody_is_told(bundle: Make, space: Kubectl, seconds: float):
    first, second = bundle("source", "one"), bundle("source", "two", revision="revision-2")
    succeeds(space, bundle("source", "zero", revision="revision-0"), "--timeout", "0")
    claim = claim_uid(space)

    one_runs = started(space, first, "--timeout", "0")
    time.sleep(seconds)
    other_runs = started(space, second, "--timeout", "0")
    ends = [ended(one_runs), ended(other_runs)]
    succeeds(space, second, "--timeout", "0")

    assert {end.status for end in ends} <= {0, 1}
    assert all("at the same time" in end.err for end in ends if end.status)
    assert expected(second) <= present(space)
    assert claim_uid(space) == claim


def test_delete_leaves_nothing_but_the_claim(bundle: Make, space: Kubectl):
    succeeds(space, bundle(), "--timeout", "0")
    claim = claim_uid(space)

    succeeds(space, bundle(), "--delete")

    assert present(space) == {"PersistentVolumeClaim/shared-folder"}
    assert claim_uid(space) == claim
