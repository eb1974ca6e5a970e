"""The lint of an Argo package: all objects together, as parsed documents by path. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.findings import Finding, Findings, error, quoted
from shared.workflows.lint import argo_spec

Objects = Mapping[str, Mapping[str, Any]]

MAX_BYTES = 1 << 20
"""What etcd takes by default is 1.5 MiB; Argo adds the status of every node to the object, and ConfigMaps end at 1 MiB."""
CRON_NAME = 52
_ANY = "*"
_RESULTS = {"create", "patch"}
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def check(objects: Objects) -> Findings:
    """Return what is wrong with a package; every finding is an error: Argo would refuse it, or hang."""
    return Findings(tuple(_package(objects)))


def _package(objects: Objects) -> Iterator[Finding]:
    known = {(str(each.get("kind")), _name(each)) for each in objects.values()}
    if not any(kind == "Workflow" for kind, _ in known):
        yield error("workflow-missing", "argo", expected="a Workflow", found="none")
    checked: set[int] = set()
    for path, each in objects.items():
        yield from _object(path, each)
        if each.get("kind") in {"Workflow", "WorkflowTemplate", "CronWorkflow"}:
            is_cron = each["kind"] == "CronWorkflow"
            spec = each.get("spec", {}).get("workflowSpec", {}) if is_cron else each.get("spec", {})
            # An emitter gives one spec to several objects: its faults are told once.
            if id(spec) in checked:
                continue
            checked.add(id(spec))
            yield from argo_spec.check(spec, f"{path}: spec", known)
            for holder in (spec, *(made for made in spec.get("templates", ()) if "executor" in made)):
                yield from _executor(holder, f"{path}: spec", objects)
            yield from _tokens(spec, f"{path}: spec", objects)
    yield from _bindings(objects, known)


def _object(path: str, each: Mapping[str, Any]) -> Iterator[Finding]:
    size = len(msgspec.json.encode(each))
    if size > MAX_BYTES:
        yield error("too-large", path, expected=f"at most {MAX_BYTES} bytes", found=str(size))
    metadata = each.get("metadata", {})
    name = str(metadata.get("name") or metadata.get("generateName") or "").rstrip("-")
    if not _NAME.fullmatch(name):
        yield error("name-invalid", path, expected="a DNS-1123 name", found=quoted(name))
    if each.get("kind") == "CronWorkflow":
        yield from _cron(path, each.get("spec", {}), name)
    if each.get("kind") == "Role":
        yield from _role(path, each)


def _cron(path: str, spec: Mapping[str, Any], name: str) -> Iterator[Finding]:
    if "schedule" in spec or not spec.get("schedules"):
        yield error("schedules-missing", path, expected="a list of schedules", found="none, or the old `schedule`")
    if len(name) > CRON_NAME:
        yield error("name-too-long", path, expected=f"at most {CRON_NAME} characters", found=quoted(name))


def _role(path: str, role: Mapping[str, Any]) -> Iterator[Finding]:
    for number, rule in enumerate(role.get("rules", ())):
        for key in ("apiGroups", "resources", "verbs"):
            if _ANY in rule.get(key, ()):
                yield error("role-too-wide", f"{path}: rules[{number}].{key}", expected="what is needed", found="all")


def _bindings(objects: Objects, known: set[tuple[str, str]]) -> Iterator[Finding]:
    for path, each in objects.items():
        if each.get("kind") != "RoleBinding":
            continue
        ends = [("Role", each.get("roleRef", {}).get("name"))]
        ends += [(str(subject.get("kind")), subject.get("name")) for subject in each.get("subjects", ())]
        for kind, name in ends:
            if (kind, name) not in known:
                yield error("object-missing", path, expected=f"a {kind} of the bundle", found=quoted(name))


def _executor(spec: Mapping[str, Any], path: str, objects: Objects) -> Iterator[Finding]:
    """Check that the executor may tell what came of its task, without which Argo waits in vain."""
    account = spec.get("executor", {}).get("serviceAccountName") or spec.get("serviceAccountName")
    roles = {
        binding.get("roleRef", {}).get("name")
        for binding in objects.values()
        if binding.get("kind") == "RoleBinding"
        and any(subject.get("name") == account for subject in binding.get("subjects", ()))
    }
    rules = [
        rule
        for role in objects.values()
        if role.get("kind") == "Role" and _name(role) in roles
        for rule in role.get("rules", ())
    ]
    granted = {verb for rule in rules if "workflowtaskresults" in rule.get("resources", ()) for verb in rule["verbs"]}
    if not granted >= _RESULTS:
        expected = "a role that lets the executor create and patch workflowtaskresults"
        yield error("executor-without-rights", path, expected=expected, found=quoted(account))


def _tokens(spec: Mapping[str, Any], path: str, objects: Objects) -> Iterator[Finding]:
    """Check that who is promised a token gets it: Argo passes on a template's `false`, but not its `true`."""
    accounts = [each for each in objects.values() if each.get("kind") == "ServiceAccount"]
    closed = {_name(each) for each in accounts if each.get("automountServiceAccountToken") is False}
    for template in spec.get("templates", ()):
        account = template.get("serviceAccountName")
        if template.get("automountServiceAccountToken") and account in closed:
            expected = "an account that gives its pods a token"
            yield error("token-missing", f"{path}.{template.get('name')}", expected=expected, found=quoted(account))


def _name(each: Mapping[str, Any]) -> str:
    metadata = each.get("metadata", {})
    return str(metadata.get("name") or metadata.get("generateName") or "")
