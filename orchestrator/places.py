"""Where in blueprint.json a node or operation stands: findings point there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.solution import Node, Solution


def nodes(solution: Solution) -> dict[str, str]:
    """Return the JSON path of every node."""
    raw = solution.document.get("nodes")
    names = [_text(node, "container_name") for node in raw] if isinstance(raw, list) else []
    paths = {}
    for number, node in enumerate(solution.nodes):
        known = next((names.index(name) for name in (node.name, node.container_name) if name in names), number)
        paths[node.name] = f"$.nodes[{known}]"
    return paths


def _text(value: Any, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def signature(document: Mapping[str, Any], node: Node, operation: str) -> Mapping[str, Any] | None:
    """Return the operation's signature as the blueprint has it, or None."""
    raw_nodes = document.get("nodes")
    for raw in raw_nodes if isinstance(raw_nodes, list) else ():
        if _text(raw, "container_name") not in {node.name, node.container_name}:
            continue
        for entry in raw.get("operation_signature_list") or ():
            found = entry.get("operation_signature") if isinstance(entry, dict) else None
            if _text(found, "operation_name") == operation and isinstance(found, dict):
                return found
    return None
