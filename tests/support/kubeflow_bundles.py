"""Kubeflow bundles for tests, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from support.solutions import assets
from support.workflows import in_every_mode

from services.kubeflow.generate import DEPLOYER
from shared import blueprint
from shared.bundle import Bundle
from shared.errors import InvalidOptionsError
from shared.solution import Solution, SolutionFiles

PIPELINE = "kubeflow/pipeline.yaml"
# All that adds fields and goes in every mode; what only changes a value is in the tests of the deployer.
OPTIONS: dict[str, Any] = {
    "schedule": {"cron": ["@daily"]},
    "caching": {},
    "parameters": {"LEVEL": 3, "RATIO": 0.5, "FAST": True, "NAME": "x"},
    "environment": {"EVEN": "1"},
    "gpu": {"count": 1},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}],
    "imagePullSecrets": ["registry"],
    "runAsUser": 1000,
}
Documents = dict[str, Any]


def kubeflow(solution: Solution, **options: Any) -> Bundle:
    """Return the bundle of a solution that is parsed already."""
    return DEPLOYER.generate(solution, DEPLOYER.parse_options(options), assets())


def built(files: SolutionFiles, **options: Any) -> Bundle:
    """Return the bundle of the files of a solution."""
    return DEPLOYER.build(files, DEPLOYER.parse_options(options), assets())


def documents(bundle: Bundle) -> tuple[Documents, Documents]:
    """Return the pipeline and the platform document, as a reader of YAML sees them."""
    pipeline, platform = yaml.load_all(bundle.files[PIPELINE], Loader=yaml.CSafeLoader)
    return pipeline, platform


def objects(bundle: Bundle) -> dict[str, Documents]:
    """Return the objects of Kubernetes by path."""
    return {
        path: yaml.load(data, Loader=yaml.CSafeLoader)
        for path, data in bundle.files.items()
        if path.startswith("kubeflow/") and path.endswith(".yaml") and path != PIPELINE and "kustomization" not in path
    }


def tasks(bundle: Bundle, component: str = "root") -> dict[str, Documents]:
    """Return the tasks of the root, or of a component."""
    pipeline, _ = documents(bundle)
    found: dict[str, Documents] = ({"root": pipeline["root"]} | pipeline["components"])[component]["dag"]["tasks"]
    return found


def container(bundle: Bundle, task: str) -> Documents:
    """Return the container of a task."""
    found: Documents = documents(bundle)[0]["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
    return found


def pod(bundle: Bundle, task: str) -> Documents:
    """Return what the platform document adds to the pod of a task."""
    found: Documents = documents(bundle)[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"][f"exec-{task}"]
    return found


def every_bundle(
    test_data: Path, graphs: int, options: Mapping[str, Any]
) -> Iterator[tuple[str, str, Bundle | InvalidOptionsError]]:
    """Return name, mode and Kubeflow bundle of every solution; see `in_every_mode`."""

    def build(files: SolutionFiles, mode: str) -> Bundle:
        return built(files, mode=mode, release="2.18", **with_commands(files, mode), **options)

    return in_every_mode(test_data, graphs, build)


def with_commands(files: SolutionFiles, mode: str) -> dict[str, Any]:
    """Return the option without which nodes are no tasks of Kubeflow."""
    solution = blueprint_of(files)
    if mode != "jobs" or solution is None:
        return {}
    return {"nodes": {node.name: {"command": ["python3", "run.py"]} for node in solution.workloads}}


def blueprint_of(files: SolutionFiles) -> Solution | None:
    """Return the solution, where it is sound."""
    return blueprint.parse(files).solution
