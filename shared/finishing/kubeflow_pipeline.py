"""The pipeline of this bundle in Kubeflow: found there with what belongs to it, or put there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from shared.finishing.kubeflow_answers import Answer, identity_of, part_of
from shared.finishing.kubeflow_api import Kubeflow, KubeflowError, named, path_of
from shared.finishing.speaking import say

FOLDER = "kubeflow"
CREATIONS = 3


def about_pipeline() -> Dict[str, Any]:
    """Return what the bundle says about its pipeline.

    Raises:
        ValueError: this script lies beside none.
    """
    try:
        found = json.loads((folder() / "run.json").read_text(encoding="utf-8"))
    except OSError as problem:
        raise ValueError(f"no pipeline in {folder()}: is this an unpacked bundle?") from problem
    return dict(found)


def folder() -> Path:
    """Return the folder of the bundle that holds the pipeline."""
    return Path(__file__).resolve().parent / FOLDER


def uploaded(kubeflow: Kubeflow, about: Dict[str, Any]) -> Dict[str, str]:
    """Return the ids of pipeline and version, both there from now on."""
    pipeline = found_pipeline(kubeflow, about)
    if pipeline is None:
        body = {"display_name": about["pipeline"]}
        if kubeflow.namespace:
            body["namespace"] = kubeflow.namespace
        pipeline = kubeflow.post(path_of("pipelines"), body)
    identity = identity_of(pipeline, "pipeline_id")
    there = named(kubeflow.all(path_of("pipelines", identity, "versions"), "pipeline_versions"), about["version"])
    if there:
        say(f"uploaded already: {about['version']}")
    else:
        content = (folder() / "pipeline.yaml").read_bytes()
        asked = {"name": about["version"], "pipelineid": identity}
        there = [kubeflow.upload(path_of("pipelines", "upload_version"), "pipeline.yaml", content, **asked)]
        say(f"uploaded: {about['version']}")
    return {"pipeline_id": identity, "pipeline_version_id": identity_of(there[0], "pipeline_version_id")}


def found_pipeline(kubeflow: Kubeflow, about: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the pipeline, or None when it was not uploaded yet."""
    return kubeflow.find(path_of("pipelines", "names", about["pipeline"]), namespace=kubeflow.namespace)


def asked_for(kubeflow: Kubeflow, about: Dict[str, Any], experiment: str) -> Dict[str, Any]:
    """Return what a run and a recurring run have in common."""
    reference = uploaded(kubeflow, about)
    experiments = kubeflow.all(path_of("experiments"), "experiments", namespace=kubeflow.namespace)
    found = named(experiments, experiment)
    if not found:
        body = {"display_name": experiment}
        if kubeflow.namespace:
            body["namespace"] = kubeflow.namespace
        found = [kubeflow.post(path_of("experiments"), body)]
    return {
        "experiment_id": identity_of(found[0], "experiment_id"),
        "pipeline_version_reference": reference,
        "service_account": about["serviceAccount"],
    }


def create_run(kubeflow: Kubeflow, body: Dict[str, Any]) -> Dict[str, Any]:
    """Create a run once: where nobody knows whether it was created, its name tells."""
    for attempt in range(CREATIONS):
        try:
            return kubeflow.post(path_of("runs"), body)
        except KubeflowError as problem:
            if not problem.is_unsure or attempt == CREATIONS - 1:
                raise
        query = {"experiment_id": body["experiment_id"], "namespace": kubeflow.namespace}
        there = named(kubeflow.all(path_of("runs"), "runs", **query), body["display_name"])
        if there:
            return there[0]
    raise AssertionError("the last attempt returns or raises")


def runs_of(kubeflow: Kubeflow, pipeline: str, **query: str) -> List[Answer]:
    """Return the runs of the pipeline, whoever has started them; in the whole namespace, or as `query` says."""
    return of_pipeline(kubeflow.all(path_of("runs"), "runs", namespace=kubeflow.namespace, **query), pipeline)


def schedules_of(kubeflow: Kubeflow, pipeline: str) -> List[Answer]:
    """Return the recurring runs of the pipeline."""
    found = kubeflow.all(path_of("recurringruns"), "recurringRuns", namespace=kubeflow.namespace)
    return of_pipeline(found, pipeline)


def of_pipeline(found: Iterator[Answer], pipeline: str) -> List[Answer]:
    """Return what refers to the pipeline."""
    return [each for each in found if part_of(each, "pipeline_version_reference").get("pipeline_id") == pipeline]
