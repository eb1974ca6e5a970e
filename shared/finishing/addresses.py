"""Where the running pipeline can be reached, from the Services as the API server filled them in. Pure."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from shared.finishing.stages import Manifest

ORCHESTRATOR = "orchestrator"


def node_port(services: List[Manifest], name: str) -> Optional[int]:
    """Return the node port that the API server gave to the first port of Service `name`, or None."""
    for service in services:
        if service["metadata"]["name"] == name:
            ports = service["spec"].get("ports", [])
            return ports[0].get("nodePort") if ports else None
    return None


def lines(services: List[Manifest], *, namespace: str, host: Optional[str]) -> List[str]:
    """Return one line per Service: its node address when it has one, and the port-forward line that always works."""
    return [_line(service, namespace=namespace, host=host) for service in services]


def with_orchestrator_port(dockerinfo: str, port: int) -> str:
    """Return `dockerinfo.json` with the orchestrator's port as an integer: Graphene's playground dials it from there.

    Raises:
        ValueError: the text is not the JSON that Graphene's tools exchange.
    """
    document: Dict[str, Any] = json.loads(dockerinfo)
    for entry in document.get("docker_info_list", []):
        if entry.get("container_name") == ORCHESTRATOR:
            entry["port"] = port
    return json.dumps(document, indent=2) + "\n"


def _line(service: Manifest, *, namespace: str, host: Optional[str]) -> str:
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]
    forward = "kubectl port-forward -n {} service/{} {}:{}".format(namespace, name, port["port"], port["port"])
    if port.get("nodePort") and host:
        return "{}: {}:{}  or  {}".format(name, host, port["nodePort"], forward)
    return "{}: {}".format(name, forward)
