"""Where the server reaches what runs in a deployment: by the name of its Service, or from outside by a forwarded port.

Signatures for the writing half:
    Reach(client, cache, is_inside=<the server runs in the cluster>)
    .orchestrator(namespace) -> Address; .web_ui(namespace, node) -> Address
        NotFoundError: there is none; UnavailableError: it is not up
    .close()
Outside it needs in the deployment's namespace: pods/portforward create and get.
"""

from __future__ import annotations

import threading

from lightkube import Client

from playground.runtime.deployment import Address
from playground.runtime.kubernetes.api import Api
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.forwarding import Forwarding
from playground.runtime.kubernetes.objects import Pod, Service, manifest
from shared.errors import NotFoundError, UnavailableError
from shared.findings import quoted
from shared.finishing.readiness import is_pod_ready
from shared.naming import WEB_UI_SUFFIX
from shared.solution import ORCHESTRATOR

_Place = tuple[str, str]
"""Namespace and name of a Service."""


class Reach:
    """See the module. Its methods may be called from many threads."""

    def __init__(self, client: Client, cache: Cache, *, is_inside: bool) -> None:
        self._cache, self._is_inside = cache, is_inside
        self._api = Api(client.config)
        self._lock = threading.Lock()
        self._forwardings: dict[_Place, Forwarding] = {}

    def close(self) -> None:
        """End all forwarded ports."""
        with self._lock:
            for forwarding in self._forwardings.values():
                forwarding.close()
            self._forwardings.clear()
        self._api.close()

    def orchestrator(self, namespace: str) -> Address:
        """Return where the orchestrator's services answer.

        Raises:
            NotFoundError: a model has none.
            UnavailableError: it is not up.
        """
        return self._address(namespace, ORCHESTRATOR, "the deployment has no orchestrator")

    def web_ui(self, namespace: str, node: str) -> Address:
        """Return where the web UI of a node answers.

        Raises:
            NotFoundError: the node has none.
            UnavailableError: the node is not up.
        """
        return self._address(namespace, f"{node}{WEB_UI_SUFFIX}", f"node {quoted(node)} has no web UI")

    def _address(self, namespace: str, name: str, missing: str) -> Address:
        service = self._service(namespace, name)
        if service is None or not service.spec.ports:
            raise NotFoundError(missing)
        self._ready_pod(service)
        if self._is_inside:
            return Address(f"{name}.{namespace}.svc", service.spec.ports[0].port)
        return self._forwarded((namespace, name))

    def _service(self, namespace: str, name: str) -> Service | None:
        return next((one for one in self._cache.services(namespace) if one.metadata.name == name), None)

    def _ready_pod(self, service: Service) -> Pod:
        """Return a pod behind a Service that serves."""
        wanted = service.spec.selector.items()
        for pod in self._cache.pods(service.metadata.namespace):
            if wanted and wanted <= pod.metadata.labels.items() and is_pod_ready(manifest(pod)):
                return pod
        raise UnavailableError("it is not up at present")

    def _forwarded(self, place: _Place) -> Address:
        with self._lock:
            for namespace, name in [key for key in self._forwardings if self._service(*key) is None]:
                self._forwardings.pop((namespace, name)).close()
            if place not in self._forwardings:
                self._forwardings[place] = Forwarding(self._api, lambda: self._target(place))
            return self._forwardings[place].address

    def _target(self, place: _Place) -> tuple[str, str, int]:
        service = self._service(*place)
        if service is None or not service.spec.ports:
            raise UnavailableError("it is not up at present")
        port = service.spec.ports[0]
        number = port.target_port if isinstance(port.target_port, int) and port.target_port else port.port
        return place[0], self._ready_pod(service).metadata.name, number
