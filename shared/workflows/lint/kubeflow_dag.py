"""The lint of components and tasks: what they name exists, is declared, has the right type, and comes before them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.findings import Finding, error, quoted
from shared.workflows import operations

Document = Mapping[str, Any]

_ANYWAY = "ALL_UPSTREAM_TASKS_COMPLETED"
_STATUS = "TASK_FINAL_STATUS"
_TYPES: Mapping[str, tuple[type, ...]] = {
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "LIST": (list,),
    "STRUCT": (dict,),
    _STATUS: (),
}


def check(pipeline: Document, executors: Document) -> Iterator[Finding]:
    """Yield what is wrong with the root, and with all components."""
    components: Document = pipeline.get("components", {})
    root: Document = pipeline.get("root", {})
    if "dag" not in root:
        yield error("root-body", "root", expected="tasks", found="none")
    for name, each in {"root": root, **components}.items():
        yield from _component(str(name), each, components, executors)
    used = {
        task.get("componentRef", {}).get("name")
        for each in (root, *components.values())
        for task in _tasks(each).values()
    }
    for name in components:
        if name not in used:
            yield error("component-unused", f"components.{name}", expected="a task with it", found="none")
    yield from _nesting(components)


def declared(component: Document, end: str, kind: str) -> Document:
    """Return the parameters or artifacts (`kind`) of `inputDefinitions` or `outputDefinitions` (`end`)."""
    found: Document = component.get(end, {}).get(kind, {})
    return found


def _tasks(component: Document) -> Document:
    found: Document = component.get("dag", {}).get("tasks", {})
    return found


def _component(name: str, component: Document, components: Document, executors: Document) -> Iterator[Finding]:
    if ("dag" in component) == ("executorLabel" in component):
        yield error("component-body", name, expected="tasks or an executor", found="both or neither")
    label = component.get("executorLabel")
    if label is not None and label not in executors:
        yield error("executor-missing", f"{name}.executorLabel", expected="an executor", found=quoted(label))
    for key, each in declared(component, "inputDefinitions", "parameters").items():
        yield from _parameter(each, f"{name}.inputDefinitions.parameters.{key}")
    for end in ("inputDefinitions", "outputDefinitions"):
        for key, each in declared(component, end, "artifacts").items():
            if not each.get("artifactType", {}).get("schemaTitle"):
                yield error("artifact-type", f"{name}.{end}.artifacts.{key}", expected="a schemaTitle", found="none")
    tasks = _tasks(component)
    for key, task in tasks.items():
        yield from _task(task, f"{name}.{key}", component, components)
    edges = [(before, str(key)) for key, task in tasks.items() for before in _before(task)]
    loop = operations.cycle(edges) if edges else ()
    if loop:
        yield error("tasks-in-a-loop", name, expected="tasks without a loop", found=" -> ".join(loop))


def _parameter(parameter: Document, path: str) -> Iterator[Finding]:
    kind = str(parameter.get("parameterType"))
    if kind not in _TYPES:
        yield error("type-unknown", path, expected=" or ".join(_TYPES), found=quoted(kind))
        return
    value = parameter.get("defaultValue")
    if value is None:
        return
    fits = isinstance(value, _TYPES[kind]) and (not isinstance(value, bool) or kind == "BOOLEAN")
    if not fits:
        yield error("default-type", f"{path}.defaultValue", expected=kind, found=quoted(value))
    if isinstance(value, str) and "{{" in value:
        yield error("value-live", f"{path}.defaultValue", expected="a value that is no reference", found=quoted(value))


def _before(task: Document) -> set[str]:
    """Return the tasks that one waits for, said or because it takes something from them."""
    sources = [each for kind in ("parameters", "artifacts") for each in task.get("inputs", {}).get(kind, {}).values()]
    inner = [value for source in sources for value in source.values() if isinstance(value, Mapping)]
    return {str(name) for name in task.get("dependentTasks", ())} | {
        str(value["producerTask"]) for value in inner if "producerTask" in value
    }


def _task(task: Document, path: str, outer: Document, components: Document) -> Iterator[Finding]:
    tasks = _tasks(outer)
    reference = task.get("componentRef", {}).get("name")
    component = components.get(reference)
    if component is None:
        yield error("component-missing", f"{path}.componentRef", expected="a component", found=quoted(reference))
        return
    for before in sorted(_before(task)):
        if before not in tasks:
            yield error("task-missing", path, expected="a task of the same component", found=quoted(before))
    if "executorLabel" in component and "cachingOptions" not in task:
        expected = "cachingOptions: without any, Kubeflow takes what an earlier run gave"
        yield error("caching-unsaid", path, expected=expected, found="none")
    if task.get("cachingOptions", {}).get("enableCache") and not component.get("outputDefinitions"):
        yield error("caching-without-outputs", path, expected="outputs of what is cached", found="none")
    yield from _exit(task, path)
    yield from _inputs(task, path, outer, component, components)


def _exit(task: Document, path: str) -> Iterator[Finding]:
    is_exit = task.get("triggerPolicy", {}).get("strategy") == _ANYWAY
    if is_exit and not task.get("dependentTasks"):
        yield error("exit-waits-for-nothing", path, expected="the task after which it runs", found="none")
    for key, source in task.get("inputs", {}).get("parameters", {}).items():
        status = source.get("taskFinalStatus")
        if status is not None and not (is_exit and status.get("producerTask") in task.get("dependentTasks", ())):
            expected = f"a task with {_ANYWAY} after the one that it asks about"
            yield error("status-too-early", f"{path}.inputs.parameters.{key}", expected=expected, found="another")


def _inputs(task: Document, path: str, outer: Document, component: Document, components: Document) -> Iterator[Finding]:
    for kind in ("parameters", "artifacts"):
        given: Document = task.get("inputs", {}).get(kind, {})
        wanted = declared(component, "inputDefinitions", kind)
        for key, each in wanted.items():
            if key not in given and not each.get("isOptional") and "defaultValue" not in each:
                yield error(
                    "input-missing", f"{path}.inputs.{kind}", expected=f"a value of {quoted(key)}", found="none"
                )
        for key, source in given.items():
            place = f"{path}.inputs.{kind}.{key}"
            if key not in wanted:
                yield error("input-undeclared", place, expected="an input of the component", found=quoted(key))
            elif len(source) != 1:
                yield error("input-sources", place, expected="one source", found=str(len(source)))
            else:
                yield from _source(source, wanted[key], place, outer, components)


def _source(source: Document, wanted: Document, path: str, outer: Document, components: Document) -> Iterator[Finding]:
    ((word, inner),) = source.items()
    found: Document | None
    match word:
        case "componentInputParameter" | "componentInputArtifact":
            kind = "parameters" if word.endswith("Parameter") else "artifacts"
            found = declared(outer, "inputDefinitions", kind).get(inner)
        case "taskOutputParameter" | "taskOutputArtifact":
            kind = "parameters" if word.endswith("Parameter") else "artifacts"
            producer = _tasks(outer).get(inner.get("producerTask"), {}).get("componentRef", {}).get("name")
            key = inner.get("outputParameterKey" if kind == "parameters" else "outputArtifactKey")
            found = declared(components.get(producer, {}), "outputDefinitions", kind).get(key)
        case "runtimeValue":
            yield from _constant(inner, wanted, path)
            return
        case "taskFinalStatus":
            found = {"parameterType": _STATUS}
        case _:
            found = None
    if found is None:
        yield error("source-missing", path, expected="something that is declared", found=quoted(str(inner)))
    elif found.get("parameterType") != wanted.get("parameterType"):
        expected, shown = str(wanted.get("parameterType")), quoted(found.get("parameterType"))
        yield error("type-differs", path, expected=expected, found=shown)


def _constant(inner: Document, wanted: Document, path: str) -> Iterator[Finding]:
    if "constant" not in inner:
        yield error("constant-missing", path, expected="a constant", found=quoted(str(dict(inner))))
        return
    yield from _parameter({"parameterType": wanted.get("parameterType")}, path)
    kind = str(wanted.get("parameterType"))
    if kind in _TYPES and not isinstance(inner["constant"], _TYPES[kind]):
        yield error("constant-type", path, expected=kind, found=quoted(inner["constant"]))


def _nesting(components: Document) -> Iterator[Finding]:
    edges = [
        (str(name), str(task.get("componentRef", {}).get("name")))
        for name, each in components.items()
        for task in _tasks(each).values()
    ]
    loop = operations.cycle(edges)
    if loop:
        yield error(
            "components-in-a-loop", "components", expected="no component within itself", found=" -> ".join(loop)
        )
