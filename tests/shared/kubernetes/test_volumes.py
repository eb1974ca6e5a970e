"""Shared folders: claims, mounts, and the preparation run for real on folders of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.solutions import assets, folders, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.kubernetes.volumes import PREPARE_SCRIPT
from shared.solution import SharedFolder

SOLUTION = pipeline("a", shared_folders=folders("/data/shared", "/data/models"))


def _objects(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return objects(generate(SOLUTION, DEPLOYER.parse_options(options), assets()))


def _pod(manifest: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return pod


def test_each_folder_has_a_claim_that_many_nodes_can_write_to() -> None:
    made = _objects({"sharedFolder": {"size": "20Gi", "storageClass": "nfs"}})

    specs = [made["deployments/pvc.yaml"]["spec"], made["deployments/pvc-2.yaml"]["spec"]]
    assert (
        specs
        == [
            {
                "accessModes": ["ReadWriteMany"],
                "storageClassName": "nfs",
                "resources": {"requests": {"storage": "20Gi"}},
            }
        ]
        * 2
    )
    assert made["deployments/pvc.yaml"]["metadata"]["name"] == "shared-folder"
    assert made["deployments/pvc-2.yaml"]["metadata"]["name"] == "shared-folder-2"


def test_a_size_in_bytes_may_be_a_number() -> None:
    spec = _objects({"sharedFolder": {"size": 1073741824}})["deployments/pvc.yaml"]["spec"]

    assert spec["resources"] == {"requests": {"storage": "1073741824"}}


def test_without_a_storage_class_the_cluster_s_default_is_used() -> None:
    assert "storageClassName" not in _objects({})["deployments/pvc.yaml"]["spec"]


def test_gitops_tools_are_told_to_keep_the_data() -> None:
    assert _objects({})["deployments/pvc.yaml"]["metadata"]["annotations"] == {
        "argocd.argoproj.io/sync-options": "Delete=false,Prune=false",
        "kustomize.toolkit.fluxcd.io/prune": "disabled",
    }


@pytest.mark.parametrize("name", ["a", "orchestrator"])
def test_every_pod_of_the_pipeline_mounts_the_folders_and_knows_where(name: str) -> None:
    pod = _pod(_objects({})[f"deployments/{name}_deployment.yaml"])

    (container,) = pod["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    variables = {variable["name"]: variable["value"] for variable in container["env"]}
    assert mounts.items() >= {"shared-folder": "/data/shared", "shared-folder-2": "/data/models"}.items()
    assert variables.items() >= {"SHARED_FOLDER_PATH": "/data/shared", "SHARED_FOLDER_PATH_2": "/data/models"}.items()
    assert pod["securityContext"]["fsGroup"] == 10001


def test_a_path_is_never_expanded_as_a_variable() -> None:
    solution = pipeline("a", shared_folders=(SharedFolder(1, "/data/$(HOSTNAME)"),))

    made = objects(generate(solution, DEPLOYER.parse_options({}), assets()))

    assert _pod(made["deployments/a_deployment.yaml"])["containers"][0]["env"] == [
        {"name": "SHARED_FOLDER_PATH", "value": "/data/$$(HOSTNAME)"}
    ]


def test_a_folder_mounted_at_tmp_takes_the_place_of_the_orchestrator_s_own() -> None:
    solution = pipeline("a", shared_folders=folders("/tmp"))

    made = objects(generate(solution, DEPLOYER.parse_options({}), assets()))

    (container,) = _pod(made["deployments/orchestrator_deployment.yaml"])["containers"]
    assert [mount["name"] for mount in container["volumeMounts"]] == ["pipeline", "shared-folder"]


def test_the_preparation_may_change_owners_and_nothing_else() -> None:
    (container,) = _pod(_objects({})["deployments/a_deployment.yaml"])["initContainers"]

    assert container["securityContext"] == {
        "runAsUser": 0,
        "runAsNonRoot": False,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]},
    }


def test_the_preparation_has_the_processor_of_its_node_which_a_quota_may_demand() -> None:
    options = {"resources": {"requests": {"cpu": "20m"}, "limits": {"cpu": "2"}}, "gpu": {"count": 1}}

    (container,) = _pod(_objects(options)["deployments/a_deployment.yaml"])["initContainers"]

    assert container["resources"] == {
        "requests": {"cpu": "20m", "memory": "32Mi"},
        "limits": {"cpu": "2", "memory": "64Mi"},
    }


def test_the_preparation_is_limited_in_memory_alone_where_its_node_has_no_limits() -> None:
    (container,) = _pod(_objects({})["deployments/orchestrator_deployment.yaml"])["initContainers"]

    assert container["resources"] == {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}


def test_no_text_of_the_blueprint_is_an_argument_of_the_preparation() -> None:
    (container,) = _pod(_objects({})["deployments/a_deployment.yaml"])["initContainers"]

    assert container["command"] == ["python3", "-c", PREPARE_SCRIPT]
    assert container["args"] == ["10001", "/shared/1", "/shared/2"]


@pytest.mark.parametrize("options", [{"sharedFolder": {"prepare": "never"}}, {"profile": "restricted"}])
def test_nothing_is_prepared_where_it_is_not_wanted_or_not_allowed(options: dict[str, Any]) -> None:
    assert not [name for name, made in _objects(options).items() if "initContainers" in str(made)]


def test_a_folder_that_only_its_owner_may_write_becomes_writable_for_the_group(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    assert "is writable for group" in _prepared(tmp_path)

    assert tmp_path.stat().st_mode & 0o7777 == 0o2770


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o2770, 0o2775])
def test_a_folder_that_is_writable_already_stays_as_it_is(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)

    assert _prepared(tmp_path) == ""

    assert tmp_path.stat().st_mode & 0o7777 == mode


def test_files_in_a_folder_stay_as_they_are(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("x")
    kept.chmod(0o600)
    tmp_path.chmod(0o700)

    _prepared(tmp_path)

    assert kept.stat().st_mode & 0o7777 == 0o600


def test_a_volume_that_cannot_be_changed_does_not_stop_the_node() -> None:
    assert _prepared(Path("/proc/1/task")).startswith("/proc/1/task stays as it is: ")


def _prepared(folder: Path) -> str:
    command = [sys.executable, "-c", PREPARE_SCRIPT, str(os.getgid()), str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
