"""Where the protos of a blueprint are kept, asked by a persistence service before it has them."""

from __future__ import annotations

from collections.abc import Mapping

from shared import json_text
from shared.blueprint import folders, nodes
from shared.blueprint.collector import Collector
from shared.blueprint.limits import MAX_BYTES, MAX_NODES, MAX_URI, Budget
from shared.blueprint.place import Place
from shared.json_text import JsonTextError
from shared.solution import Role


def proto_uris(data: bytes) -> Mapping[str, str]:
    """Return the `proto_uri` of every node that has a proto, by container name, unchecked.

    Tolerant: what cannot be read has none here, and a finding in `parse`.
    """
    try:
        value = json_text.examine(data, max_bytes=MAX_BYTES).value
    except JsonTextError:
        return {}
    if not isinstance(value, dict):
        return {}
    uris: dict[str, str] = {}
    for node in Place(value, "$", Collector()).members("nodes", Budget("nodes", MAX_NODES)):
        container, uri = node.text("container_name"), node.text("proto_uri", limit=MAX_URI)
        if container and uri and not folders.is_folder(node) and nodes.role(node.text("node_type")) is Role.WORKLOAD:
            uris.setdefault(container, uri)
    return uris
