"""The pipelines that are measured: chains of plain gRPC nodes with a proto each, of any length; the first one is a source."""

from __future__ import annotations

import json

from shared.solution import Ids, RevisionId, SolutionFiles, SolutionId

IDS = Ids(SolutionId("0a1b2c3d-0000-4000-8000-000000000000"), RevisionId("1"))


def name(index: int) -> str:
    """Return the container name of a node."""
    return f"node{index}"


def blueprint(nodes: int) -> bytes:
    """Return the blueprint of a chain."""
    return json.dumps({"name": "chain", "version": "1", "nodes": [_node(i, nodes) for i in range(nodes)]}).encode()


def proto(index: int) -> bytes:
    """Return the proto of a node, about as long as real ones are."""
    fields = "\n".join(f"  string field_{number} = {number};" for number in range(1, 12))
    return (
        f'syntax = "proto3";\n\n// Node {index} of a chain.\nmessage Row {{\n{fields}\n}}\n\n'
        f"message Empty {{\n}}\n\nservice Node {{\n  rpc run({_input(index)}) returns (Row);\n}}\n"
    ).encode()


def files(nodes: int) -> SolutionFiles:
    """Return the solution as a persistence gives it."""
    protos = {name(index): proto(index) for index in range(nodes)}
    return SolutionFiles(name="chain", blueprint=blueprint(nodes), protos=protos, ids=IDS)


def folder(nodes: int) -> dict[str, bytes]:
    """Return the files of the solution's folder by relative path."""
    protos = {f"microservice/{name(index)}.proto": proto(index) for index in range(nodes)}
    return {"blueprint.json": blueprint(nodes), **protos}


def _input(index: int) -> str:
    return "Row" if index else "Empty"


def _node(index: int, nodes: int) -> dict[str, object]:
    following = [{"container_name": name(index + 1), "operation_signature": {"operation_name": "run"}}]
    signature = {
        "operation_name": "run",
        "input_message_name": _input(index),
        "input_message_stream": False,
        "output_message_name": "Row",
        "output_message_stream": False,
    }
    return {
        "container_name": name(index),
        "node_type": "MLModel",
        "image": f"registry.example.org:5000/team/node:{index}.0",
        "proto_uri": f"org/acumos/chain/node{index}/1.0.0/node{index}-1.0.0.proto",
        "operation_signature_list": [
            {"operation_signature": signature, "connected_to": following if index + 1 < nodes else []}
        ],
    }
