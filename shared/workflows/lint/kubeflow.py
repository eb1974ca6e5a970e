"""The lint of a Kubeflow package: pipeline, platform and objects together, as parsed documents by path. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.findings import Finding, Findings, error, quoted
from shared.workflows.lint import kubeflow_dag, kubeflow_pods
from shared.workflows.lint.kubeflow_dag import Document
from shared.workflows.lint.kubeflow_releases import Release

MAX_BYTES = 1 << 20
"""What etcd takes by default is 1.5 MiB, and ConfigMaps end at 1 MiB."""
_NAME = re.compile(r"(?=.{1,128}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SCHEMA = re.compile(r"2\.[0-9]+\.[0-9]+")
_ANY = "*"


def check(pipeline: Document, platform: Document, objects: Mapping[str, Document], *, release: Release) -> Findings:
    """Return what is wrong; every finding is an error: Kubeflow would refuse it, hang, or run what nobody meant.

    Args:
        pipeline: the PipelineSpec.
        platform: the platform document.
        objects: everything else of the package, by path.
        release: that of the Kubeflow Pipelines which the package is for.
    """
    return Findings(tuple(_package(pipeline, platform, objects, release)))


def _package(
    pipeline: Document, platform: Document, objects: Mapping[str, Document], release: Release
) -> Iterator[Finding]:
    name = pipeline.get("pipelineInfo", {}).get("name")
    if not _NAME.fullmatch(str(name or "")):
        yield error("name-invalid", "pipelineInfo.name", expected="lower-case letters, digits, '-'", found=quoted(name))
    version = pipeline.get("schemaVersion")
    if not isinstance(version, str) or not _SCHEMA.fullmatch(version):
        yield error("schema-version", "schemaVersion", expected='a text such as "2.1.0"', found=quoted(version))
    executors = pipeline.get("deploymentSpec", {}).get("executors", {})
    yield from kubeflow_dag.check(pipeline, executors)
    yield from kubeflow_pods.check(pipeline, platform, executors, _names(objects), release)
    for path, each in objects.items():
        yield from _object(path, each)
    yield from _versions(pipeline, platform, objects)


def _names(objects: Mapping[str, Document]) -> set[tuple[str, str]]:
    return {(str(each.get("kind")), str(each.get("metadata", {}).get("name"))) for each in objects.values()}


def _object(path: str, each: Document) -> Iterator[Finding]:
    size = len(msgspec.json.encode(each))
    if size > MAX_BYTES:
        yield error("too-large", path, expected=f"at most {MAX_BYTES} bytes", found=str(size))
    if each.get("kind") == "Role":
        for number, rule in enumerate(each.get("rules", ())):
            for key in ("apiGroups", "resources", "verbs"):
                if _ANY in rule.get(key, ()):
                    place = f"{path}: rules[{number}].{key}"
                    yield error("role-too-wide", place, expected="what is needed", found="all")
    if each.get("kind") == "RoleBinding" and not each.get("subjects"):
        yield error("subject-missing", path, expected="the account of Kubeflow's pods", found="none")


def _versions(pipeline: Document, platform: Document, objects: Mapping[str, Document]) -> Iterator[Finding]:
    """Check that the custom resources say the same as the documents."""
    names = _names(objects)
    for path, each in objects.items():
        if each.get("kind") != "PipelineVersion":
            continue
        spec: Mapping[str, Any] = each.get("spec", {})
        if ("Pipeline", str(spec.get("pipelineName"))) not in names:
            found = quoted(spec.get("pipelineName"))
            yield error(
                "object-missing", f"{path}: spec.pipelineName", expected="a Pipeline of the bundle", found=found
            )
        if spec.get("pipelineSpec") != pipeline or spec.get("platformSpec") != platform:
            yield error("version-differs", path, expected="both documents of the package", found="others")
