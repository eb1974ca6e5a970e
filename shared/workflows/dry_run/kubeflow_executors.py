"""The containers of a pipeline of Kubeflow, with what the platform document adds to each: volumes, sidecars, deadlines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run import containers, durations, fields, templating
from shared.workflows.dry_run.containers import ConfigMaps
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.pods import Pod, Pods
from shared.workflows.dry_run.templating import Look
from shared.workflows.dry_run.volumes import Volumes

_MOUNTS = ("pvcMount", "configMapAsVolume", "emptyDirMounts")
_KNOWN = (*_MOUNTS, "activeDeadlineSeconds", "initContainers", "fieldPathAsEnv", "configMapAsEnv", "secretAsEnv")
_SIDECAR = ("name", "image", "command", "args", "env", "volumeMounts", "restartPolicy", "resources")
_HARMLESS = (
    *("podMetadata", "nodeSelector", "tolerations", "imagePullSecret", "imagePullPolicy", "securityContext"),
    *("nodeAffinity", "podAffinity", "enabledSharedMemory"),
)
_NAMES = {
    "pvcMount": ("pvcNameParameter", "constant"),
    "configMapAsVolume": ("configMapNameParameter", "configMapName"),
}
_KEYS = {"configMapAsEnv": ("configMap", ""), "secretAsEnv": ("secret", containers.OF_SECRETS)}
"""Where variables come from: how its fields begin, and how its data are kept here."""
_STRUCTURED = ('{"Concat"', '{"IfPresent"')
_FIELDS = {"metadata.name": "dry-run", "metadata.uid": "dry-run", "metadata.namespace": "dry-run"}


class Executors:
    """The executors by their label."""

    def __init__(
        self, reader: Reader, pipeline: Document, platform: Document | None, config_maps: ConfigMaps, pods: Pods
    ) -> None:
        self._reader = reader
        self._config_maps = config_maps
        self._pods = pods
        self._volumes = Volumes(pods.folder, config_maps, reader)
        spec = reader.check(pipeline.get("deploymentSpec") or {}, "deploymentSpec", known=("executors",))
        self._executors = fields.named(spec, "executors", "deploymentSpec")
        self._platform = _platform(reader, platform)

    def check(self, label: str) -> None:
        """Refuse what could not be started.

        Raises:
            PackageError: it has a field that is not carried out here, or an image without a program.
        """
        main, beside, _ = self._read(label, None, None, {})
        if any(text.startswith(_STRUCTURED) for text in (*main.command, *main.arguments)):
            raise PackageError(f"{main.path}.args: a dry run does not carry out Concat and IfPresent")
        for container in (main, *beside):
            if not container.command and container is main:
                raise PackageError(f"{container.path}.command: Kubeflow starts no container without one")
            self._pods.check(container)

    def pod(self, label: str, name: str, look: Look, parameters: Mapping[str, Any]) -> tuple[Pod, float | None]:
        """Return the pod of a task, and the seconds that it has."""
        main, beside, seconds = self._read(label, name, look, parameters)
        return Pod(name, main, tuple(beside)), seconds

    def _read(
        self, label: str, name: str | None, look: Look | None, parameters: Mapping[str, Any]
    ) -> tuple[containers.Container, list[containers.Container], float | None]:
        path = f"deploymentSpec.executors.{label}"
        if label not in self._executors:
            raise PackageError(f"executorLabel: expected one of deploymentSpec.executors, found {quoted(label)}")
        document = fields.mapping(
            self._reader.check(self._executors[label], path, known=("container",)), "container", path
        )
        platform = self._reader.check(
            self._platform.get(label, {}), f"platforms.kubernetes.{label}", known=_KNOWN, harmless=_HARMLESS
        )
        volumes, mounts = self._mounts(
            platform, f"platforms.kubernetes.{label}", parameters, is_checked_only=name is None
        )
        made = self._volumes.known(volumes, path) if name is None else self._volumes.made(volumes, path, name)
        filled = document if look is None else _filled(document, look, path)
        given = self._field_env(platform)
        for kind in _KEYS:
            given += self._keys_env(kind, platform, parameters, is_checked_only=name is None)
        own = {**filled, "env": [*fields.items(filled, "env", path), *given], "volumeMounts": mounts}
        main = containers.read(self._reader, own, f"{path}.container", made, self._config_maps)
        beside = [
            self._sidecar(each, f"platforms.kubernetes.{label}.initContainers[{index}]", made)
            for index, each in enumerate(fields.items(platform, "initContainers", path))
        ]
        deadline = platform.get("activeDeadlineSeconds")
        return main, beside, None if deadline is None else durations.seconds(deadline, f"{path}.activeDeadlineSeconds")

    def _sidecar(self, document: Document, path: str, made: Mapping[str, Path]) -> containers.Container:
        """Read a sidecar. Kubeflow replaces nothing in it, and mounts only what it names, by the volumes of the pod."""
        self._reader.check(document, path, known=_SIDECAR)
        if document.get("restartPolicy") != "Always":
            raise PackageError(f"{path}: only a sidecar (restartPolicy Always) is carried out here")
        mounts = []
        for index, each in enumerate(fields.items(document, "volumeMounts", path)):
            where = f"{path}.volumeMounts[{index}]"
            self._reader.check(each, where, known=("volumeName", "mountPath"))
            mounts.append({"name": fields.text(each, "volumeName", where), "mountPath": each.get("mountPath")})
        own = {key: value for key, value in document.items() if key != "restartPolicy"}
        return containers.read(self._reader, {**own, "volumeMounts": mounts}, path, made, self._config_maps)

    def _field_env(self, platform: Document) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for each in fields.items(platform, "fieldPathAsEnv", "platforms.kubernetes"):
            source = str(each.get("fieldPath"))
            if source not in _FIELDS:
                raise PackageError(f"fieldPathAsEnv: expected one of {', '.join(_FIELDS)}, found {quoted(source)}")
            found.append({"name": str(each.get("name")), "value": _FIELDS[source]})
        return found

    def _keys_env(
        self, kind: str, platform: Document, parameters: Mapping[str, Any], *, is_checked_only: bool
    ) -> list[dict[str, Any]]:
        """Return the variables whose values are keys of ConfigMaps, or of Secrets."""
        word, prefix = _KEYS[kind]
        found = []
        for index, each in enumerate(fields.items(platform, kind, "platforms.kubernetes")):
            path = f"platforms.kubernetes.{kind}[{index}]"
            self._reader.check(each, path, known=(f"{word}Name", f"{word}NameParameter", "keyToEnv", "optional"))
            name = _name(each, f"{word}NameParameter", f"{word}Name", parameters, path, is_checked_only=is_checked_only)
            for entry in fields.items(each, "keyToEnv", path):
                self._reader.check(entry, f"{path}.keyToEnv", known=(f"{word}Key", "envVar"))
                key = entry.get(f"{word}Key")
                if not each.get("optional") or key in self._config_maps.get(prefix + name, {}):
                    source = {f"{word}KeyRef": {"name": name, "key": key}}
                    found.append({"name": entry.get("envVar"), "valueFrom": source})
        return found

    def _mounts(
        self, platform: Document, path: str, parameters: Mapping[str, Any], *, is_checked_only: bool
    ) -> tuple[list[Document], list[Document]]:
        """Return the volumes of the pod, called as Kubeflow calls them, and the mounts of its main container."""
        volumes: dict[str, Document] = {}
        mounts: list[Document] = []
        for kind in _MOUNTS:
            for index, each in enumerate(fields.items(platform, kind, path)):
                where = f"{path}.{kind}[{index}]"
                name, source = self._source(kind, each, where, parameters, is_checked_only=is_checked_only)
                volumes[name] = {"name": name, **source}
                mounts.append({"name": name, "mountPath": fields.text(each, "mountPath", where)})
        return list(volumes.values()), mounts

    def _source(
        self, kind: str, document: Document, path: str, parameters: Mapping[str, Any], *, is_checked_only: bool
    ) -> tuple[str, dict[str, Any]]:
        if kind == "emptyDirMounts":
            self._reader.check(document, path, known=("mountPath", "volumeName", "medium", "sizeLimit"))
            return fields.text(document, "volumeName", path), {"emptyDir": {}}
        word, plain = _NAMES[kind]
        self._reader.check(
            document, path, known=("mountPath", word, plain, *(() if kind == "pvcMount" else ("optional",)))
        )
        name = _name(document, word, plain, parameters, path, is_checked_only=is_checked_only)
        if kind == "pvcMount":
            return name, {"persistentVolumeClaim": {"claimName": name}}
        return name, {"configMap": {"name": name, "optional": document.get("optional") is True}}


def _name(
    document: Document, word: str, plain: str, parameters: Mapping[str, Any], path: str, *, is_checked_only: bool
) -> str:
    """Return the name of an object: newer backends read the parameter, older ones the plain field."""
    if word in document:
        return _named(document[word], parameters, path, is_checked_only=is_checked_only)
    return fields.text(document, plain, path)


def _named(source: Any, parameters: Mapping[str, Any], path: str, *, is_checked_only: bool) -> str:
    if isinstance(source, Mapping) and "runtimeValue" in source:
        return str(fields.mapping(source, "runtimeValue", path).get("constant", ""))
    if isinstance(source, Mapping) and "componentInputParameter" in source:
        key = str(source["componentInputParameter"])
        if key in parameters or is_checked_only:
            return str(parameters.get(key, "chosen-later"))
    raise PackageError(f"{path}: expected a name that is a constant or a parameter of the component")


def _filled(document: Document, look: Look, path: str) -> Document:
    """Return a container as Kubeflow starts it: it replaces what stands in `command` and `args`, and leaves `env` alone."""
    return {
        key: templating.filled(each, look, f"{path}.{key}") if key in {"command", "args"} else each
        for key, each in document.items()
    }


def _platform(reader: Reader, document: Document | None) -> Mapping[str, Document]:
    if document is None:
        return {}
    platforms = reader.check(document, "platforms", known=("platforms",)).get("platforms")
    kubernetes = reader.check(platforms, "platforms", known=("kubernetes",)).get("kubernetes") or {}
    reader.check(kubernetes, "platforms.kubernetes", known=("deploymentSpec", "pipelineConfig"))
    config = kubernetes.get("pipelineConfig") or {}
    reader.check(config, "platforms.kubernetes.pipelineConfig", known=(), harmless=("pipelineTtl", "resourceTtl"))
    spec = reader.check(kubernetes.get("deploymentSpec") or {}, "platforms.kubernetes", known=("executors",))
    return fields.named(spec, "executors", "platforms.kubernetes.deploymentSpec")
