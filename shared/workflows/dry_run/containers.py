"""A container of a template, read: which program, which texts, which folders, and how it is seen to be ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.findings import quoted
from shared.kubernetes.volumes import PREPARE_SCRIPT
from shared.solution import GRPC_PORT, WEB_UI_PORT
from shared.workflows import driver_calls
from shared.workflows.dry_run import fields
from shared.workflows.dry_run.fields import Reader
from shared.workflows.dry_run.outcome import PackageError

_KNOWN = ("name", "image", "command", "args", "env", "ports", "volumeMounts", "startupProbe", "readinessProbe")
_HARMLESS = ("resources", "securityContext", "imagePullPolicy", "livenessProbe", "terminationMessagePolicy")
_PROBE = ("tcpSocket", "periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds", "successThreshold")
_DEFAULT_PERIOD, _DEFAULT_FAILURES = 10, 3
_WEB_UI = "webui"


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
    start_seconds: float | None
    """How long its probes give it until somebody listens; None without a probe."""

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
        start_seconds=_start_seconds(reader, known, path),
    )


ConfigMaps = Mapping[str, Mapping[str, bytes]]
"""Data of ConfigMaps by name."""


def _environment(reader: Reader, document: fields.Document, path: str, config_maps: ConfigMaps) -> dict[str, str]:
    found = {}
    for name, entry in fields.by_name(document, "env", path).items():
        where = f"{path}.env[{name}]"
        reader.check(entry, where, known=("name", "value", "valueFrom"))
        if "valueFrom" in entry:
            found[name] = _from_config_map(reader, entry["valueFrom"], where, config_maps)
        else:
            found[name] = str(entry.get("value", ""))
    return found


def _from_config_map(reader: Reader, source: Any, path: str, config_maps: ConfigMaps) -> str:
    where = f"{path}.valueFrom"
    if isinstance(source, Mapping) and "secretKeyRef" in source:
        raise PackageError(f"{where}.secretKeyRef: there are no Secrets on this machine")
    reference = reader.check(
        reader.check(source, where, known=("configMapKeyRef",)).get("configMapKeyRef"), where, known=("name", "key")
    )
    data = config_maps.get(str(reference.get("name")), {})
    key = str(reference.get("key"))
    if key not in data:
        raise PackageError(f"{where}: expected a key of a ConfigMap in the package, found {quoted(key)}")
    return data[key].decode("utf-8", "replace")


def _mounts(reader: Reader, document: fields.Document, path: str, volumes: Mapping[str, Path]) -> dict[str, Path]:
    found = {}
    for index, mount in enumerate(fields.items(document, "volumeMounts", path)):
        where = f"{path}.volumeMounts[{index}]"
        reader.check(mount, where, known=("name", "mountPath", "readOnly"))
        name = fields.text(mount, "name", where)
        if name not in volumes:
            raise PackageError(f"{where}.name: expected a volume of the template or the workflow, found {quoted(name)}")
        found[fields.text(mount, "mountPath", where).rstrip("/")] = volumes[name]
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


def _start_seconds(reader: Reader, document: fields.Document, path: str) -> float | None:
    found = [
        _probe_seconds(reader, document[key], f"{path}.{key}")
        for key in ("startupProbe", "readinessProbe")
        if key in document
    ]
    return max(found) if found else None


def _probe_seconds(reader: Reader, probe: Any, path: str) -> float:
    """Return how long a probe of a port waits; probes of other kinds are not carried out here."""
    known = reader.check(probe, path, known=_PROBE)
    reader.check(known.get("tcpSocket"), f"{path}.tcpSocket", known=("port",))
    period, failures = known.get("periodSeconds", _DEFAULT_PERIOD), known.get("failureThreshold", _DEFAULT_FAILURES)
    return float(known.get("initialDelaySeconds", 0)) + float(period) * float(failures)


def seconds_by_probe(containers: Sequence[Container]) -> float | None:
    """Return the longest time that a probe gives, or None where there is no probe."""
    return max((each.start_seconds for each in containers if each.start_seconds is not None), default=None)
