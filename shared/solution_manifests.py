"""What only the Kubernetes objects of a solution.zip tell: a model's image, where shared folders are mounted, legacies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared import json_text
from shared.errors import InvalidSolutionError
from shared.findings import Finding, note
from shared.json_text import JsonTextError
from shared.kubernetes import left_out, legacy
from shared.solution import SharedFolder
from shared.unreadable import unreadable
from shared.yaml_text import YamlReader, YamlTextError

MAX_BYTES = 2 << 20  # of all files that are read; of a pipeline with one shared folder that is one
MAX_EVENTS = 100_000  # of all files, too: a Deployment has 150

_BLUEPRINT = "blueprint.json"
_FOLDER = "deployments/"
_CLAIM = re.compile(r"deployments/pvc(?:-([2-9]|[1-9][0-9]{1,2}))?\.yaml")
_WORKLOAD = re.compile(r"deployments/(?!jupyter-)[^/]*(?:deployment|job)[^/]*\.yaml")
_MANIFEST = re.compile(r"deployments/[^/]+\.yaml")
_VARIABLE = b"SHARED_FOLDER_PATH"


def model_image(files: Mapping[str, bytes]) -> str:
    """Return the image of the one workload; Graphene's helper pod (`jupyter-…`) does not count.

    Raises:
        InvalidSolutionError: there is none, or a file is not readable YAML.
    """
    for container in _containers(_Reader(files), sorted(path for path in files if _WORKLOAD.fullmatch(path))):
        image = container.get("image")
        if isinstance(image, str) and image:
            return image
    raise unreadable(f"{_FOLDER}deployment.yaml", expected="the image of the model", found="none")


def shared_folder_paths(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the mount path of every claim (`pvc.yaml`, `pvc-2.yaml`, …), as the nodes' environment tells it.

    Raises:
        InvalidSolutionError: a file that tells it is not readable YAML.
    """
    claims = sorted(int(claim[1] or 1) for path in files if (claim := _CLAIM.fullmatch(path)))
    wanted = [SharedFolder(index, "").variable for index in claims]
    told = sorted(path for path in files if _WORKLOAD.fullmatch(path) and _VARIABLE in files[path])
    found: dict[str, str] = {}
    reader = _Reader(files)
    for container in _containers(reader, told if wanted else []):
        for name, value in _environment(container):
            found.setdefault(name, value)
        if found.keys() >= set(wanted):
            break
    return tuple(found[variable] for variable in wanted if variable in found)


def legacies(files: Mapping[str, bytes]) -> tuple[Finding, ...]:
    """Return a finding for each of Graphene's legacies in the manifests, and for what else a bundle that is built anew lacks."""
    reader = _Reader(files)
    try:
        documents = [document for path in sorted(files) if _MANIFEST.fullmatch(path) for document in reader.read(path)]
    except InvalidSolutionError as unread:
        # The manifests are not what the bundle is built from: whoever cannot read them all only knows less.
        (reason,) = unread.findings
        return (note("legacy-unread", reason.path, expected=reason.expected, found=reason.found),)
    kept, findings = legacy.normalise([document for document in documents if isinstance(document, dict)])
    return tuple(findings + left_out.findings(kept, _blueprint_images(files)))


def _blueprint_images(files: Mapping[str, bytes]) -> left_out.Images | None:
    """Return the images that the blueprint names; whether it is sound, others find out."""
    if _BLUEPRINT not in files:
        return None
    try:
        document = json_text.read(files[_BLUEPRINT], max_bytes=MAX_BYTES)
    except JsonTextError:
        return {}
    nodes = [(node.get("container_name"), node.get("image")) for node in _entries(document, "nodes")]
    return {
        # Graphene's generators name the objects in lower case.
        name.casefold(): (name, image)
        for name, image in nodes
        if isinstance(name, str) and isinstance(image, str)
    }


class _Reader:
    """Reads manifests within one limit for all of them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._yaml = YamlReader(max_bytes=MAX_BYTES, max_events=MAX_EVENTS)

    def read(self, path: str) -> list[Any]:
        """Return the documents of a file."""
        try:
            return self._yaml.texts(self._files[path])
        except YamlTextError as problem:
            raise unreadable(path, expected=problem.expected, found=problem.found) from problem


def _containers(reader: _Reader, paths: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the containers of the pods that the files describe."""
    for path in paths:
        for document in reader.read(path):
            pod = _member(_member(_member(document, "spec"), "template"), "spec")
            yield from _entries(pod, "containers")


def _environment(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for variable in _entries(container, "env"):
        name, value = variable.get("name"), variable.get("value")
        if isinstance(name, str) and isinstance(value, str) and value:
            yield name, value


def _member(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _entries(value: Any, key: str) -> list[dict[str, Any]]:
    entries = _member(value, key)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
