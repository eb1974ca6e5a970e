"""The pipeline as documents: the specification, what Kubernetes adds to it, and both as custom resources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.kubeflow import deployed, ir, tasks
from services.kubeflow.graph import Graph
from services.kubeflow.ir import Data
from shared import yamldump
from shared.workflows import objects
from shared.workflows.lint import kubeflow_releases as releases
from shared.workflows.lint.kubeflow_releases import Release
from shared.workflows.modes import Mode
from shared.workflows.plan import WorkflowPlan

API = "pipelines.kubeflow.org/v2beta1"
_DIGEST_DIGITS = 8
_PIPELINE, _VERSION = "pipeline.yaml", "pipeline-version.yaml"
_DOCUMENTS = ("pipelineSpec", "platformSpec")


@dataclass(frozen=True)
class Package:
    """Both documents of a pipeline, their keys in alphabetical order."""

    pipeline: Data
    platform: Data
    needed: Release
    """The oldest release of Kubeflow that takes them."""

    @cached_property
    def written(self) -> tuple[bytes, bytes]:
        """Both documents as YAML."""
        return yamldump.dump(self.pipeline), yamldump.dump(self.platform)

    @property
    def content(self) -> bytes:
        """The file that is uploaded."""
        return b"---\n".join(self.written)

    @cached_property
    def digest(self) -> str:
        """What tells versions of a pipeline apart."""
        content = json.dumps([self.pipeline, self.platform]).encode()
        return hashlib.sha256(content).hexdigest()[:_DIGEST_DIGITS]


def make(plan: WorkflowPlan, release: Release) -> Package:
    """Return the package for this release of Kubeflow, its keys in the order of the compiler."""
    built = _build(plan)
    root = ir.component(
        ir.ends(parameters={name: ir.parameter(value) for name, value in plan.parameters.items()}),
        dag={"tasks": built.tasks},
    )
    containers = {label: {"container": executor.container} for label, executor in built.executors.items()}
    pipeline = {
        "components": built.components,
        "deploymentSpec": {"executors": containers},
        "pipelineInfo": {"name": plan.identity.instance},
        "root": root,
        "schemaVersion": ir.SCHEMA_VERSION,
        "sdkVersion": ir.SDK_VERSION,
    }
    # What a release does not take is told by `limits.findings`, or its mode refused.
    pods = {label: releases.taken(executor.platform, release) for label, executor in built.executors.items()}
    platform = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": pods}}}}
    return Package(ir.ordered(pipeline), ir.ordered(platform), releases.needed(pods.values()))


def resources(plan: WorkflowPlan, package: Package) -> dict[str, Mapping[str, Any]]:
    """Return the pipeline as custom resources, by file name. A version never changes: another content is another one."""
    name = plan.identity.instance
    version = version_name(plan, package)
    return {
        _PIPELINE: {
            "apiVersion": API,
            "kind": "Pipeline",
            "metadata": objects.metadata(plan, name),
            "spec": {"displayName": name},
        },
        _VERSION: {
            "apiVersion": API,
            "kind": "PipelineVersion",
            "metadata": objects.metadata(plan, version),
            "spec": {
                "displayName": version,
                "pipelineName": name,
                "pipelineSpec": package.pipeline,
                "platformSpec": package.platform,
            },
        },
    }


def files(manifests: Mapping[str, Mapping[str, Any]], package: Package) -> dict[str, bytes]:
    """Return the custom resources as YAML. Both documents end the version, as they are in the file that is uploaded."""
    version = manifests[_VERSION]
    spec = {key: value for key, value in version["spec"].items() if key not in _DOCUMENTS}
    documents = [yamldump.entry(key, text, 1) for key, text in zip(_DOCUMENTS, package.written, strict=True)]
    return {
        _PIPELINE: yamldump.dump(manifests[_PIPELINE]),
        _VERSION: b"".join([yamldump.dump({**version, "spec": spec}), *documents]),
    }


def version_name(plan: WorkflowPlan, package: Package) -> str:
    """Return the name of the version."""
    return f"{plan.identity.instance}-{package.digest}"


def _build(plan: WorkflowPlan) -> Graph:
    match plan.mode:
        case Mode.SERVICES | Mode.PERSISTENT:
            return deployed.build(plan)
        case Mode.STEPS:
            return tasks.steps(plan)
        case Mode.JOBS:
            return tasks.jobs(plan)
