"""The lint of a DAG, or of steps: tasks, what they wait for, what they hand on, and the daemons that live in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from shared.findings import Finding, error, quoted
from shared.workflows import operations
from shared.workflows.lint.references import Reference, references

Templates = Mapping[Any, Mapping[str, Any]]

_NAME = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WAITED = re.compile(r"([A-Za-z0-9_-]+)(?:\.([A-Za-z]+))?")
# `depends` is an expression (expr-lang), in which these mean something else than a task.
WORDS_OF_EXPRESSIONS = frozenset(
    [
        "not",
        "in",
        "and",
        "or",
        "true",
        "false",
        "nil",
        "let",
        "if",
        "else",
        "matches",
        "contains",
        "all",
        "none",
        "any",
        "one",
        "filter",
        "map",
        "find",
        "count",
        "sum",
        "sort",
        "reduce",
        "len",
        "type",
        "abs",
        "int",
        "float",
        "string",
        "ceil",
        "floor",
        "round",
        "trim",
        "upper",
        "lower",
        "split",
        "repeat",
        "join",
        "replace",
        "now",
        "duration",
        "date",
        "timezone",
        "max",
        "min",
        "mean",
        "median",
        "first",
        "last",
        "get",
        "take",
        "keys",
        "values",
        "concat",
        "flatten",
        "uniq",
        "reverse",
    ]
)
_STATES = {"Succeeded", "Failed", "Errored", "Skipped", "Omitted", "Daemoned", "AnySucceeded", "AllFailed"}


def tasks(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the tasks of a DAG, or the steps in all groups."""
    if "dag" in template:
        return list(template["dag"].get("tasks", ()))
    return [step for group in template.get("steps", ()) for step in group]


def check(template: Mapping[str, Any], path: str, by_name: Templates) -> Iterator[Finding]:
    """Yield what is wrong with the tasks of a template."""
    found = tasks(template)
    names = {task.get("name"): task for task in found}
    for name, uses in Counter(task.get("name") for task in found).items():
        if uses > 1:
            yield error("task-twice", path, expected="each task once", found=quoted(name))
    for number, task in enumerate(found):
        place = f"{path}.tasks[{number}]"
        yield from _task(task, place, by_name, names)
    if "dag" in template:
        yield from _order(found, path)
        yield from _references(found, path, by_name, names)
        yield from _outputs(template, path, by_name, names)
    yield from _daemons(template, found, path, by_name)


def value(parameter: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Yield an error for a value that is no text: Argo reads texts only."""
    for key in ("value", "default"):
        if key in parameter and not isinstance(parameter[key], str):
            found = type(parameter[key]).__name__
            yield error("value-no-text", f"{path}.{key}", expected='a text, such as "600"', found=found)


def _task(task: Mapping[str, Any], path: str, by_name: Templates, names: Mapping[Any, Any]) -> Iterator[Finding]:
    name = str(task.get("name", ""))
    odd = name in WORDS_OF_EXPRESSIONS or ("depends" in task and name[:1].isdigit())
    if odd or not _NAME.fullmatch(name):
        yield error(
            "task-name",
            path,
            expected="letters, digits and '-', a letter first, no word of expressions",
            found=quoted(name),
        )
    if "templateRef" in task:
        yield error("template-ref", path, expected="a template of this workflow", found="a reference to another one")
        return
    template = by_name.get(task.get("template"))
    if template is None:
        yield error("template-missing", path, expected="a template of the workflow", found=quoted(task.get("template")))
        return
    if "depends" in task and ("dependencies" in task or "continueOn" in task):
        yield error("depends-mixed", path, expected="depends alone", found="dependencies or continueOn beside it")
    yield from _waited(task, path, names, by_name)
    yield from _handed(task, template, path)


def _waited(
    task: Mapping[str, Any], path: str, names: Mapping[Any, Mapping[str, Any]], by_name: Templates
) -> Iterator[Finding]:
    for name, state in _depends(task):
        if name not in names:
            yield error("task-missing", f"{path}.depends", expected="a task of the DAG", found=quoted(name))
        elif state and state not in _STATES:
            yield error("state-unknown", f"{path}.depends", expected="a state of a task", found=quoted(state))
        elif state == "Succeeded" and by_name.get(names[name].get("template"), {}).get("daemon"):
            expected = "a daemon to be waited for without a state: it succeeds only when all is over"
            yield error("daemon-never-succeeds", f"{path}.depends", expected=expected, found=quoted(name))


def _depends(task: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(match[1], match[2] or "") for match in _WAITED.finditer(str(task.get("depends", "")))]
    return found + [(str(name), "") for name in task.get("dependencies", ())]


def _handed(task: Mapping[str, Any], template: Mapping[str, Any], path: str) -> Iterator[Finding]:
    for kind in ("parameters", "artifacts"):
        given = {each.get("name"): each for each in task.get("arguments", {}).get(kind, ())}
        declared = {each.get("name"): each for each in template.get("inputs", {}).get(kind, ())}
        for name in given.keys() - declared.keys():
            yield error("argument-undeclared", f"{path}.arguments.{kind}", expected="an input", found=quoted(name))
        for name, each in declared.items():
            if name not in given and not each.keys() & {"value", "default", "valueFrom", "from", "s3", "raw"}:
                yield error("argument-missing", f"{path}.arguments.{kind}", expected=quoted(name), found="nothing")
        for each in given.values():
            yield from value(each, f"{path}.arguments.{kind}.{each.get('name')}") if kind == "parameters" else ()


def _order(found: list[Mapping[str, Any]], path: str) -> Iterator[Finding]:
    loop = operations.cycle((name, str(task.get("name"))) for task in found for name, _ in _depends(task))
    if loop:
        yield error("tasks-in-a-loop", path, expected="tasks in an order", found=quoted(" -> ".join(loop)))


def _references(
    found: list[Mapping[str, Any]], path: str, by_name: Templates, names: Mapping[Any, Mapping[str, Any]]
) -> Iterator[Finding]:
    before = _before(found)
    for number, task in enumerate(found):
        for tag in references({key: task[key] for key in task if key != "depends"}, f"{path}.tasks[{number}]"):
            if tag.parts[0] != "tasks":
                continue
            name = tag.parts[1] if len(tag.parts) > 1 else ""
            if name not in names:
                yield error("task-missing", tag.path, expected="a task of the DAG", found=quoted(tag.text))
            elif name not in before[str(task.get("name"))]:
                expected = f"{name} among the tasks that it waits for"
                yield error("task-not-waited-for", tag.path, expected=expected, found=quoted(task.get("depends", "")))
            else:
                yield from _given(tag, by_name.get(names[name].get("template"), {}))


def _outputs(
    template: Mapping[str, Any], path: str, by_name: Templates, names: Mapping[Any, Mapping[str, Any]]
) -> Iterator[Finding]:
    for tag in references(template.get("outputs", {}), f"{path}.outputs"):
        if tag.parts[0] != "tasks":
            continue
        name = tag.parts[1] if len(tag.parts) > 1 else ""
        if name in names:
            yield from _given(tag, by_name.get(names[name].get("template"), {}))
        else:
            yield error("task-missing", tag.path, expected="a task of the DAG", found=quoted(tag.text))


def _given(tag: Reference, template: Mapping[str, Any]) -> Iterator[Finding]:
    """Check that a task gives what is asked of it."""
    match tag.parts[2:]:
        case ("ip",):
            if not template.get("daemon"):
                yield error("ip-of-no-daemon", tag.path, expected="a daemon", found=quoted(tag.text))
            elif "readinessProbe" not in template.get("container", {}):
                expected = "a readinessProbe: without it nobody waits until the port answers"
                yield error("daemon-not-probed", tag.path, expected=expected, found="none")
            return
        case ("outputs", ("parameters" | "artifacts") as kind, name):
            fine = name in {each.get("name") for each in template.get("outputs", {}).get(kind, ())}
        case ("status",) | ("id",) | ("startedAt",) | ("finishedAt",) | ("outputs", "result") | ("exitCode",):
            fine = True
        case _:
            fine = False
    if not fine:
        yield error("output-missing", tag.path, expected="an output of that task", found=quoted(tag.text))


def _before(found: list[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Return all tasks that come before each one."""
    direct = {str(task.get("name")): {name for name, _ in _depends(task)} for task in found}
    reached: dict[str, set[str]] = {}
    for start, waited in direct.items():
        seen: set[str] = set()
        waiting = list(waited)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in reached:
                seen |= reached[name]
            else:
                waiting.extend(direct.get(name, ()))
        reached[start] = seen
    return reached


def _daemons(
    template: Mapping[str, Any], found: list[Mapping[str, Any]], path: str, by_name: Templates
) -> Iterator[Finding]:
    daemons = [task for task in found if by_name.get(task.get("template"), {}).get("daemon")]
    if daemons and "steps" in template and template.get("inputs"):
        expected = "daemons in a DAG: steps with inputs never stop theirs"
        yield error("daemon-scope", path, expected=expected, found=quoted(daemons[0].get("name")))
    if daemons and len(daemons) == len(found):
        expected = "a task beside the daemons, which end with the template that started them"
        yield error("daemon-scope", path, expected=expected, found=f"{len(daemons)} daemons and nothing else")
