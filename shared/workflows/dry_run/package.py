"""The documents of a bundle: which one is to be run, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.findings import quoted
from shared.workflows.dry_run import volumes
from shared.workflows.dry_run.containers import ConfigMaps
from shared.workflows.dry_run.fields import Document
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.reading import yaml_reader
from shared.yaml_text import YamlTextError

_ARGO = "argoproj.io/v1alpha1"
_TOLD = {"CronWorkflow": "a schedule starts nothing here; its template is what runs"}


@dataclass(frozen=True, slots=True)
class Package:
    """What a bundle holds for a dry run: a Workflow, or a pipeline of Kubeflow."""

    workflow: Document | None
    pipeline: Document | None
    platform: Document | None
    config_maps: ConfigMaps
    notes: tuple[str, ...]


def read(files: Mapping[str, bytes]) -> Package:
    """Find what is to be run among the files of a bundle.

    Raises:
        PackageError: there is nothing, or a choice.
    """
    documents = list(_documents(files))
    config_maps = {name: volumes.config_map(each) for name, each in volumes.named(documents, "ConfigMap").items()}
    notes = tuple(f"{each['kind']}: {_TOLD[each['kind']]}" for each in documents if each.get("kind") in _TOLD)
    workflow = _workflow(documents)
    pipelines = [each for each in documents if "pipelineInfo" in each and "root" in each]
    platforms = [each for each in documents if "platforms" in each and "kind" not in each]
    if (workflow is not None) + len(pipelines) != 1:
        raise PackageError(
            "expected one Argo Workflow or one pipeline of Kubeflow in the bundle, found "
            f"{int(workflow is not None)} and {len(pipelines)}"
        )
    platform = platforms[0] if pipelines and platforms else None
    return Package(workflow, pipelines[0] if pipelines else None, platform, config_maps, notes)


def _documents(files: Mapping[str, bytes]) -> Iterator[Document]:
    reader = yaml_reader()
    for name, content in sorted(files.items()):
        if name.endswith((".yaml", ".yml")):
            try:
                found = reader.values(content)
            except YamlTextError as problem:
                raise PackageError(f"{name}: {problem}") from problem
            yield from (document for document in found if isinstance(document, dict))


def _workflow(documents: list[Document]) -> Document | None:
    """Return the Workflow; without one the template, which says the same."""
    own = [each for each in documents if each.get("apiVersion") == _ARGO]
    templates = volumes.named(own, "WorkflowTemplate")
    workflows = [each for each in own if each.get("kind") == "Workflow"]
    if len(workflows) > 1 or (not workflows and len(templates) > 1):
        raise PackageError(f"expected one Workflow in the bundle, found {len(workflows) or len(templates)}")
    if not workflows:
        return next(iter(templates.values()), None)
    return _with_template(workflows[0], templates)


def _with_template(workflow: Document, templates: Mapping[str, Document]) -> Document:
    given = workflow.get("spec") or {}
    if not isinstance(given, Mapping):
        raise PackageError(f"spec: expected a mapping, found {quoted(given)}")
    spec = dict(given)
    reference = spec.pop("workflowTemplateRef", None)
    if reference is None:
        return workflow
    name = str(reference.get("name")) if isinstance(reference, dict) else ""
    if name not in templates or len(reference) != 1:
        raise PackageError(f"spec.workflowTemplateRef: expected a WorkflowTemplate of the bundle, found {quoted(name)}")
    return {**workflow, "spec": {**templates[name]["spec"], **spec}}
