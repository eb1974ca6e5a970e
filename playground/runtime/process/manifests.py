"""What only the manifests of a bundle tell about its nodes: which are jobs, their images and their variables.

Nothing else of them has an effect here, and an object of a kind that no deployer makes is refused, as a cluster would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidSolutionError
from shared.findings import Finding, Findings, error, quoted
from shared.unreadable import unreadable
from shared.yaml_text import YamlReader, YamlTextError

MAX_BYTES = 4 << 20  # of all files: 3 KiB for each object of a pipeline of 500 nodes
MAX_EVENTS = 400_000  # of all files: a Deployment has 150
_FOLDERS = ("deployments/", "policies/")
_WITHOUT_EFFECT = frozenset(
    {"ConfigMap", "Ingress", "NetworkPolicy", "PersistentVolumeClaim", "Service", "ServiceAccount"}
)
"""What bundles hold and processes of one machine do not need."""
_KINDS = {"Deployment": False, "StatefulSet": False, "Job": True}
_MOST_REFUSALS = 50  # told at once
_HELPER = "jupyter-"  # Graphene's helper pod beside a model


@dataclass(frozen=True, slots=True)
class Workload:
    """One Deployment or Job."""

    name: str
    path: str
    is_job: bool
    image: str
    environment: Mapping[str, str | None]
    """None: the value is not a plain text, but comes from elsewhere in a cluster."""


def workloads(files: Mapping[str, bytes]) -> dict[str, Workload]:
    """Return every workload of the bundle by its name.

    Raises:
        InvalidSolutionError: a manifest is not readable YAML, or an object is of another kind than bundles have.
    """
    paths = sorted(path for path in files if path.startswith(_FOLDERS) and path.endswith((".yaml", ".yml")))
    reader = YamlReader(max_bytes=MAX_BYTES, max_events=MAX_EVENTS)
    found: dict[str, Workload] = {}
    refused: list[Finding] = []
    for path in paths:
        for document in _read(reader, path, files[path]):
            if document is not None and _text(document, "kind") not in {*_KINDS, *_WITHOUT_EFFECT}:
                refused.append(_refusal(path, document))
            workload = _workload(path, document)
            if workload is not None and not workload.name.startswith(_HELPER):
                found[workload.name] = workload
    if refused:
        raise InvalidSolutionError(Findings(tuple(refused[:_MOST_REFUSALS])))
    return found


def _refusal(path: str, document: Any) -> Finding:
    named = _text(_member(document, "metadata"), "name")
    expected = f"objects of the kinds {', '.join(sorted({*_KINDS, *_WITHOUT_EFFECT}))}"
    return error("kind-refused", path, expected=expected, found=f"{quoted(_text(document, 'kind'))} {quoted(named)}")


def _read(reader: YamlReader, path: str, data: bytes) -> list[Any]:
    try:
        return reader.texts(data)
    except YamlTextError as problem:
        raise unreadable(path, expected=problem.expected, found=problem.found) from problem


def _workload(path: str, document: Any) -> Workload | None:
    name, kind = _text(_member(document, "metadata"), "name"), _text(document, "kind")
    if kind not in _KINDS or not name:
        return None
    pod = _member(_member(_member(document, "spec"), "template"), "spec")
    containers = list(_entries(pod, "containers"))
    container = next((entry for entry in containers if entry.get("name") == name), containers[0] if containers else {})
    return Workload(name, path, _KINDS[kind], _text(container, "image"), dict(_environment(container)))


def _environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for variable in _entries(container, "env"):
        value = variable.get("value", "" if "valueFrom" not in variable else None)
        # `$(NAME)` stands for another variable, which only a cluster knows how to resolve.
        is_plain = isinstance(value, str) and "$(" not in value
        yield _text(variable, "name"), value if is_plain else None


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _text(value: Any, key: str) -> str:
    found = _member(value, key)
    return found if isinstance(found, str) else ""


def _entries(value: Any, key: str) -> list[dict[str, Any]]:
    entries = _member(value, key)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
