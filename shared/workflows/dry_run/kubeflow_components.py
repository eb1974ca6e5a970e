"""A PipelineSpec of Kubeflow, read and checked as a whole: components, their tasks, and what those wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run import durations, fields
from shared.workflows.dry_run.argo_templates import Retry
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.outcome import PackageError

_TASK = ("taskInfo", "componentRef", "dependentTasks", "inputs", "triggerPolicy", "retryPolicy")
_RETRY = ("maxRetryCount", "backoffDuration", "backoffFactor", "backoffMaxDuration")
_SUCCEEDED, _COMPLETED = "ALL_UPSTREAM_TASKS_SUCCEEDED", "ALL_UPSTREAM_TASKS_COMPLETED"
_PARAMETER = ("parameterType", "defaultValue", "isOptional")
_SOURCES = ("taskOutputParameter", "componentInputParameter", "runtimeValue", "taskFinalStatus")
_FILES = ("taskOutputArtifact", "componentInputArtifact")


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a component."""

    name: str
    path: str
    component: str
    after: frozenset[str]
    runs_anyway: bool
    """Also when those before it failed."""
    inputs: Document
    retry: Retry


@dataclass(frozen=True, slots=True)
class Component:
    """A component: tasks, or an executor."""

    name: str
    executor: str | None
    tasks: Mapping[str, Task]
    parameters: Mapping[str, Document]
    output_parameters: Mapping[str, Document]
    output_artifacts: Mapping[str, Document]
    dag_outputs: Document


class Pipeline:
    """The whole."""

    def __init__(self, reader: Reader, document: Document) -> None:
        known = ("pipelineInfo", "root", "components", "deploymentSpec", "schemaVersion", "sdkVersion")
        reader.check(document, "pipeline", known=known, harmless=("defaultPipelineRoot",))
        if not str(document.get("schemaVersion", "2.")).startswith("2."):
            raise PackageError(f"schemaVersion: expected 2.x, found {quoted(document['schemaVersion'])}")
        about = reader.check(
            document.get("pipelineInfo"), "pipelineInfo", known=("name",), harmless=("displayName", "description")
        )
        self.name = fields.text(about, "name", "pipelineInfo")
        self.root = _component(reader, "root", document.get("root"))
        components = fields.named(document, "components", "pipeline")
        self.components = {name: _component(reader, name, each) for name, each in components.items()}
        for component in (self.root, *self.components.values()):
            for task in component.tasks.values():
                if task.component not in self.components:
                    raise PackageError(
                        f"{task.path}.componentRef: expected a component, found {quoted(task.component)}"
                    )


def _component(reader: Reader, name: str, document: Any) -> Component:
    known = ("executorLabel", "dag", "inputDefinitions", "outputDefinitions")
    reader.check(document, name, known=known, harmless=("platformSpecs",))
    if ("dag" in document) == ("executorLabel" in document):
        raise PackageError(f"{name}: expected a dag or an executorLabel")
    inputs = reader.check(
        document.get("inputDefinitions") or {}, f"{name}.inputDefinitions", known=("parameters", "artifacts")
    )
    outputs = reader.check(
        document.get("outputDefinitions") or {}, f"{name}.outputDefinitions", known=("parameters", "artifacts")
    )
    dag = reader.check(document.get("dag") or {}, f"{name}.dag", known=("tasks", "outputs"))
    parameters = fields.named(inputs, "parameters", f"{name}.inputDefinitions")
    for key, each in parameters.items():
        reader.check(each, f"{name}.inputDefinitions.parameters.{key}", known=_PARAMETER, harmless=("description",))
    tasks = fields.named(dag, "tasks", f"{name}.dag")
    found = Component(
        name=name,
        executor=fields.text(document, "executorLabel", name) if "executorLabel" in document else None,
        tasks={key: _task(reader, key, each, f"{name}.{key}") for key, each in tasks.items()},
        parameters=parameters,
        output_parameters=fields.named(outputs, "parameters", f"{name}.outputDefinitions"),
        output_artifacts=fields.named(outputs, "artifacts", f"{name}.outputDefinitions"),
        dag_outputs=_dag_outputs(dag, f"{name}.dag.outputs"),
    )
    for task in found.tasks.values():
        unknown = sorted(task.after - found.tasks.keys())
        if unknown:
            raise PackageError(f"{task.path}: expected tasks of the same component, found {quoted(unknown[0])}")
    return found


def _dag_outputs(dag: Document, path: str) -> Document:
    found = fields.mapping(dag, "outputs", path)
    return {key: fields.named(found, key, path) for key in ("parameters", "artifacts")} if found else {}


def _task(reader: Reader, name: str, document: Any, path: str) -> Task:
    reader.check(document, path, known=_TASK, harmless=("cachingOptions",))
    reference = reader.check(document.get("componentRef"), f"{path}.componentRef", known=("name",))
    trigger = reader.check(document.get("triggerPolicy") or {}, f"{path}.triggerPolicy", known=("strategy",))
    strategy = trigger.get("strategy", _SUCCEEDED)
    if strategy not in (_SUCCEEDED, _COMPLETED):
        raise PackageError(
            f"{path}.triggerPolicy.strategy: expected {_SUCCEEDED} or {_COMPLETED}, found {quoted(strategy)}"
        )
    inputs = reader.check(document.get("inputs") or {}, f"{path}.inputs", known=("parameters", "artifacts"))
    after = set(fields.texts(document, "dependentTasks", path))
    for kind, sources in (("parameters", _SOURCES), ("artifacts", _FILES)):
        for key, each in fields.named(inputs, kind, f"{path}.inputs").items():
            where = f"{path}.inputs.{kind}.{key}"
            reader.check(each, where, known=sources)
            after |= {
                fields.text(source, "producerTask", where)
                for source in each.values()
                if isinstance(source, Mapping) and "producerTask" in source
            }
    return Task(
        name=name,
        path=path,
        component=fields.text(reference, "name", f"{path}.componentRef"),
        after=frozenset(after),
        runs_anyway=strategy == _COMPLETED,
        inputs=inputs,
        retry=_retry(reader, document.get("retryPolicy"), f"{path}.retryPolicy"),
    )


def _retry(reader: Reader, document: Any, path: str) -> Retry:
    if document is None:
        return Retry()
    reader.check(document, path, known=_RETRY)
    cap = document.get("backoffMaxDuration")
    return Retry(
        limit=int(fields.number(document, "maxRetryCount", path, 0)),
        policy="Always",
        first_seconds=durations.seconds(document.get("backoffDuration", "0s"), path),
        factor=fields.number(document, "backoffFactor", path, 2),
        cap_seconds=None if cap is None else durations.seconds(cap, path),
    )
