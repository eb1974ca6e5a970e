"""Where the running bundle can be reached, from the Services and Ingresses as the API server filled them in. Pure.

A node port is offered only where somebody answers at it: in many clusters machines cannot be reached from outside.
What always works is `kubectl port-forward`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Protocol

from shared.finishing.objects import COMPONENT_LABEL, Manifest, label_of, name_of, of_kinds

ORCHESTRATOR = "orchestrator"
WEB_UI_PORT_NAME = "webui"


class Answers(Protocol):
    """Whether a web server, or a gRPC server, is at a host and port."""

    def __call__(self, host: str, port: int, *, web: bool) -> bool:
        """Ask."""


@dataclass(frozen=True)
class Address:
    """How one Service is reached from here."""

    service: str
    port: int
    """The Service's own, within the cluster."""
    is_web_ui: bool
    url: str
    """`host:port`, or an URL for what a browser opens; empty where only a port-forward leads there."""
    forward: str
    """The kubectl command that always works."""


def addresses(objects: List[Manifest], *, namespace: str, hosts: List[str], answers: Answers) -> List[Address]:
    """Return how the Services are reached that people use; `hosts` are tried for node ports, the best first."""
    ingresses = of_kinds(objects, "Ingress")
    found = []
    for service in for_people(objects):
        url = _ingress_url(service, ingresses) or _balancer_url(service) or _node_url(service, hosts, answers)
        name, port = name_of(service), first_port(service)
        found.append(Address(name, port, is_web_ui(service), url, forward_line(namespace, name, port, port)))
    return found


def for_people(objects: List[Manifest]) -> List[Manifest]:
    """Return the Services for people: the orchestrator first, web UIs, a model; nodes are called by the orchestrator."""
    services = of_kinds(objects, "Service")
    found = [service for service in services if label_of(service, COMPONENT_LABEL) != "node" or is_web_ui(service)]
    return sorted(found, key=lambda service: (name_of(service) != ORCHESTRATOR, name_of(service)))


def is_web_ui(service: Manifest) -> bool:
    """Answer whether a browser is what opens the Service."""
    return bool(_ports(service)[0].get("name") == WEB_UI_PORT_NAME)


def first_port(service: Manifest) -> int:
    """Return the Service's own port."""
    return int(_ports(service)[0].get("port", 0))


def node_port(objects: List[Manifest], name: str) -> Optional[int]:
    """Return the node port that the API server gave to the first port of Service `name`, or None."""
    for service in of_kinds(objects, "Service"):
        if name_of(service) == name:
            return _ports(service)[0].get("nodePort")
    return None


def forward_line(namespace: str, service: str, local: int, port: int) -> str:
    """Return the command that makes a Service reachable on this machine."""
    return f"kubectl port-forward -n {namespace} service/{service} {local}:{port}"


def address_lines(found: List[Address]) -> List[str]:
    """Return one line per address for people."""
    return [f"{address.service}: {address.url or address.forward}" for address in found]


def machines_of(pods: List[Manifest]) -> List[str]:
    """Return the addresses of the machines that run the pods: node ports answer there, if they can be reached."""
    found = [str(pod.get("status", {}).get("hostIP", "")) for pod in pods]
    return sorted(set(found) - {""})


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


def _ports(service: Manifest) -> List[Dict[str, Any]]:
    ports: List[Dict[str, Any]] = service.get("spec", {}).get("ports") or [{}]
    return ports


def _ingress_url(service: Manifest, ingresses: List[Manifest]) -> str:
    """Return the URL of an Ingress that some controller has taken on."""
    for ingress in ingresses:
        if name_of(ingress) == name_of(service) and ingress.get("status", {}).get("loadBalancer", {}).get("ingress"):
            host = ingress["spec"]["rules"][0].get("host", "")
            return f"{'https' if ingress['spec'].get('tls') else 'http'}://{host}/"
    return ""


def _balancer_url(service: Manifest) -> str:
    for entry in service.get("status", {}).get("loadBalancer", {}).get("ingress", []):
        host = entry.get("hostname") or entry.get("ip")
        if host:
            return _url(service, str(host), first_port(service))
    return ""


def _node_url(service: Manifest, hosts: List[str], answers: Answers) -> str:
    port = _ports(service)[0].get("nodePort")
    if not port:
        return ""
    web = is_web_ui(service)
    return next((_url(service, host, port) for host in hosts if answers(host, port, web=web)), "")


def _url(service: Manifest, host: str, port: int) -> str:
    named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"http://{named}/" if is_web_ui(service) else named
