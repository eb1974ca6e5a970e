"""The lint of what runs in pods: containers, their mounts and files, and the objects that they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.findings import Finding, error, quoted

_RESERVED = frozenset({"main", "wait", "init", "supervisor"})


def check(template: Mapping[str, Any], path: str, volumes: set[Any]) -> Iterator[Finding]:
    """Yield what is wrong with the containers of a template; `volumes` are those that it may mount."""
    beside = [*template.get("sidecars", ()), *template.get("initContainers", ())]
    names = [each.get("name") for each in beside]
    for name, uses in Counter(names).items():
        if name in _RESERVED or uses > 1:
            yield error("container-name", path, expected="another name than Argo's own, once", found=quoted(name))
    if "memoize" in template and "retryStrategy" in template:
        yield error("memoize-retried", path, expected="a cache or retries: Argo waits for ever", found="both")
    containers = [("container", template["container"])] if "container" in template else []
    for key, container in [*containers, *((f"beside {each.get('name')}", each) for each in beside)]:
        yield from _container(container, f"{path}.{key}", volumes)
    if "container" in template:
        mounts = {mount.get("mountPath") for mount in template["container"].get("volumeMounts", ())}
        yield from _files(template, path, mounts)


def objects(spec: Mapping[str, Any], path: str, known: set[tuple[str, str]]) -> Iterator[Finding]:
    """Yield an error for each ConfigMap and claim that the package should have."""
    needed = dict.fromkeys(_needed(spec))
    for kind, name in needed:
        if (kind, name) not in known:
            yield error("object-missing", path, expected=f"a {kind} of the bundle", found=quoted(name))


def _needed(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in spec.get("volumes", ()):
        yield from _behind(volume)
    for template in spec.get("templates") or ():
        for container in _all(template):
            for variable in container.get("env", ()):
                held = variable.get("valueFrom", {}).get("configMapKeyRef")
                if held:
                    yield "ConfigMap", str(held.get("name"))


def _behind(volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "persistentVolumeClaim" in volume:
        yield "PersistentVolumeClaim", str(volume["persistentVolumeClaim"].get("claimName"))
    if "configMap" in volume:
        yield "ConfigMap", str(volume["configMap"].get("name"))
    for source in volume.get("projected", {}).get("sources", ()):
        if "configMap" in source:
            yield "ConfigMap", str(source["configMap"].get("name"))


def _all(template: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    own = [template["container"]] if "container" in template else []
    return [*own, *template.get("sidecars", ()), *template.get("initContainers", ())]


def _container(container: Mapping[str, Any], path: str, volumes: set[Any]) -> Iterator[Finding]:
    if not container.get("image"):
        yield error("image-missing", path, expected="an image", found="none")
    if container.get("args") and not container.get("command"):
        yield error("command-missing", path, expected="a command before the args", found="none: Argo needs one")
    yield from _mounts(container.get("volumeMounts", ()), path, volumes)
    yield from _variables(container.get("env", ()), path)


def _mounts(mounts: Sequence[Mapping[str, Any]], path: str, volumes: set[Any]) -> Iterator[Finding]:
    for mount in mounts:
        if mount.get("name") not in volumes:
            yield error("volume-missing", path, expected="a volume of the workflow", found=quoted(mount.get("name")))
    for place, uses in Counter(mount.get("mountPath") for mount in mounts).items():
        if uses > 1:
            yield error("mounted-twice", path, expected="one volume at a path", found=quoted(place))


def _variables(variables: Sequence[Mapping[str, Any]], path: str) -> Iterator[Finding]:
    for name, uses in Counter(variable.get("name") for variable in variables).items():
        if uses > 1:
            yield error("variable-twice", path, expected="each variable once", found=quoted(name))
    for variable in variables:
        if "value" in variable and not isinstance(variable["value"], str):
            found = type(variable["value"]).__name__
            yield error("value-no-text", f"{path}.env.{variable.get('name')}", expected="a text", found=found)


def _files(template: Mapping[str, Any], path: str, mounts: set[Any]) -> Iterator[Finding]:
    inputs = [each.get("path") for each in template.get("inputs", {}).get("artifacts", ())]
    outputs = [each.get("path") for each in template.get("outputs", {}).get("artifacts", ())]
    for place in inputs:
        if place in mounts:
            yield error("artifact-on-mount", path, expected="another path than that of a volume", found=quoted(place))
    for place, uses in Counter([*inputs, *outputs]).items():
        if uses > 1 or not place:
            yield error("artifact-path", path, expected="a path for each artifact", found=quoted(place))
