"""The whole life of a bundle by its finishing script, on fake nodes: made, made again, removed, its data last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.bundles import built, manifests, unpack, whole
from support.cluster import Kubectl, content, identity, settled, versions
from support.fake_nodes import FakeNodes
from support.finishing import script, succeeds
from support.solutions import ROOT, read

CLAIM = "PersistentVolumeClaim/"


@pytest.fixture
def shared_folder(fake_nodes: FakeNodes, tmp_path: Path) -> Path:
    """Return an unpacked bundle with a claim."""
    files = read(ROOT / "tests" / "golden" / "shared-folders")
    return unpack(built(files, fake_nodes.options({}), static=whole()), tmp_path / "shared-folder")


@pytest.fixture
def plain(fake_nodes: FakeNodes, tmp_path: Path) -> Path:
    """Return an unpacked bundle without a claim."""
    files = read(ROOT / "tests" / "golden" / "pipeline")
    return unpack(built(files, fake_nodes.options({}), static=whole()), tmp_path / "plain")


def test_a_bundle_comes_up_stays_as_it_is_and_goes(bundle_folder: Path, unmade: Kubectl) -> None:
    expected = {identity(each) for each in manifests(bundle_folder)}
    claims = {name for name in expected if name.startswith(CLAIM)}

    succeeds(unmade, bundle_folder, "--timeout", "90")
    first = settled(unmade)
    succeeds(unmade, bundle_folder, "--timeout", "90")
    second = versions(unmade)
    succeeds(unmade, bundle_folder, "--delete")
    left = {identity(each) for each in unmade.objects()}
    succeeds(unmade, bundle_folder, "--delete", "--delete-data")

    assert first.keys() == expected
    assert second == first
    assert left == claims
    assert unmade("get", "namespace", unmade.namespace, "--ignore-not-found") == ""


def test_script_and_kubectl_alone_make_the_same(bundle_folder: Path, space: Kubectl, unmade: Kubectl) -> None:
    succeeds(unmade, bundle_folder, "--timeout", "0")
    space("apply", "-k", str(bundle_folder))

    by_script = {identity(each): content(each) for each in unmade.objects()}
    by_kubectl = {identity(each): content(each) for each in space.objects()}
    assert by_script == by_kubectl


def test_nothing_changes_in_the_folder_but_the_port_of_the_orchestrator(plain: Path, space: Kubectl) -> None:
    before = {path: path.read_bytes() for path in plain.rglob("*") if path.is_file()}

    succeeds(space, plain, "--timeout", "0")

    after = {path: path.read_bytes() for path in plain.rglob("*") if path.is_file()}
    port = int(space("get", "service", "orchestrator", "-o", "jsonpath={.spec.ports[0].nodePort}"))
    entries = json.loads(after[plain / "dockerinfo.json"])["docker_info_list"]
    assert {path.name for path in after if after[path] != before.get(path)} == {"dockerinfo.json"}
    assert [entry["port"] for entry in entries if entry["container_name"] == "orchestrator"] == [port]


def test_a_deployment_by_kubectl_is_taken_over_without_a_new_pod(plain: Path, space: Kubectl) -> None:
    space("apply", "-k", str(plain))
    settled(space)
    before = _pods(space)

    succeeds(space, plain, "--timeout", "90")
    settled(space)

    assert _pods(space) == before
    assert len(before) == 4


def _pods(space: Kubectl) -> set[str]:
    return {each["metadata"]["uid"] for each in space.objects("pods")}


def test_a_dry_run_tells_everything_and_writes_nothing(plain: Path, unmade: Kubectl) -> None:
    told = succeeds(unmade, plain, "--dry-run")

    assert told.count("would be created: ") == len(manifests(plain)) + 1
    assert unmade("get", "namespace", unmade.namespace, "--ignore-not-found") == ""


def test_a_dry_run_on_what_is_deployed_finds_nothing_to_change(shared_folder: Path, space: Kubectl) -> None:
    succeeds(space, shared_folder, "--timeout", "90")
    before = settled(space)

    told = succeeds(space, shared_folder, "--dry-run", "--json")

    assert {change["what"] for change in json.loads(told)["changes"]} == {"unchanged"}
    assert versions(space) == before


def test_the_namespace_stays_as_long_as_there_is_data_in_it(shared_folder: Path, unmade: Kubectl) -> None:
    succeeds(unmade, shared_folder, "--timeout", "90")

    told = succeeds(unmade, shared_folder, "--delete")

    assert "kept with the data on them" in told
    assert {each["status"]["phase"] for each in unmade.objects("persistentvolumeclaims")} == {"Bound"}


def test_a_namespace_that_was_there_stays(plain: Path, space: Kubectl) -> None:
    succeeds(space, plain, "--timeout", "0")

    succeeds(space, plain, "--delete")

    assert json.loads(space("get", "namespace", space.namespace, "-o", "json"))["status"]["phase"] == "Active"
    assert space.objects() == []


def test_what_others_have_in_the_namespace_stops_the_run_before_it_writes(plain: Path, space: Kubectl) -> None:
    space("create", "service", "clusterip", "orchestrator", "--tcp=8061")

    ended = script(space, plain)

    assert ended.status == 1
    assert "not ours, left untouched: Service/orchestrator" in ended.err
    assert space.objects() == []


def test_the_rights_of_an_editor_of_the_namespace_suffice(plain: Path, space: Kubectl, editor: Kubectl) -> None:
    succeeds(editor, plain, "--timeout", "90")
    settled(space)
    succeeds(editor, plain, "--status")
    succeeds(editor, plain, "--delete")

    assert space.objects() == []
