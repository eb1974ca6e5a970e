"""What travels between tasks of Kubeflow: typed parameters, files, and how a task ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.findings import quoted
from shared.workflows.dry_run.fields import Document
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.scopes import Outputs, Result

if TYPE_CHECKING:
    from shared.workflows.dry_run.kubeflow_components import Component, Task


def text(value: Any) -> str:
    """Return a value as it stands in arguments: a text as itself, anything else as JSON."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def given(declared: Mapping[str, Document], chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of a pipeline: chosen ones over defaults.

    Raises:
        PackageError: one is unknown, missing, or of another type.
    """
    unknown = sorted(chosen.keys() - declared.keys())
    if unknown:
        known = ", ".join(declared) or "none"
        raise PackageError(f"--parameter: expected one of {known}, found {quoted(unknown[0])}")
    typed = {name: _typed(value, str(declared[name].get("parameterType")), name) for name, value in chosen.items()}
    return _with_defaults(declared, typed, "root")


def _with_defaults(declared: Mapping[str, Document], values: Mapping[str, Any], path: str) -> dict[str, Any]:
    found = {name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each} | dict(values)
    for name, each in declared.items():
        if name not in found and not each.get("isOptional"):
            raise PackageError(f"{path}: expected the parameter {quoted(name)}, found none")
    return found


def _typed(value: str, kind: str, name: str) -> Any:
    if kind == "STRING":
        return value
    try:
        found = json.loads(value)
    except ValueError:
        raise PackageError(f"--parameter {name}: expected {kind}, found {quoted(value)}") from None
    fits = {"NUMBER_INTEGER": int, "NUMBER_DOUBLE": (int, float), "BOOLEAN": bool, "LIST": list, "STRUCT": dict}
    expected: Any = fits.get(kind, object)
    if not isinstance(found, expected) or (isinstance(found, bool) and kind != "BOOLEAN"):
        raise PackageError(f"--parameter {name}: expected {kind}, found {quoted(value)}")
    return found


def parameters(
    task: Task, component: Component, outer: Mapping[str, Any], results: Mapping[str, Result]
) -> dict[str, Any]:
    """Return the parameters of a task."""
    found: dict[str, Any] = {}
    for name, source in (task.inputs.get("parameters") or {}).items():
        path = f"{task.path}.inputs.parameters.{name}"
        if name not in component.parameters:
            raise PackageError(f"{path}: {component.name} has no such parameter")
        value = _value(source, outer, results, path)
        if value is not None:
            found[name] = value
    return _with_defaults(component.parameters, found, task.path)


def _value(source: Document, outer: Mapping[str, Any], results: Mapping[str, Result], path: str) -> Any:
    if "runtimeValue" in source:
        inner = source["runtimeValue"]
        if not isinstance(inner, Mapping) or set(inner) != {"constant"}:
            raise PackageError(f"{path}.runtimeValue: expected a constant")
        return inner["constant"]
    if "componentInputParameter" in source:
        return outer.get(str(source["componentInputParameter"]))
    if "taskFinalStatus" in source:
        task = str(source["taskFinalStatus"]["producerTask"])
        return final_status(task, results[task])
    inner = source["taskOutputParameter"]
    task, key = str(inner["producerTask"]), str(inner["outputParameterKey"])
    if key not in results[task].outputs.parameters:
        raise PackageError(f"{path}: {task} has no output {quoted(key)}")
    return results[task].outputs.parameters[key]


def artifacts(task: Task, outer: Mapping[str, Path], results: Mapping[str, Result]) -> dict[str, Path]:
    """Return the artifacts of a task."""
    found = {}
    for name, source in (task.inputs.get("artifacts") or {}).items():
        path = f"{task.path}.inputs.artifacts.{name}"
        inner = source.get("taskOutputArtifact")
        if inner is None:
            files, key = outer, str(source["componentInputArtifact"])
        else:
            files, key = results[str(inner["producerTask"])].outputs.artifacts, str(inner["outputArtifactKey"])
        if key not in files:
            raise PackageError(f"{path}: there is no artifact {quoted(key)}")
        found[name] = files[key]
    return found


def outputs(component: Component, results: Mapping[str, Result]) -> Outputs:
    """Return what a component of tasks gives: outputs of those tasks."""
    found = Outputs({}, {})
    made: dict[str, dict[str, Any]] = {"parameters": {}, "artifacts": {}}
    for name, source in (component.dag_outputs.get("parameters") or {}).items():
        inner = source.get("valueFromParameter")
        if not isinstance(inner, Mapping):
            raise PackageError(f"{component.name}.dag.outputs.parameters.{name}: expected valueFromParameter")
        result = results[str(inner["producerSubtask"])]
        made["parameters"] |= _picked(name, result.outputs.parameters, str(inner["outputParameterKey"]))
    for name, source in (component.dag_outputs.get("artifacts") or {}).items():
        selectors = source.get("artifactSelectors") or []
        if len(selectors) != 1:
            raise PackageError(f"{component.name}.dag.outputs.artifacts.{name}: expected one artifactSelector")
        result = results[str(selectors[0]["producerSubtask"])]
        made["artifacts"] |= _picked(name, result.outputs.artifacts, str(selectors[0]["outputArtifactKey"]))
    return Outputs(made["parameters"], made["artifacts"]) if component.dag_outputs else found


def _picked(name: str, values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: values[key]} if key in values else {}


def final_status(task: str, result: Result) -> str:
    """Return what an exit handler is told about a task, as Kubeflow writes it."""
    state = "SUCCEEDED" if result.status.is_good else "FAILED"
    told: dict[str, Any] = {"state": state, "pipelineTaskName": task, "pipelineJobResourceName": "dry-run"}
    return json.dumps(told | ({"error": {"code": 9, "message": result.reason}} if result.reason else {}))
