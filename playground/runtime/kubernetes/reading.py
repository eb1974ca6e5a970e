"""The manifests of a bundle, as plain values: read with limits, because a stranger wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from shared.unreadable import unreadable

MAX_BYTES = 4 << 20  # of all files: 3 KiB for each object of a pipeline of 500 nodes
MAX_EVENTS = 400_000  # of all files: a Deployment has 150
MAX_DEPTH = 30  # a pod template is 12 deep
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
    if sum(len(files[path]) for path in paths) > MAX_BYTES:
        raise unreadable("deployments/", expected=f"at most {MAX_BYTES} bytes of YAML", found="more")
    _refuse_costly(files, paths)
    found = tuple(Read(path, manifest) for path in paths for manifest in _objects(path, files[path]))
    if not 0 < len(found) <= MAX_OBJECTS:
        raise unreadable("deployments/", expected=f"1 to {MAX_OBJECTS} objects", found=str(len(found)))
    return found


def _refuse_costly(files: Mapping[str, bytes], paths: list[str]) -> None:
    """Refuse what would cost more than its size to build: before that, only its events are looked at."""
    left = MAX_EVENTS
    for path in paths:
        depth = 0
        for event in _events(path, files[path]):
            left -= 1
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if left < 0 or depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent):
                raise unreadable(path, expected=f"YAML without aliases, at most {MAX_DEPTH} levels deep", found="more")


def _events(path: str, data: bytes) -> Iterator[Any]:
    try:
        yield from yaml.parse(data, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise unreadable(path, expected="YAML", found="something else") from problem


def _objects(path: str, data: bytes) -> Iterator[dict[str, Any]]:
    try:
        documents = list(yaml.load_all(data, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError) as problem:  # a date that no calendar has is a ValueError
        raise unreadable(path, expected="YAML of the plain sort", found="something else") from problem
    for document in documents:
        if isinstance(document, dict):
            yield document
        elif document is not None:
            raise unreadable(path, expected="Kubernetes objects", found="something else")
