"""An Argo Workflow, read and checked as a whole before anything starts: every field is carried out, harmless, or refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run import depends, durations, fields
from shared.workflows.dry_run.depends import Depends
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.outcome import PackageError

_SPEC = ("entrypoint", "onExit", "arguments", "volumes", "templates", "activeDeadlineSeconds", "workflowTemplateRef")
_SPEC_HARMLESS = (
    *("serviceAccountName", "automountServiceAccountToken", "executor", "ttlStrategy", "podGC", "podMetadata"),
    *(
        "workflowMetadata",
        "securityContext",
        "imagePullSecrets",
        "artifactRepositoryRef",
        "nodeSelector",
        "tolerations",
    ),
    *("affinity", "priority", "podPriorityClassName", "schedulerName", "archiveLogs", "artifactGC", "volumeClaimGC"),
)
_KINDS = ("container", "dag", "steps", "suspend", "resource")
_GROUPS = frozenset({"dag", "steps"})
_VALUES_FROM = {"container": ("path", "default"), "resource": ("jsonPath",)}
_TEMPLATE = (
    "name",
    "inputs",
    "outputs",
    "daemon",
    "sidecars",
    "retryStrategy",
    "activeDeadlineSeconds",
    "volumes",
    *_KINDS,
)
_TEMPLATE_HARMLESS = (
    *("metadata", "memoize", "serviceAccountName", "automountServiceAccountToken", "nodeSelector", "tolerations"),
    *("affinity", "securityContext", "priorityClassName", "schedulerName", "archiveLocation", "executor"),
)
_TASK = ("name", "template", "depends", "dependencies", "arguments")
_PARAMETER = ("name", "value", "default")
_POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a task is tried again, and how long before."""

    limit: int = 0
    policy: str = "OnFailure"
    first_seconds: float = 0.0
    factor: float = 1.0
    cap_seconds: float | None = None
    """Of one wait."""
    all_seconds: float | None = None
    """Of all tries together."""

    def wait(self, tries: int) -> float:
        """Return the seconds to wait after so many tries."""
        try:
            seconds = self.first_seconds * self.factor ** (tries - 1)
        except OverflowError:
            seconds = math.inf
        return seconds if self.cap_seconds is None else min(seconds, self.cap_seconds)


@dataclass(frozen=True, slots=True)
class Task:
    """One task of a DAG, or one step."""

    name: str
    template: str
    depends: Depends
    arguments: Document
    path: str


@dataclass(frozen=True, slots=True)
class Template:
    """One template."""

    name: str
    path: str
    kind: str
    document: Document
    tasks: tuple[Task, ...] = ()
    """Of a DAG or of steps."""
    fails_fast: bool = True
    is_daemon: bool = False
    retry: Retry = Retry()

    @property
    def prefix(self) -> str:
        """How its tasks are called in tags."""
        return "steps" if self.kind == "steps" else "tasks"


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that may run."""

    name: str
    entrypoint: str
    on_exit: str | None
    parameters: Mapping[str, str]
    volumes: list[Document]
    templates: Mapping[str, Template]
    deadline_seconds: float | None


def read(reader: Reader, document: Document) -> Workflow:
    """Read a Workflow, with the fields of its template already in it.

    Raises:
        PackageError: it asks for what is not carried out here, or for what is not there.
    """
    spec = reader.check(document.get("spec"), "spec", known=_SPEC, harmless=_SPEC_HARMLESS)
    templates = {
        name: _template(reader, each, f"templates[{name}]")
        for name, each in fields.by_name(spec, "templates", "spec").items()
    }
    arguments = reader.check(spec.get("arguments") or {}, "spec.arguments", known=("parameters",))
    deadline = spec.get("activeDeadlineSeconds")
    about = fields.mapping(document, "metadata", "workflow")
    found = Workflow(
        name=str(about.get("name") or f"{about.get('generateName', 'workflow-')}dry-run"),
        entrypoint=fields.text(spec, "entrypoint", "spec"),
        on_exit=str(spec["onExit"]) if "onExit" in spec else None,
        parameters=_parameters(reader, arguments, "spec.arguments"),
        volumes=fields.items(spec, "volumes", "spec"),
        templates=templates,
        deadline_seconds=None if deadline is None else durations.seconds(deadline, "spec.activeDeadlineSeconds"),
    )
    _check_references(found)
    return found


def _parameters(reader: Reader, arguments: Document, path: str) -> dict[str, str]:
    found = {}
    for name, each in fields.by_name(arguments, "parameters", path).items():
        reader.check(each, f"{path}.parameters[{name}]", known=_PARAMETER, harmless=("description", "enum"))
        value = each.get("value", each.get("default"))
        if not isinstance(value, str):
            raise PackageError(f"{path}.parameters[{name}].value: expected a text, found {quoted(value)}")
        found[name] = value
    return found


def _template(reader: Reader, document: Document, path: str) -> Template:
    reader.check(document, path, known=_TEMPLATE, harmless=_TEMPLATE_HARMLESS)
    kinds = [kind for kind in _KINDS if kind in document]
    if len(kinds) != 1:
        raise PackageError(f"{path}: expected one of {', '.join(_KINDS)}, found {', '.join(kinds) or 'none'}")
    kind = kinds[0]
    is_daemon = document.get("daemon") is True
    if is_daemon and kind != "container":
        raise PackageError(f"{path}.daemon: only a container can be one")
    _check_ends(reader, document, path, kind)
    return Template(
        name=str(document["name"]),
        path=path,
        kind=kind,
        document=document,
        tasks=_tasks(reader, document, path, kind),
        fails_fast=kind != "dag" or document["dag"].get("failFast") is not False,
        is_daemon=is_daemon,
        retry=_retry(reader, document.get("retryStrategy"), f"{path}.retryStrategy"),
    )


def _check_ends(reader: Reader, document: Document, path: str, kind: str) -> None:
    inputs = reader.check(document.get("inputs") or {}, f"{path}.inputs", known=("parameters", "artifacts"))
    for name, each in fields.by_name(inputs, "parameters", f"{path}.inputs").items():
        reader.check(each, f"{path}.inputs.parameters[{name}]", known=_PARAMETER, harmless=("description",))
    for name, each in fields.by_name(inputs, "artifacts", f"{path}.inputs").items():
        reader.check(each, f"{path}.inputs.artifacts[{name}]", known=("name", "path"), harmless=("mode",))
    outputs = reader.check(document.get("outputs") or {}, f"{path}.outputs", known=("parameters", "artifacts"))
    if outputs and kind == "suspend":
        raise PackageError(f"{path}.outputs: a dry run does not carry this out for suspend")
    for name, each in fields.by_name(outputs, "artifacts", f"{path}.outputs").items():
        where = f"{path}.outputs.artifacts[{name}]"
        reader.check(each, where, known=("name", "from") if kind in _GROUPS else ("name", "path", "archive"))
        if each.get("archive", {"none": {}}) != {"none": {}}:
            raise PackageError(f"{where}.archive: only none is carried out here")
    for name, each in fields.by_name(outputs, "parameters", f"{path}.outputs").items():
        where = f"{path}.outputs.parameters[{name}]"
        source = reader.check(each, where, known=("name", "valueFrom")).get("valueFrom")
        reader.check(source, f"{where}.valueFrom", known=_VALUES_FROM.get(kind, ("parameter",)))


def _tasks(reader: Reader, document: Document, path: str, kind: str) -> tuple[Task, ...]:
    if kind == "dag":
        dag = reader.check(document["dag"], f"{path}.dag", known=("tasks", "failFast"))
        return tuple(
            _task(reader, each, f"{path}.dag.tasks[{name}]")
            for name, each in fields.by_name(dag, "tasks", path).items()
        )
    if kind == "suspend":
        reader.check(document["suspend"] or {}, f"{path}.suspend", known=("duration",))
    return _steps(reader, document["steps"], f"{path}.steps") if kind == "steps" else ()


def _steps(reader: Reader, groups: Any, path: str) -> tuple[Task, ...]:
    """Return steps as tasks: each waits for all of the group before."""
    found: list[Task] = []
    before = ""
    for index, group in enumerate(groups if isinstance(groups, list) else [None]):
        entries = fields.by_name({"group": group}, "group", f"{path}[{index}]")
        made = [
            _task(reader, {**each, "depends": before}, f"{path}[{index}][{name}]") for name, each in entries.items()
        ]
        found += made
        before = " && ".join(task.name for task in made)
    return tuple(found)


def _task(reader: Reader, document: Document, path: str) -> Task:
    reader.check(document, path, known=_TASK)
    expression = document.get("depends", "")
    dependencies = fields.texts(document, "dependencies", path)
    if expression and dependencies:
        raise PackageError(f"{path}: expected depends or dependencies, found both")
    arguments = reader.check(document.get("arguments") or {}, f"{path}.arguments", known=("parameters", "artifacts"))
    for name, each in fields.by_name(arguments, "artifacts", f"{path}.arguments").items():
        reader.check(each, f"{path}.arguments.artifacts[{name}]", known=("name", "from"))
    _parameters(reader, arguments, f"{path}.arguments")
    parsed = depends.parse(str(expression) or " && ".join(dependencies), f"{path}.depends")
    return Task(fields.text(document, "name", path), fields.text(document, "template", path), parsed, arguments, path)


def _retry(reader: Reader, document: Any, path: str) -> Retry:
    if document is None:
        return Retry()
    reader.check(document, path, known=("limit", "retryPolicy", "backoff"))
    backoff = reader.check(
        document.get("backoff") or {}, f"{path}.backoff", known=("duration", "factor", "cap", "maxDuration")
    )
    policy = document.get("retryPolicy", "OnFailure")
    if policy not in _POLICIES:
        raise PackageError(f"{path}.retryPolicy: expected one of {', '.join(_POLICIES)}, found {quoted(policy)}")
    times = {key: durations.seconds(backoff[key], f"{path}.backoff.{key}") for key in backoff}
    return Retry(
        limit=int(durations.seconds(document.get("limit", "0"), f"{path}.limit")),
        policy=policy,
        first_seconds=times.get("duration", 0.0),
        factor=times.get("factor", 1.0),
        cap_seconds=times.get("cap"),
        all_seconds=times.get("maxDuration"),
    )


def _check_references(workflow: Workflow) -> None:
    starts = [("spec.entrypoint", workflow.entrypoint), ("spec.onExit", workflow.on_exit)]
    tasks = [task for template in workflow.templates.values() for task in template.tasks]
    for path, name in [*starts, *((f"{task.path}.template", task.template) for task in tasks)]:
        if name is not None and name not in workflow.templates:
            raise PackageError(f"{path}: expected the name of a template, found {quoted(name)}")
    for template in workflow.templates.values():
        names = {task.name for task in template.tasks}
        for task in template.tasks:
            unknown = sorted(task.depends.tasks - names)
            if unknown:
                raise PackageError(f"{task.path}.depends: expected tasks of the same scope, found {quoted(unknown[0])}")
