"""A container of a template, read: which program, which texts, which folders, and how it is seen to be ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.findings import quoted
from shared.kubernetes.volumes import PREPARE_SCRIPT
from shared.solution import GRPC_PORT, WEB_UI_PORT
from shared.workflows import driver_calls
from shared.workflows.dry_run import fields, probes
from shared.workflows.dry_run.fields import Reader
from shared.workflows.dry_run.outcome import PackageError
from shared.workflows.dry_run.probes import Probe

_KNOWN = ("name", "image", "command", "args", "env", "ports", "volumeMounts", "startupProbe", "readinessProbe")
_HARMLESS = ("resources", "securityContext", "imagePullPolicy", "livenessProbe", "terminationMessagePolicy")
_WEB_UI = "webui"
OF_SECRETS = "secret/"


@dataclass(frozen=True, slots=True)
class Container:
    """What is known of a container before it has a place on this machine."""

    name: str
    path: str
    """Where it stands in the document, for messages."""
    image: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    mounts: Mapping[str, Path]
    """Path in the container → path here."""
    ports: tuple[int, int]
    """Of gRPC and of the web UI, inside the container."""
    probe: Probe | None
    """How it is seen to be ready."""

    @property
    def is_driver(self) -> bool:
        """Whether it runs our own driver, which is a part of this Python."""
        return self.command[:1] == (driver_calls.PROGRAM,)

    @property
    def driver_arguments(self) -> tuple[str, ...]:
        """What the driver is told; engines take a part of it as the command."""
        return (*self.command[1:], *self.arguments)

    @property
    def is_preparation(self) -> bool:
        """Whether it makes shared folders writable, by the script that is our own."""
        return self.command == ("python3", "-c", PREPARE_SCRIPT)


def read(reader: Reader, document: Any, path: str, volumes: Mapping[str, Path], texts: ConfigMaps) -> Container:
    """Read a container whose tags are filled.

    Raises:
        PackageError: it has a field that is not carried out here, or one in a wrong form.
    """
    known = reader.check(document, path, known=_KNOWN, harmless=_HARMLESS)
    command = tuple(fields.texts(known, "command", path))
    return Container(
        name=str(known.get("name") or "main"),
        path=path,
        image=fields.text(known, "image", path),
        command=command,
        arguments=tuple(fields.texts(known, "args", path)),
        environment=_environment(reader, known, path, texts),
        mounts=_mounts(reader, known, path, volumes),
        ports=_ports(reader, known, path),
        probe=probes.read(reader, known, path),
    )


ConfigMaps = Mapping[str, Mapping[str, bytes]]
"""Data of ConfigMaps by name, and of Secrets by `secret/` and their name, which no name of a ConfigMap begins with."""


def _environment(reader: Reader, document: fields.Document, path: str, config_maps: ConfigMaps) -> dict[str, str]:
    found = {}
    for name, entry in fields.by_name(document, "env", path).items():
        where = f"{path}.env[{name}]"
        reader.check(entry, where, known=("name", "value", "valueFrom"))
        if "valueFrom" in entry:
            found[name] = _from_elsewhere(reader, entry["valueFrom"], f"{where}.valueFrom", config_maps)
        else:
            found[name] = str(entry.get("value", ""))
    return found


def _from_elsewhere(reader: Reader, source: Any, path: str, texts: ConfigMaps) -> str:
    checked = reader.check(source, path, known=("configMapKeyRef", "secretKeyRef"))
    kind = "secretKeyRef" if "secretKeyRef" in checked else "configMapKeyRef"
    reference = reader.check(checked.get(kind), f"{path}.{kind}", known=("name", "key"))
    name, key = str(reference.get("name")), str(reference.get("key"))
    data = texts.get(f"{OF_SECRETS}{name}" if kind == "secretKeyRef" else name, {})
    if key not in data and kind == "secretKeyRef":
        raise PackageError(f"{path}.{kind}: expected the file {name}/{key} in the folder of --secrets, found none")
    if key not in data:
        raise PackageError(f"{path}: expected a key of a ConfigMap in the package, found {quoted(key)}")
    return data[key].decode("utf-8", "replace")


def _mounts(reader: Reader, document: fields.Document, path: str, volumes: Mapping[str, Path]) -> dict[str, Path]:
    found = {}
    for index, mount in enumerate(fields.items(document, "volumeMounts", path)):
        where = f"{path}.volumeMounts[{index}]"
        reader.check(mount, where, known=("name", "mountPath", "readOnly"))
        name = fields.text(mount, "name", where)
        if name not in volumes:
            raise PackageError(f"{where}.name: expected a volume of the template or the workflow, found {quoted(name)}")
        found[fields.place(mount, "mountPath", where)] = volumes[name]
    return found


def _ports(reader: Reader, document: fields.Document, path: str) -> tuple[int, int]:
    grpc, web = GRPC_PORT, WEB_UI_PORT
    for index, port in enumerate(fields.items(document, "ports", path)):
        where = f"{path}.ports[{index}]"
        reader.check(port, where, known=("name", "containerPort", "protocol"))
        number = port.get("containerPort")
        if not isinstance(number, int):
            raise PackageError(f"{where}.containerPort: expected a number, found {quoted(number)}")
        if port.get("name") == _WEB_UI or number == WEB_UI_PORT:
            web = number
        else:
            grpc = number
    return grpc, web
