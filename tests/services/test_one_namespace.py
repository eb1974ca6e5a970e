"""Several engines, and deployments, of one solution in one namespace: nobody's objects are anybody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from support.kubeflow_bundles import kubeflow
from support.solutions import folders
from support.workflows import argo, chain

from shared.bundle import Bundle
from shared.solution import Solution

Build = Callable[..., Bundle]
MODES: tuple[dict[str, Any], ...] = (
    {"mode": "services"},
    {"mode": "persistent"},
    {"mode": "jobs", "nodes": {"a": {"command": ["a"]}, "b": {"command": ["b"]}}, "environment": {"ODD": "{{x}}"}},
)


def keys(bundle: Bundle) -> set[tuple[str, str]]:
    """Return kind and name of all objects that are applied."""
    paths = [path for path in bundle.files if path.split("/")[0] in {"argo", "kubeflow"} and path.endswith(".yaml")]
    found = [yaml.load(bundle.files[path], Loader=yaml.CSafeLoader) for path in paths if "pipeline.yaml" not in path]
    return {(each["kind"], each["metadata"]["name"]) for each in found if "name" in each.get("metadata", {})}


def of_all_modes(build: Build, solution: Solution) -> set[tuple[str, str]]:
    return {key for options in MODES for key in keys(build(solution, **options))}


def test_engines_share_no_object():
    solution = chain("a", "b", shared_folders=folders("/data"))
    of_argo, of_kubeflow = of_all_modes(argo, solution), of_all_modes(kubeflow, solution)

    assert len(of_argo) > 10
    assert len(of_kubeflow) > 5
    assert of_argo & of_kubeflow == set()


def test_engines_tell_their_objects_by_the_component():
    role = yaml.safe_load(argo(chain("a")).files["argo/role-executor.yaml"])
    held = yaml.safe_load(kubeflow(chain("a")).files["kubeflow/role-deployer.yaml"])

    assert role["metadata"]["labels"]["app.kubernetes.io/component"] == "workflow-argo"
    assert held["metadata"]["labels"]["app.kubernetes.io/component"] == "workflow-kubeflow"
    assert held["metadata"]["name"].endswith("-kubeflow-deployer")


@pytest.mark.parametrize("build", [argo, kubeflow])
@pytest.mark.parametrize("name", ["short", "x" * 300])
def test_whatever_becomes_a_volume_has_the_name_of_one(build: Build, name: str):
    made = of_all_modes(build, chain("a", "b", name=name, shared_folders=folders("/data", "/more")))
    held = [name for kind, name in made if kind in {"ConfigMap", "PersistentVolumeClaim"}]

    assert len(held) >= 4
    assert max(map(len, held)) <= 63
