"""Nodes as read, before they get their names and before anybody looked where their links lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.blueprint.place import Place
from shared.solution import ImageRef, Operation, Role


@dataclass(frozen=True, slots=True)
class Link:
    """What an operation is connected to: one edge, if its ends exist."""

    container: str
    operation: str
    """Empty when the source does not say it; that is an error already."""
    container_path: str
    operation_path: str
    source: Mapping[str, Any]
    """The entry of `connected_to`."""


@dataclass(frozen=True, slots=True)
class DraftOperation:
    """An operation with its outgoing links."""

    operation: Operation
    links: tuple[Link, ...]
    path: str
    """JSON path of its name."""
    source: Mapping[str, Any]
    """The entry of `operation_signature_list`."""


@dataclass(frozen=True, slots=True)
class DraftNode:
    """A node that is no shared folder."""

    place: Place
    container_name: str
    role: Role
    node_type: str
    image: ImageRef | None
    proto_uri: str
    operations: tuple[DraftOperation, ...]
    settings: Mapping[str, Any]
    loose: tuple[Link, ...] = ()
    """Links of a node whose operations are not known; that is an error already, where they lead is still checked."""
