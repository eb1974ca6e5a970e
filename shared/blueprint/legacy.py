"""The oldest generation names the successors of a node (`depends_on`) instead of its operations; they follow from it.

A node has the operations that others call on it. A node that nobody calls is an entry of the pipeline: its operations
stand in `input_operation_signatures`. Every operation of a node is connected to every successor of the node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.blueprint import links
from shared.blueprint.draft import DraftNode, DraftOperation, Link
from shared.blueprint.folders import Folders, is_mount
from shared.blueprint.limits import MAX_MOUNT_PATH, MAX_OPERATIONS, Budget
from shared.blueprint.nodes import is_legacy
from shared.blueprint.place import Place
from shared.solution import Message, Operation

_Named = dict[str, str]  # name of an operation → JSON path of that name


def complete(top: Place, nodes: Sequence[DraftNode], folders: Folders, edges: Budget) -> tuple[DraftNode, ...]:
    """Return the nodes, those of the oldest generation with the operations and links that follow."""
    outgoing = {node.container_name: _links(node.place, folders, edges) for node in nodes if is_legacy(node.place)}
    if not outgoing:
        return tuple(nodes)
    named = _called(nodes, outgoing)
    named.update(_entered(top, [name for name in outgoing if name not in named]))
    return tuple(
        _completed(node, named.get(node.container_name, {}), outgoing[node.container_name], edges)
        if node.container_name in outgoing
        else node
        for node in nodes
    )


def _links(node: Place, folders: Folders, edges: Budget) -> tuple[Link, ...]:
    successors = [_link(entry, folders) for entry in node.members("depends_on", edges)]
    return links.unique([link for link in successors if link], node.findings)


def _link(entry: Place, folders: Folders) -> Link | None:
    entry.missing("name", "container-name-missing", "the name of a node")
    entry.missing("operation_signature", "operation-name-missing", "the operation of the node")
    container = entry.text("name", limit=MAX_MOUNT_PATH)
    signature = entry.member("operation_signature")
    operation, path = _named(signature) if signature else ("", "")
    if not container or folders.hide(container, operation):
        return None
    source = {"container_name": container, "operation_signature": {"operation_name": operation}}
    return Link(container, operation, f"{entry.path}.name", path, source)


def _named(signature: Place) -> tuple[str, str]:
    """Return the name of an operation and its JSON path; its key was `operation` at first."""
    key = "operation_name" if "operation_name" in signature.value else "operation"
    signature.missing(key, "operation-name-missing", "the name of the operation")
    return signature.text(key), f"{signature.path}.{key}"


def _called(nodes: Sequence[DraftNode], outgoing: Mapping[str, Sequence[Link]]) -> dict[str, _Named]:
    """Return the operations that other nodes name, by container name."""
    current = [link for node in nodes for draft in node.operations for link in draft.links]
    called: dict[str, _Named] = {}
    for link in (*current, *(link for group in outgoing.values() for link in group)):
        if link.operation:
            called.setdefault(link.container, {}).setdefault(link.operation, link.operation_path)
    return called


def _entered(top: Place, entries: Sequence[str]) -> dict[str, _Named]:
    """Return the operations of the nodes that nobody calls: one each in order, or all for the only such node."""
    named: list[tuple[str, str]] = []
    for entry in top.members("input_operation_signatures", Budget("operations", MAX_OPERATIONS)):
        signature = entry.member("operation_signature") if "operation_signature" in entry.value else entry
        name, path = _named(signature) if signature else ("", "")
        if name and not is_mount(name):
            named.append((name, path))
    if len(entries) == 1:
        return {entries[0]: dict(named)}
    if len(entries) == len(named):
        return {entry: dict([pair]) for entry, pair in zip(entries, named, strict=True)}
    return {}


def _completed(node: DraftNode, named: _Named, outgoing: tuple[Link, ...], edges: Budget) -> DraftNode:
    _report(node, named, outgoing)
    # The links were counted once when they were read; of n operations each has them all.
    more = max(len(named) - 1, 0) * len(outgoing)
    if edges.take(more) < more:
        path, expected = f"{node.place.path}.depends_on", f"at most {edges.limit} edges"
        node.place.findings.error("too-many-edges", path, expected=expected, found="more")
        outgoing = ()
    drafts = (
        DraftOperation(Operation(name, Message(""), Message("")), outgoing, path, _source(name))
        for name, path in named.items()
    )
    return replace(node, operations=tuple(drafts), loose=() if named else outgoing)


def _report(node: DraftNode, named: _Named, outgoing: Sequence[Link]) -> None:
    findings, path = node.place.findings, f"{node.place.path}.depends_on"
    if outgoing and not named:
        found = "none or too few in input_operation_signatures"
        findings.error("operation-unknown", path, expected="an operation whose output goes there", found=found)
    if outgoing and len(named) > 1:
        found = f"{len(named)} operations; the output of each goes there"
        findings.warning("operation-ambiguous", path, expected="one operation whose output goes there", found=found)
    for operation_path in named.values():
        hint = "this generation of the format does not say them"
        expected = "the names of the messages"
        findings.warning("message-name-missing", operation_path, expected=expected, found="nothing", hint=hint)


def _source(name: str) -> dict[str, dict[str, str]]:
    return {"operation_signature": {"operation_name": name}}
