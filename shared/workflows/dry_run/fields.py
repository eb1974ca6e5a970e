"""What of a document is carried out, what changes nothing here, and what is refused: no field is passed over in silence."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError, Say

Document = Mapping[str, Any]
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


class Reader:
    """Reads documents, and remembers what is left out."""

    def __init__(self) -> None:
        self._left_out: dict[str, None] = {}

    @property
    def left_out(self) -> tuple[str, ...]:
        """Everything that has no effect here, each once, in the order of reading."""
        return tuple(self._left_out)

    def tell(self, say: Say) -> None:
        """Say once what has no effect here."""
        if self._left_out:
            say(f"left out here: {', '.join(self._left_out)}")

    def leave_out(self, text: str) -> None:
        """Remember something that has no effect here."""
        self._left_out[text] = None

    def check(self, document: Any, path: str, *, known: Collection[str], harmless: Collection[str] = ()) -> Document:
        """Return the document when all of its fields are carried out, or change nothing on one machine.

        Raises:
            PackageError: a field would change what happens, and is not carried out here.
        """
        if not isinstance(document, Mapping):
            raise PackageError(f"{path}: expected a mapping, found {quoted(document)}")
        for key in document:
            if key in harmless:
                self.leave_out(key)
            elif key not in known:
                raise PackageError(f"{path}.{key}: a dry run does not carry this out")
        return document


def items(document: Document, key: str, path: str) -> list[Document]:
    """Return a list of mappings; empty when the key is missing.

    Raises:
        PackageError: it is something else.
    """
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise PackageError(f"{path}.{key}: expected a list of mappings")
    return found


def by_name(document: Document, key: str, path: str) -> dict[str, Document]:
    """Return a list of mappings by their `name`.

    Raises:
        PackageError: one has no name, or that of another.
    """
    found: dict[str, Document] = {}
    for each in items(document, key, path):
        name = each.get("name")
        if not isinstance(name, str) or not name or name in found:
            raise PackageError(f"{path}.{key}: expected a name of its own for each, found {quoted(name)}")
        found[name] = each
    return found


def named(document: Document, key: str, path: str) -> dict[str, Document]:
    """Return a mapping of names to mappings; empty when the key is missing.

    Raises:
        PackageError: it is something else.
    """
    found = document.get(key) or {}
    if not isinstance(found, Mapping):
        raise PackageError(f"{path}.{key}: expected a mapping, found {quoted(found)}")
    for name, each in found.items():
        if not isinstance(name, str) or not isinstance(each, Mapping):
            raise PackageError(f"{path}.{key}: expected names and mappings, found {quoted(name)}: {quoted(each)}")
    return dict(found)


def mapping(document: Document, key: str, path: str) -> Document:
    """Return a mapping; an empty one when the key is missing.

    Raises:
        PackageError: it is something else.
    """
    found = document.get(key) or {}
    if not isinstance(found, Mapping):
        raise PackageError(f"{path}.{key}: expected a mapping, found {quoted(found)}")
    return found


def number(document: Document, key: str, path: str, default: float) -> float:
    """Return a number of at least 0, which may stand there as a text.

    Raises:
        PackageError: it is something else.
    """
    found = document.get(key, default)
    if isinstance(found, bool) or not _NUMBER.fullmatch(str(found)):
        raise PackageError(f"{path}.{key}: expected a number, found {quoted(found)}")
    return float(found)


def text(document: Document, key: str, path: str) -> str:
    """Return a text.

    Raises:
        PackageError: it is missing, or something else.
    """
    found = document.get(key)
    if not isinstance(found, str) or not found:
        raise PackageError(f"{path}.{key}: expected a text, found {quoted(found)}")
    return found


def place(document: Document, key: str, path: str) -> str:
    """Return the path of a folder or file in a container, without a `/` at its end.

    Raises:
        PackageError: it is none, or could lead out of what it is put into on this machine.
    """
    found = text(document, key, path).rstrip("/")
    if not found.startswith("/") or {".", ".."} & set(found.split("/")):
        raise PackageError(f"{path}.{key}: expected a path such as /data, found {quoted(document[key])}")
    return found


def texts(document: Document, key: str, path: str) -> list[str]:
    """Return a list of texts; empty when the key is missing.

    Raises:
        PackageError: it is something else.
    """
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise PackageError(f"{path}.{key}: expected a list of texts")
    return found
