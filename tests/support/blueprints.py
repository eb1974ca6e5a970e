"""Small blueprints of current form, and short views on what became of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from shared import blueprint
from shared.blueprint import Parsed
from shared.solution import Solution, SolutionFiles

PROTO = b'syntax = "proto3";\nmessage Item {}\nservice Work { rpc process(Item) returns (Item); }\n'


_WITHOUT_PROTO = {"splitter", "collator", "probe", "sharedfolder", "rest"}


def operation(name: str = "process", *targets: str, takes: str = "Item", gives: str = "Item", **more: Any) -> Any:
    """Return an entry of `operation_signature_list`; a target is `node.operation`."""
    return {
        "operation_signature": {"operation_name": name, "input_message_name": takes, "output_message_name": gives},
        "connected_to": [link(*target.split(".")) for target in targets],
        **more,
    }


def link(container: str, name: str = "process") -> Any:
    """Return an entry of `connected_to` or `input_ports`."""
    return {"container_name": container, "operation_signature": {"operation_name": name}}


def node(name: str, *operations: Any, **more: Any) -> Any:
    """Return a node, by default with one operation `process`."""
    return {
        "container_name": name,
        "node_type": "MLModel",
        "image": "registry.example/model:1",
        "proto_uri": f"org/{name}.proto",
        "operation_signature_list": list(operations or [operation()]),
        **more,
    }


def folder(path: str, *targets: str) -> Any:
    """Return a shared folder that the targets mount."""
    return node(path, operation("provideFolder", *targets), node_type="SharedFolder", image="example/virtual:1")


def document(*nodes: Any, **more: Any) -> Any:
    """Return a blueprint."""
    return {"name": "sample", "version": "1.0", "nodes": list(nodes), **more}


def parse(source: Any, **files: Any) -> Parsed:
    """Parse a blueprint given as JSON value or as bytes; every node has a proto unless `protos` says which have."""
    data = source if isinstance(source, bytes) else json.dumps(source).encode()
    if "protos" not in files:
        named = (n for n in source["nodes"] if str(n.get("node_type")).lower() not in _WITHOUT_PROTO)
        files["protos"] = {
            n["container_name"]: PROTO for n in named if isinstance(n["container_name"], str) and n["container_name"]
        }
    return blueprint.parse(SolutionFiles(**{"name": "", "blueprint": data, **files}))


def solution(source: Any, **files: Any) -> Solution:
    """Return the solution of a blueprint that has no error."""
    parsed = parse(source, **files)
    assert parsed.solution is not None
    assert not parsed.findings.errors, list(map(str, parsed.findings))
    return parsed.solution


def found(parsed: Parsed) -> list[tuple[str, str, str]]:
    """Return severity, code and path of every finding."""
    return [(finding.severity.value, finding.code, finding.path) for finding in parsed.findings]


def operations(made: Solution) -> dict[str, list[str]]:
    """Return the names of the operations by the name of their node."""
    return {node.name: [operation.name for operation in node.operations] for node in made.nodes}


def edges(made: Solution) -> list[str]:
    """Return the edges as `source.operation -> target.operation`."""
    return [f"{e.source}.{e.source_operation} -> {e.target}.{e.target_operation}" for e in made.edges]


def links(entry: Any) -> Sequence[str]:
    """Return the targets of an entry of `operation_signature_list` as `node.operation`."""
    return [f"{to['container_name']}.{to['operation_signature']['operation_name']}" for to in entry["connected_to"]]
