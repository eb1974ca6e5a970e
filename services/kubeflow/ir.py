"""The words of Kubeflow's intermediate representation: parameters, artifacts, tasks, placeholders. Plain data, no SDK."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shared.workflows.policy import ParameterValue, Retries

SCHEMA_VERSION = "2.1.0"
SDK_VERSION = "kfp-2.17.0"  # what the backend takes for the compiler whose output this looks like
RUN_ID = "{{$.pipeline_job_uuid}}"
"""Kubeflow replaces it only where it is the whole value of a task's input."""

Data = dict[str, Any]
_ARTIFACT: Mapping[str, str] = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
_ANYWAY = "ALL_UPSTREAM_TASKS_COMPLETED"


def input_parameter(name: str) -> str:
    """Return what stands for a parameter in a command or an argument."""
    return f"{{{{$.inputs.parameters['{name}']}}}}"


def input_path(name: str) -> str:
    """Return what stands for the file of an artifact that comes in."""
    return f"{{{{$.inputs.artifacts['{name}'].path}}}}"


def output_path(name: str) -> str:
    """Return what stands for the file of an artifact that goes out."""
    return f"{{{{$.outputs.artifacts['{name}'].path}}}}"


def parameter(value: ParameterValue) -> Data:
    """Return the declaration of a parameter, whose type and default are those of the value."""
    return {"parameterType": parameter_type(value), "defaultValue": value, "isOptional": True}


def parameter_type(value: ParameterValue) -> str:
    """Return the type of a value."""
    if isinstance(value, bool):
        return "BOOLEAN"
    if isinstance(value, int):
        return "NUMBER_INTEGER"
    return "NUMBER_DOUBLE" if isinstance(value, float) else "STRING"


def artifact() -> Data:
    """Return the declaration of an artifact."""
    return {"artifactType": dict(_ARTIFACT)}


def ends(*, parameters: Mapping[str, Data] | None = None, artifacts: Iterable[str] = ()) -> Data:
    """Return the inputs or the outputs of a component."""
    named = {name: artifact() for name in artifacts}
    return ({"parameters": dict(parameters)} if parameters else {}) | ({"artifacts": named} if named else {})


def component(inputs: Data, outputs: Data | None = None, **body: Any) -> Data:
    """Return a component; `body` is its executor's label, or its tasks."""
    made = dict(body)
    made |= {"inputDefinitions": inputs} if inputs else {}
    return made | ({"outputDefinitions": outputs} if outputs else {})


def task(
    name: str,
    *,
    after: Iterable[str] = (),
    parameters: Mapping[str, Data] | None = None,
    artifacts: Mapping[str, Data] | None = None,
    retries: Retries | None = None,
    is_exit: bool = False,
) -> Data:
    """Return a task of the component of the same name. `is_exit`: it runs however those before it have ended."""
    made: Data = {"taskInfo": {"name": name}, "componentRef": {"name": component_name(name)}}
    # Empty options switch the cache off; without any, what has run once would count as done the next time. It is never on:
    # Kubeflow knows neither the node beside a task, nor by their content the messages that come in.
    made["cachingOptions"] = {}
    waited = sorted(set(after))
    made |= {"dependentTasks": waited} if waited else {}
    given = ({"parameters": dict(parameters)} if parameters else {}) | (
        {"artifacts": dict(artifacts)} if artifacts else {}
    )
    made |= {"inputs": given} if given else {}
    made |= {"retryPolicy": _retry(retries)} if retries and retries.limit else {}
    return made | ({"triggerPolicy": {"strategy": _ANYWAY}} if is_exit else {})


def of_pipeline(names: Iterable[str]) -> dict[str, Data]:
    """Return the inputs of a task that it takes from the component around it."""
    return {name: {"componentInputParameter": name} for name in names}


def constant(value: str) -> Data:
    """Return an input that is always the same, or the name of a ConfigMap, a Secret or a claim."""
    return {"runtimeValue": {"constant": value}}


def from_task(task_name: str, artifact_name: str) -> Data:
    """Return an input that is the artifact of another task."""
    return {"taskOutputArtifact": {"producerTask": task_name, "outputArtifactKey": artifact_name}}


def component_name(task_name: str) -> str:
    """Return the name of a task's component, as the compiler gives it."""
    return f"comp-{task_name}"


def executor_label(task_name: str) -> str:
    """Return the label of a task's executor, as the compiler gives it."""
    return f"exec-{task_name}"


def ordered(document: Data) -> Data:
    """Return the document with the keys of all objects in alphabetical order, as the compiler writes them."""
    made: Data = msgspec.to_builtins(document, order="sorted")
    return made


def _retry(retries: Retries) -> Data:
    return {
        "maxRetryCount": retries.limit,
        "backoffDuration": f"{retries.backoff}s",
        "backoffFactor": float(retries.factor),
        "backoffMaxDuration": f"{retries.max_backoff}s",
    }
