"""Volumes as folders of the run: ConfigMaps out of the package, claims that stay for the run, empty ones for each pod."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.findings import quoted
from shared.naming import label
from shared.workflows.dry_run import fields
from shared.workflows.dry_run.containers import ConfigMaps
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.outcome import PackageError

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
"""What Kubernetes takes as a key of a ConfigMap."""
_NOWHERE = Path("/nonexistent")


def config_map(document: Document) -> dict[str, bytes]:
    """Return the data of a ConfigMap.

    Raises:
        PackageError: its binary data are no base64.
    """
    data = {str(key): str(value).encode() for key, value in (document.get("data") or {}).items()}
    try:
        binary = {
            str(key): base64.b64decode(value, validate=True)
            for key, value in (document.get("binaryData") or {}).items()
        }
    except (binascii.Error, TypeError, ValueError) as problem:
        raise PackageError(f"ConfigMap {quoted(_name(document))}: binaryData: expected base64") from problem
    return data | binary


def _name(document: Document) -> str:
    return str(fields.mapping(document, "metadata", str(document.get("kind"))).get("name", ""))


class Volumes:
    """The volumes of one run."""

    def __init__(self, folder: Path, config_maps: ConfigMaps, reader: Reader) -> None:
        self._folder = folder
        self._config_maps = config_maps
        self._reader = reader

    def known(self, documents: list[Document], path: str) -> dict[str, Path]:
        """Check the volumes and return their names; nothing is made.

        Raises:
            PackageError: one is of a kind that there is not here.
        """
        return {name: _NOWHERE for name, _, _ in self._kinds(documents, path)}

    def made(self, documents: list[Document], path: str, pod: str) -> dict[str, Path]:
        """Make the folders for a pod, and return them by the name of the volume."""
        return {name: self._made(kind, source, pod, name) for name, kind, source in self._kinds(documents, path)}

    def _kinds(self, documents: list[Document], path: str) -> Iterator[tuple[str, str, Document]]:
        for index, document in enumerate(documents):
            where = f"{path}.volumes[{index}]"
            name = fields.text(document, "name", where)
            kinds = ("emptyDir", "configMap", "projected", "persistentVolumeClaim")
            self._reader.check(document, where, known=("name", *kinds))
            kind = next((kind for kind in kinds if kind in document), None)
            if kind is None:
                raise PackageError(f"{where}: expected one of {', '.join(kinds)}")
            yield name, kind, self._checked(kind, document[kind], f"{where}.{kind}")

    def _checked(self, kind: str, source: Any, path: str) -> Document:
        known = {
            "emptyDir": ("sizeLimit", "medium"),
            "configMap": ("name", "optional"),
            "projected": ("sources",),
            "persistentVolumeClaim": ("claimName", "readOnly"),
        }
        checked = self._reader.check(source or {}, path, known=known[kind])
        for name, is_optional in _maps(kind, checked, path, self._reader):
            if name not in self._config_maps and not is_optional:
                raise PackageError(f"{path}: expected a ConfigMap of the package, found {quoted(name)}")
        return checked

    def _made(self, kind: str, source: Document, pod: str, name: str) -> Path:
        if kind == "persistentVolumeClaim":
            return _folder(self._folder / "claims" / label(str(source["claimName"])))
        folder = _folder(self._folder / "volumes" / pod / label(name))
        for held, _ in _maps(kind, source, name, self._reader):
            for file, content in self._config_maps.get(held, {}).items():
                if not _KEY.fullmatch(file) or file.startswith(".."):
                    raise PackageError(f"ConfigMap {quoted(held)}: expected names of files, found {quoted(file)}")
                (folder / file).write_bytes(content)
        return folder


def _maps(kind: str, source: Document, path: str, reader: Reader) -> Iterator[tuple[str, bool]]:
    """Yield the ConfigMaps of a volume, and whether each may be missing."""
    if kind == "configMap":
        yield fields.text(source, "name", path), source.get("optional") is True
    for index, part in enumerate(fields.items(source, "sources", path) if kind == "projected" else ()):
        where = f"{path}.sources[{index}].configMap"
        inner = reader.check(part, where, known=("configMap",)).get("configMap")
        held = reader.check(inner, where, known=("name", "optional"))
        yield fields.text(held, "name", where), held.get("optional") is True


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def named(documents: list[Mapping[str, Any]], kind: str) -> dict[str, Document]:
    """Return the objects of a kind by name."""
    return {_name(document): document for document in documents if document.get("kind") == kind}
