"""The blueprint that travels: the source with the names of Slipway, without shared folders, else as the author wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.blueprint.draft import DraftNode, DraftOperation
from shared.blueprint.folders import Folders
from shared.blueprint.limits import MAX_MOUNT_PATH, MAX_PORTS, Budget
from shared.blueprint.place import Place
from shared.findings import quoted
from shared.solution import Message

# Where the settings of splitters and collators name other nodes.
_ENDS = {
    "splitter_map": ("map_outputs", "output_field", "target_name"),
    "collator_map": ("map_inputs", "input_field", "source_name"),
}


def travelling(
    top: Place, nodes: Sequence[DraftNode], names: Mapping[str, str], folders: Folders, *, name: str
) -> dict[str, Any]:
    """Return the document; keys keep their order, unknown ones stay, `name` is added where the source has none."""
    document = {**top.value, "nodes": [_node(node, names, folders) for node in nodes]}
    if top.value.get("input_ports") is not None:
        document["input_ports"] = _ports(top, nodes, names, folders)
    if not top.value.get("name"):
        document["name"] = name
    return document


def _node(node: DraftNode, names: Mapping[str, str], folders: Folders) -> dict[str, Any]:
    document = {**node.place.value, "container_name": names[node.container_name]}
    if node.image:
        document["image"] = node.image
    if isinstance(document.get("depends_on"), list):
        document["depends_on"] = [
            _renamed(entry, "name", names)
            for entry in document["depends_on"]
            if not (isinstance(entry, dict) and _text(entry, "name") in folders.containers)
        ]
    for key, ends in _ENDS.items():
        if isinstance(document.get(key), dict):
            document[key] = _mapped(document[key], *ends, names)
    document["operation_signature_list"] = [_operation(draft, names) for draft in node.operations]
    return document


def _mapped(settings: dict[str, Any], fields: str, field: str, end: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a map with the new names of the nodes that it takes from or gives to."""
    entries = settings.get(fields)
    if not isinstance(entries, list):
        return settings
    renamed = [
        {**entry, field: _renamed(entry[field], end, names)} if isinstance(entry, dict) and field in entry else entry
        for entry in entries
    ]
    return {**settings, fields: renamed}


def _operation(draft: DraftOperation, names: Mapping[str, str]) -> dict[str, Any]:
    signature = dict(draft.source["operation_signature"])
    for direction, message in (("input", draft.operation.input), ("output", draft.operation.output)):
        _set_stream(signature, f"{direction}_message_stream", message)
    connected = [_renamed(link.source, "container_name", names) for link in draft.links]
    return {**draft.source, "operation_signature": signature, "connected_to": connected}


def _set_stream(signature: dict[str, Any], key: str, message: Message) -> None:
    """Write a flag as true or false where the author wrote it at all: as text, "false" reads as true elsewhere."""
    if key in signature:
        signature[key] = message.stream


def _ports(top: Place, nodes: Sequence[DraftNode], names: Mapping[str, str], folders: Folders) -> list[dict[str, Any]]:
    """Return the `input_ports`, each once: the design studio of Acumos writes some of them several times."""
    known = {(node.container_name, draft.operation.name) for node in nodes for draft in node.operations}
    kept: dict[tuple[str, str], dict[str, Any]] = {}
    for port in top.members("input_ports", Budget("input ports", MAX_PORTS)):
        container = port.text("container_name", limit=MAX_MOUNT_PATH)
        signature = port.member("operation_signature")
        operation = signature.text("operation_name") if signature else ""
        if folders.hide(container, operation):
            continue
        if (container, operation) not in known:
            expected, found = "an operation of a node", f"{quoted(container)} {quoted(operation)}"
            top.findings.warning("input-port-dangling", port.path, expected=expected, found=found)
        kept.setdefault((container, operation), _renamed(port.value, "container_name", names))
    return list(kept.values())


def _renamed(entry: Any, key: str, names: Mapping[str, str]) -> Any:
    name = names.get(_text(entry, key)) if isinstance(entry, dict) else None
    return entry if name is None else {**entry, key: name}


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
