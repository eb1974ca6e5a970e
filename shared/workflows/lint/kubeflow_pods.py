"""The lint of executors: commands, placeholders and variables, and what the platform document mounts and names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from shared import naming
from shared.findings import Finding, error, quoted
from shared.workflows.lint import kubeflow_releases as releases
from shared.workflows.lint.kubeflow_dag import Document, declared
from shared.workflows.lint.kubeflow_releases import Release
from shared.workflows.lint.references import references

Names = set[tuple[str, str]]

_INPUT = re.compile(r"\$\.inputs\.(parameters|artifacts)\['([^']*)'\](\.path|\.uri)?")
_OUTPUT = re.compile(r"\$\.outputs\.(parameters|artifacts)\['([^']*)'\](\.output_file|\.path|\.uri)")
_VARIABLE = re.compile(r"(?<!\$)\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_ENDINGS = {"parameters": {".output_file"}, "artifacts": {".path", ".uri"}}
_SIDECAR = {"name", "image", "command", "args", "env", "volumeMounts", "restartPolicy", "resources"}
"""What Kubeflow's InitContainer has."""
_MOUNT = {"volumeName", "mountPath"}
_MOUNTS = ("pvcMount", "configMapAsVolume", "emptyDirMounts", "secretAsVolume")


def check(
    pipeline: Document, platform: Document, executors: Document, known: Names, release: Release
) -> Iterator[Finding]:
    """Yield what is wrong; `known` are kind and name of the objects of the package, which is for this `release`."""
    spec = platform.get("platforms", {}).get("kubernetes", {}).get("deploymentSpec", {})
    pods: Document = spec.get("executors", {})
    for label in pods:
        if label not in executors:
            yield error("executor-missing", f"platforms.{label}", expected="an executor", found=quoted(label))
    by_label: dict[str, Document] = {}
    for component in pipeline.get("components", {}).values():
        by_label.setdefault(str(component.get("executorLabel")), component)
    for label, executor in executors.items():
        path = f"deploymentSpec.executors.{label}"
        if label not in by_label:
            yield error("executor-unused", path, expected="a component with it", found="none")
            continue
        pod: Document = pods.get(label, {})
        yield from _container(executor.get("container", {}), path, by_label[label], pod)
        yield from _pod(pod, f"platforms.{label}", known)
        for field in releases.refused(pod, release):
            expected = f"what Kubeflow Pipelines {releases.shown(release)} takes"
            yield error("release-lacks", f"platforms.{label}.{field}", expected=expected, found=quoted(field))


def _container(container: Document, path: str, component: Document, pod: Document) -> Iterator[Finding]:
    if not container.get("image"):
        yield error("image-missing", path, expected="an image", found="none")
    if not container.get("command"):
        yield error("command-missing", path, expected="a command: Kubeflow takes none from the image", found="none")
    for key in ("command", "args"):
        for number, each in enumerate(container.get(key, ())):
            if not isinstance(each, str):
                yield error("value-no-text", f"{path}.{key}[{number}]", expected="a text", found=type(each).__name__)
    yield from _variables(container, path, pod)
    texts = {key: container[key] for key in ("image", "command", "args") if key in container}
    for tag in references(texts, path):
        if not _is_known(tag.text, component):
            yield error("reference-unknown", tag.path, expected="an input or output of it", found=quoted(tag.text))
    for tag in references(container.get("env", ()), f"{path}.env"):
        yield error(
            "reference-unfilled", tag.path, expected="none: Kubeflow fills in no variable", found=quoted(tag.text)
        )
    yield from _unwritten(container, path, component)


def _unwritten(container: Document, path: str, component: Document) -> Iterator[Finding]:
    if "outputDefinitions" not in component:
        return
    written = " ".join(str(each) for key in ("command", "args") for each in container.get(key, ()))
    for kind in ("parameters", "artifacts"):
        for key in declared(component, "outputDefinitions", kind):
            if f"$.outputs.{kind}['{key}']" not in written:
                yield error(
                    "output-unwritten", path, expected=f"an argument for the output {quoted(key)}", found="none"
                )


def _is_known(text: str, component: Document) -> bool:
    given, made = _INPUT.fullmatch(text), _OUTPUT.fullmatch(text)
    if given:
        kind, key, ending = given.groups()
        return key in declared(component, "inputDefinitions", kind) and bool(ending) == (kind == "artifacts")
    if made:
        kind, key, ending = made.groups()
        return key in declared(component, "outputDefinitions", kind) and ending in _ENDINGS[kind]
    return False


def _variables(container: Document, path: str, pod: Document) -> Iterator[Finding]:
    names = [str(each.get("name")) for each in container.get("env", ())]
    names += [str(each.get("name")) for each in pod.get("fieldPathAsEnv", ())]
    for word in ("secretAsEnv", "configMapAsEnv"):
        names += [str(key.get("envVar")) for each in pod.get(word, ()) for key in each.get("keyToEnv", ())]
    for name, uses in Counter(names).items():
        if uses > 1:
            yield error("variable-twice", path, expected="each variable once", found=quoted(name))
    for each in container.get("env", ()):
        if not isinstance(each.get("value"), str):
            found = type(each.get("value")).__name__
            yield error("value-no-text", f"{path}.env.{each.get('name')}", expected="a text", found=found)
    for text in container.get("args", ()):
        for name in _VARIABLE.findall(str(text)) if "$(" in str(text) else ():
            if name not in names:
                yield error("variable-missing", path, expected="a variable of the container", found=quoted(name))


def _pod(pod: Document, path: str, known: Names) -> Iterator[Finding]:
    paths = Counter([str(each.get("mountPath")) for word in _MOUNTS if word in pod for each in pod[word]])
    for place, uses in paths.items():
        if uses > 1 or not place.startswith("/") or "{{" in place:
            yield error("mount-path", path, expected="an absolute path, once, without '{{'", found=quoted(place))
    needed = list(_needed(pod))
    for kind, name in needed:
        if (kind, name) not in known:
            yield error("object-missing", path, expected=f"a {kind} of the bundle", found=quoted(name))
    for name in _volumes(pod):
        if not naming.is_label(name):
            yield error("volume-name", path, expected="a label: Kubeflow names the volume so", found=quoted(name))
    claims = {name for kind, name in needed if kind == "PersistentVolumeClaim"}
    for number, beside in enumerate(pod.get("initContainers", ())):
        yield from _sidecar(beside, f"{path}.initContainers[{number}]", claims)


def _needed(pod: Document) -> Iterator[tuple[str, str]]:
    for each in pod.get("pvcMount", ()):
        yield "PersistentVolumeClaim", _name(each, "pvcNameParameter", "constant")
    for word in ("configMapAsVolume", "configMapAsEnv"):
        for each in pod.get(word, ()):
            yield "ConfigMap", _name(each, "configMapNameParameter", "configMapName")


def _volumes(pod: Document) -> Iterator[str]:
    """Yield the names that Kubeflow gives to volumes: those of what they hold, which may be longer than a volume's."""
    yield from (_name(each, "pvcNameParameter", "constant") for each in pod.get("pvcMount", ()))
    yield from (_name(each, "configMapNameParameter", "configMapName") for each in pod.get("configMapAsVolume", ()))


def _name(each: Document, parameter: str, plain: str) -> str:
    constant: Any = each.get(parameter, {}).get("runtimeValue", {}).get("constant", each.get(plain))
    return str(constant)


def _sidecar(beside: Mapping[str, Any], path: str, claims: set[str]) -> Iterator[Finding]:
    if beside.get("restartPolicy") != "Always":
        yield error("sidecar-ends", path, expected="restartPolicy Always", found=quoted(beside.get("restartPolicy")))
    if not beside.get("image") or beside.get("name") in {None, "kfp-launcher", "main"}:
        yield error("sidecar-name", path, expected="an image, and a name of its own", found=quoted(beside.get("name")))
    for key in sorted(beside.keys() - _SIDECAR):
        yield error("sidecar-field", f"{path}.{key}", expected=" or ".join(sorted(_SIDECAR)), found=quoted(key))
    for mount in beside.get("volumeMounts", ()):
        if mount.get("volumeName") not in claims:
            found = quoted(mount.get("volumeName"))
            yield error("volume-missing", path, expected="a claim that the pod mounts", found=found)
        if mount.keys() != _MOUNT or not str(mount.get("mountPath")).startswith("/"):
            found = ", ".join(sorted(mount))
            yield error("sidecar-mount", path, expected="a volumeName and an absolute mountPath", found=quoted(found))
    for tag in references(beside, path):
        yield error("reference-unknown", tag.path, expected="none: nothing replaces it there", found=quoted(tag.text))
