"""`dockerinfo.json`: where each node of a pipeline is, in the exact shape that Graphene's tools read and rewrite."""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec


def dockerinfo(ports: Mapping[str, int]) -> bytes:
    """Return the file for the Services `ports` by name: ports as texts, the address is the name of the Service."""
    entries = [{"container_name": name, "ip_address": name, "port": str(port)} for name, port in ports.items()]
    # As for `blueprint.json`: json escapes in C only without an indent, and msgspec indents in C.
    return msgspec.json.format(json.dumps({"docker_info_list": entries}).encode(), indent=2) + b"\n"
