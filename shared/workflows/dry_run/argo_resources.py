"""Templates of Argo that make an object: a Service that belongs to the workflow, and leads to its pods by their labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run import fields, reading, templating
from shared.workflows.dry_run.argo_templates import Template
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.outcome import PackageError, Status
from shared.workflows.dry_run.places import Addresses
from shared.workflows.dry_run.scopes import Outputs, Result
from shared.workflows.dry_run.templating import Look
from shared.yaml_text import YamlTextError

_KNOWN = ("action", "manifest", "setOwnerReference")
_NAME = "{.metadata.name}"
_WORKFLOW_LABEL = "workflows.argoproj.io/workflow"
"""Argo sets it on every pod; all pods here are of one workflow."""


def check(reader: Reader, template: Template) -> None:
    """Refuse everything but a Service whose name is asked for.

    Raises:
        PackageError: the object, or what is asked about it, is not carried out here.
    """
    path = f"{template.path}.resource"
    resource = reader.check(template.document["resource"], path, known=_KNOWN)
    if resource.get("action") != "create":
        raise PackageError(f"{path}.action: a dry run carries out create, found {quoted(resource.get('action'))}")
    found = _manifest(resource, path)
    if found.get("apiVersion") != "v1" or found.get("kind") != "Service":
        raise PackageError(f"{path}.manifest: a dry run makes Services only, found {quoted(found.get('kind'))}")
    spec = reader.check(
        found.get("spec"),
        f"{path}.manifest.spec",
        known=("clusterIP", "selector", "ports"),
        harmless=("publishNotReadyAddresses",),
    )
    if spec.get("clusterIP") != "None" or not isinstance(spec.get("selector"), Mapping):
        raise PackageError(f"{path}.manifest.spec: expected a Service without an address of its own, and a selector")
    for name, each in _outputs(template).items():
        if each["valueFrom"].get("jsonPath") != _NAME:
            raise PackageError(f"{template.path}.outputs.parameters[{name}].valueFrom.jsonPath: expected {_NAME}")


def create(template: Template, look: Look, addresses: Addresses) -> Result:
    """Make the Service: from now on its name leads to the pod that it selects."""
    path = f"{template.path}.resource"
    document = _manifest(templating.filled(dict(template.document["resource"]), look, path), path)
    metadata = document.get("metadata") or {}
    selector = {str(key): str(value) for key, value in document["spec"]["selector"].items() if key != _WORKFLOW_LABEL}
    name = addresses.new_service(str(metadata.get("generateName") or f"{metadata.get('name', 'service')}-"), selector)
    return Result(Status.SUCCEEDED, outputs=Outputs(dict.fromkeys(_outputs(template), name)))


def _manifest(resource: Document, path: str) -> dict[str, Any]:
    try:
        found = reading.yaml_reader().values(fields.text(resource, "manifest", path).encode(errors="replace"))
    except YamlTextError as problem:
        raise PackageError(f"{path}.manifest: {problem}") from problem
    match found:
        case [dict(manifest)]:
            return manifest
        case _:
            raise PackageError(f"{path}.manifest: expected one object")


def _outputs(template: Template) -> dict[str, Document]:
    return fields.by_name(template.document.get("outputs") or {}, "parameters", template.path)
