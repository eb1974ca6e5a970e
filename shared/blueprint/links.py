"""Reads what an operation is connected to, without the links that only mount shared folders."""

from __future__ import annotations

from collections.abc import Sequence

from shared.blueprint.collector import Collector
from shared.blueprint.draft import Link
from shared.blueprint.folders import Folders
from shared.blueprint.limits import MAX_MOUNT_PATH, Budget
from shared.blueprint.place import Place
from shared.findings import quoted


def read(operation: Place, folders: Folders, edges: Budget) -> tuple[Link, ...]:
    """Return the links of an entry of `operation_signature_list`, each once."""
    links = [_link(entry, folders) for entry in operation.members("connected_to", edges)]
    return unique([link for link in links if link], operation.findings)


def unique(links: Sequence[Link], findings: Collector) -> tuple[Link, ...]:
    """Drop links that lead to the same operation as an earlier one: a message would arrive twice."""
    if len(links) <= 1:
        return tuple(links)
    kept: dict[tuple[str, str], Link] = {}
    for link in links:
        end = (link.container, link.operation)
        if end in kept and link.operation:
            found = f"{quoted(link.container)} {quoted(link.operation)} again"
            findings.note("edge-merged", link.container_path, expected="each edge once", found=found)
        kept.setdefault(end, link)
    return tuple(kept.values())


def _link(entry: Place, folders: Folders) -> Link | None:
    container = entry.text("container_name", limit=MAX_MOUNT_PATH)
    signature = entry.member("operation_signature")
    operation = signature.text("operation_name") if signature else ""
    if folders.hide(container, operation):
        return None
    if not container:
        entry.missing("container_name", "container-name-missing", "the name of a node")
        return None
    if not operation:
        entry.missing("operation_signature", "operation-name-missing", "the operation of the node")
    if signature and not operation:
        signature.missing("operation_name", "operation-name-missing", "the operation of the node")
    operation_path = f"{entry.path}.operation_signature.operation_name"
    return Link(container, operation, f"{entry.path}.container_name", operation_path, entry.value)
