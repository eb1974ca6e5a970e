"""Service and Ingress: how a node is reached. Node ports are left to the API server: two bundles can never clash."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from shared.kubernetes.labels import Identity
from shared.kubernetes.options import WebUiIngress
from shared.naming import WEB_UI_SUFFIX
from shared.solution import WEB_UI_PORT

WEB_UI_PORT_NAME = "webui"


def service(
    name: str,
    component: str,
    *,
    identity: Identity,
    type_: str,
    port_name: str,
    port: int,
    target_port: int,
) -> dict[str, Any]:
    """Return the Service of a node with its one port; Graphene's script reads and sets only the first."""
    spec = {
        "type": type_,
        "selector": identity.selector(name),
        "ports": [{"name": port_name, "port": port, "targetPort": target_port}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": identity.metadata(name, component), "spec": spec}


def web_ui_service(name: str, component: str, *, identity: Identity, type_: str) -> dict[str, Any]:
    """Return the Service of a node's web UI: the one that Graphene's script derives from the node's own."""
    made = service(
        name,
        component,
        identity=identity,
        type_=type_,
        port_name=WEB_UI_PORT_NAME,
        port=WEB_UI_PORT,
        target_port=WEB_UI_PORT,
    )
    return {**made, "metadata": identity.metadata(f"{name}{WEB_UI_SUFFIX}", component, app=name)}


def ingress(name: str, component: str, *, identity: Identity, options: WebUiIngress) -> dict[str, Any]:
    """Return the Ingress in front of the web UI of `name`. Annotations stay empty: they are code to some controllers."""
    service_name = f"{name}{WEB_UI_SUFFIX}"
    backend = {"service": {"name": service_name, "port": {"name": WEB_UI_PORT_NAME}}}
    rule = {"host": options.host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    spec: dict[str, Any] = {} if options.class_name is UNSET else {"ingressClassName": options.class_name}
    if options.tls_secret is not UNSET:
        spec["tls"] = [{"hosts": [options.host], "secretName": options.tls_secret}]
    spec["rules"] = [rule]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": identity.metadata(service_name, component, app=name),
        "spec": spec,
    }
