"""The manifests of a bundle, as plain values: read with limits, because a stranger wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.unreadable import unreadable
from shared.yaml_text import YamlReader, YamlTextError

MAX_BYTES = 4 << 20  # of all files: 3 KiB for each object of a pipeline of 500 nodes
MAX_EVENTS = 400_000  # of all files: a Deployment has 150
MAX_OBJECTS = 2500  # three for each node of a pipeline of 500, and room
FOLDERS = ("deployments/", "policies/")


@dataclass(frozen=True, slots=True)
class Read:
    """An object, and the file that it stands in."""

    path: str
    manifest: dict[str, Any]


def manifests(files: Mapping[str, bytes]) -> tuple[Read, ...]:
    """Return all objects of a bundle, in the order of their files.

    Raises:
        InvalidSolutionError: there are none or too many, or a file is not YAML of the plain sort.
    """
    paths = sorted(path for path in files if path.startswith(FOLDERS) and path.endswith((".yaml", ".yml")))
    reader = YamlReader(max_bytes=MAX_BYTES, max_events=MAX_EVENTS)
    found = tuple(Read(path, manifest) for path in paths for manifest in _objects(reader, path, files[path]))
    if not 0 < len(found) <= MAX_OBJECTS:
        raise unreadable("deployments/", expected=f"1 to {MAX_OBJECTS} objects", found=str(len(found)))
    return found


def _objects(reader: YamlReader, path: str, data: bytes) -> Iterator[dict[str, Any]]:
    try:
        documents = reader.values(data)
    except YamlTextError as problem:
        raise unreadable(path, expected=problem.expected, found=problem.found) from problem
    for document in documents:
        if isinstance(document, dict):
            yield document
        elif document is not None:
            raise unreadable(path, expected="Kubernetes objects", found="something else")
