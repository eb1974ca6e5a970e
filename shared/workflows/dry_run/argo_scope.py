"""What the tasks of a graph see of each other, and what a graph gives of what they gave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from shared.findings import quoted
from shared.workflows.dry_run import fields, templating
from shared.workflows.dry_run.argo_templates import Template
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.scopes import Outputs, Result
from shared.workflows.dry_run.templating import Look

_GIVEN = re.compile(r"\{\{\s*(?P<scope>tasks|steps)\.(?P<task>[\w-]+)\.outputs\.artifacts\.(?P<name>[\w-]+)\s*\}\}")
_HANDED = re.compile(r"\{\{\s*inputs\.artifacts\.(?P<name>[\w-]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a task sees, and what its daemons belong to."""

    look: Look
    results: Mapping[str, Result]
    daemons: AsyncExitStack
    prefix: str = "tasks"
    handed: Mapping[str, Path] = field(default_factory=dict)
    """The artifacts that the graph itself was given."""


class MissingError(Exception):
    """What a task, or a graph, is to give on is not there."""


def names_of(prefix: str, results: Mapping[str, Result]) -> dict[str, str]:
    """Return what tags may ask about tasks that have ended."""
    names = {}
    for task, result in results.items():
        names[f"{prefix}.{task}.status"] = result.status.value
        if result.address:
            names[f"{prefix}.{task}.ip"] = result.address
        for name, value in result.outputs.parameters.items():
            names[f"{prefix}.{task}.outputs.parameters.{name}"] = value
    return names


def artifact(source: str, scope: Scope, path: str) -> Path:
    """Return the file that `from` of an argument, or of an output, stands for.

    Raises:
        PackageError: it is no reference to an artifact.
        MissingError: nobody gave it.
    """
    handed, given = _HANDED.fullmatch(source), _GIVEN.fullmatch(source)
    if handed and handed["name"] in scope.handed:
        return scope.handed[handed["name"]]
    if given is None or given["scope"] != scope.prefix:
        expected = f"{{{{{scope.prefix}.TASK.outputs.artifacts.NAME}}}}, or an input"
        raise PackageError(f"{path}.from: expected {expected}, found {quoted(source)}")
    task, name = given["task"], given["name"]
    if task not in scope.results or name not in scope.results[task].outputs.artifacts:
        raise MissingError(f"there is no artifact {name} of {task}")
    return scope.results[task].outputs.artifacts[name]


def outputs(template: Template, scope: Scope) -> Outputs:
    """Return what a graph gives.

    Raises:
        PackageError: something that it refers to does not exist.
        MissingError: a task did not give it.
    """
    path = f"{template.path}.outputs"
    declared = template.document.get("outputs") or {}
    parameters = {}
    for name, each in fields.by_name(declared, "parameters", path).items():
        source = fields.mapping(each, "valueFrom", f"{path}.parameters[{name}]")
        parameters[name] = templating.filled(fields.text(source, "parameter", path), scope.look, path)
    artifacts = {
        name: artifact(str(each.get("from", "")), scope, f"{path}.artifacts[{name}]")
        for name, each in fields.by_name(declared, "artifacts", path).items()
    }
    return Outputs(parameters, artifacts)
