"""The lint of one workflow: what it names exists, is declared, has the right type, and ends when it should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from shared.findings import Finding, error, quoted
from shared.workflows.lint import argo_dag, argo_pods
from shared.workflows.lint.references import references

Known = set[tuple[str, str]]
_BODIES = ("container", "script", "dag", "steps", "suspend", "resource", "data", "http", "containerSet", "plugin")
_WORKFLOW = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "status",
        "failures",
        "duration",
        "serviceAccountName",
        "creationTimestamp",
        "priority",
    }
)
_AT_THE_END = frozenset({"status", "failures", "duration"})


def check(spec: Mapping[str, Any], path: str, known: Known) -> Iterator[Finding]:
    """Yield what is wrong; `known` are kind and name of the objects of the package."""
    templates = spec.get("templates") or ()
    by_name = {template.get("name"): template for template in templates}
    for name, uses in Counter(template.get("name") for template in templates).items():
        if uses > 1:
            yield error("template-twice", path, expected="each template once", found=quoted(name))
    for key in ("entrypoint", "onExit"):
        if key in spec or key == "entrypoint":
            yield from _named(spec.get(key), by_name, f"{path}.{key}")
    yield from _accounts(spec, path, known)
    yield from _arguments(spec, path)
    exits = _reached(spec.get("onExit"), by_name)
    volumes = {volume.get("name") for volume in spec.get("volumes", ())}
    for number, template in enumerate(templates):
        place = f"{path}.templates[{number}]"
        yield from _body(template, place)
        yield from _tags(template, place, spec, at_end=template.get("name") in exits)
        yield from argo_dag.check(template, place, by_name)
        yield from argo_pods.check(template, place, volumes | {v.get("name") for v in template.get("volumes", ())})
        yield from _rights(template, place, spec, known)
    yield from argo_pods.objects(spec, path, known)


def _named(name: object, by_name: Mapping[Any, Any], path: str) -> Iterator[Finding]:
    if name not in by_name:
        yield error("template-missing", path, expected="a template of the workflow", found=quoted(name))


def _body(template: Mapping[str, Any], path: str) -> Iterator[Finding]:
    bodies = [key for key in _BODIES if key in template]
    if len(bodies) != 1:
        yield error("template-body", path, expected=f"one of {', '.join(_BODIES[:6])}", found=quoted(bodies))
    if template.get("daemon") and "container" not in template:
        yield error("daemon-body", path, expected="a container in a daemon", found=quoted(bodies))


def _arguments(spec: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for number, parameter in enumerate(spec.get("arguments", {}).get("parameters", ())):
        place = f"{path}.arguments.parameters[{number}]"
        yield from argo_dag.value(parameter, place)
        for tag in references(parameter.get("value", ""), place):
            yield error("value-live", place, expected="a value that is no reference", found=quoted(tag.text))


def _accounts(spec: Mapping[str, Any], path: str, known: Known) -> Iterator[Finding]:
    executor = spec.get("executor", {}).get("serviceAccountName")
    if spec.get("automountServiceAccountToken") is False and not executor:
        yield error(
            "executor-account-missing",
            path,
            expected="executor.serviceAccountName where the pods get no token",
            found="none: Argo refuses it",
        )
    yield from _executor(spec, path, known)
    if account := spec.get("serviceAccountName"):
        yield from _known("ServiceAccount", account, path, known)


def _executor(holder: Mapping[str, Any], path: str, known: Known) -> Iterator[Finding]:
    """Check the account of an executor, and its token: Kubernetes makes none unless a Secret asks for it."""
    if account := holder.get("executor", {}).get("serviceAccountName"):
        yield from _known("ServiceAccount", account, path, known)
        yield from _known("Secret", f"{account}.service-account-token", path, known)


def _rights(template: Mapping[str, Any], path: str, spec: Mapping[str, Any], known: Known) -> Iterator[Finding]:
    account = template.get("serviceAccountName")
    if account:
        yield from _known("ServiceAccount", account, path, known)
    yield from _executor(template, path, known)
    resource = template.get("resource")
    if not resource:
        return
    if resource.get("action") in {"create", "apply"} and not resource.get("setOwnerReference"):
        expected = "setOwnerReference: true, or the object outlives a terminated workflow"
        yield error("owner-missing", path, expected=expected, found="none")
    own = template.get("executor", {}).get("serviceAccountName")
    if spec.get("executor", {}).get("serviceAccountName") and not own:
        yield error(
            "token-missing", path, expected="an executor of its own: Argo's executor is who calls", found="none"
        )


def _known(kind: str, name: str, path: str, known: Known) -> Iterator[Finding]:
    if (kind, name) not in known:
        yield error("object-missing", path, expected=f"a {kind} of the bundle", found=quoted(name))


def _reached(name: object, by_name: Mapping[Any, Mapping[str, Any]]) -> set[object]:
    """Return the names of the templates that run at the end."""
    found: set[object] = set()
    waiting = [name] if name else []
    while waiting:
        current = waiting.pop()
        if current in found or current not in by_name:
            continue
        found.add(current)
        waiting += [task.get("template") for task in argo_dag.tasks(by_name[current])]
    return found


def _tags(template: Mapping[str, Any], path: str, spec: Mapping[str, Any], *, at_end: bool) -> Iterator[Finding]:
    """Check all references but those to tasks, of which the DAG knows more."""
    declared = {parameter.get("name") for parameter in spec.get("arguments", {}).get("parameters", ())}
    inputs = {
        (kind, each.get("name"))
        for kind in ("parameters", "artifacts")
        for each in template.get("inputs", {}).get(kind, ())
    }
    is_group = "dag" in template or "steps" in template
    for tag in references(template, path):
        if is_group and tag.parts[0] in {"tasks", "steps"}:
            continue
        match tag.parts:
            case ("workflow", "parameters", name):
                fine = name in declared
            case ("workflow", name):
                fine = name in _WORKFLOW and (at_end or name not in _AT_THE_END)
            case ("inputs", ("parameters" | "artifacts") as kind, name) | ("inputs", "artifacts" as kind, name, "path"):
                fine = (kind, name) in inputs
            case ("outputs", "artifacts" | "parameters", _, "path") | ("pod", "name") | ("retries",) | ("node", "name"):
                fine = True
            case _:
                fine = False
        if not fine:
            yield error("reference-unknown", tag.path, expected="something that is declared", found=quoted(tag.text))
