"""Web UIs for the tests of the proxy: a runtime that says where they are, the proxy before it, and raw bytes to both."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

from support.playground import ADA, SECRET

from playground.proxy.limits import Limits
from playground.proxy.links import Links
from playground.proxy.places import Places
from playground.proxy.serving import ProxyServer
from playground.proxy.settings import UiSettings
from playground.runtime.deployment import Address, Deployment, DeploymentId, NodeStatus, State
from playground.runtime.interface import Runtime
from playground.server.blueprints import Blueprints
from playground.server.desk import Desk
from playground.server.orchestrator_control import OrchestratorControl
from playground.server.pipelines import Pipelines
from playground.server.streams import Streams
from shared.errors import NotFoundError, UnavailableError
from shared.principal import Principal
from shared.settings import Secret
from shared.web.limits import Gate, RateLimit
from shared.web.sessions import Session

KEY = Secret(SECRET)
MINE, OTHER = "stream-0123456789", "other-0123456789"
NODE = "dashboard"
DOMAIN = "ui.localhost"
QUICK = Limits(
    head_seconds=0.6,
    idle_seconds=0.6,
    connect_seconds=1.0,
    answer_seconds=0.8,
    silence_seconds=1.2,
    recheck_seconds=0.05,
)


@dataclass
class Told:
    """A runtime that knows what a test tells it: no real one goes through all states on demand."""

    deployments: dict[str, Deployment] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)
    failure: Exception | None = None
    woken: list[str] = field(default_factory=list)

    def get(self, deployment: DeploymentId) -> Deployment:
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        if deployment not in self.deployments:
            raise NotFoundError("there is no such deployment")
        return self.deployments[deployment]

    def wake(self, deployment: DeploymentId) -> None:
        self.woken.append(deployment)

    def web_ui(self, deployment: DeploymentId, node: str) -> Address:
        if deployment not in self.addresses:
            raise UnavailableError(f"node {node} is not up")
        return self.addresses[deployment]

    def put(self, port: int | None, name: str = MINE, *, owner: str = ADA, state: State = State.READY) -> None:
        """Let there be a deployment whose web UI answers at a port of this machine."""
        now = time.time()
        nodes = (NodeStatus(NODE, "image", "ready", has_web_ui=True), NodeStatus("sensor", "image", "ready"))
        self.deployments[name] = Deployment(
            DeploymentId(name), Principal(owner), "stream", state, "", now, now, nodes, (), 1
        )
        if port is not None:
            self.addresses[name] = Address("127.0.0.1", port)

    def change(self, name: str = MINE, **changes: Any) -> None:
        """Change a deployment."""
        self.deployments[name] = replace(self.deployments[name], **changes)


def session(principal: str = ADA, *, seconds: float = 600, name: str = "s1", is_operator: bool = False) -> Session:
    """Return a session as the server's pages have it."""
    return Session(Principal(principal, is_operator=is_operator), name, int(time.time() + seconds), "")


class Proxy:
    """A running proxy, and a visitor's way to it."""

    def __init__(self, runtime: Told, settings: UiSettings, limits: Limits, trusted_proxies: int) -> None:
        self.runtime = runtime
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self.listener.getsockname()[1])
        self.settings = settings
        self.ended: set[str] = set()
        self.spent: set[str] = set()
        self.places = Places(settings)
        self.server = ProxyServer(
            _desk(runtime),
            settings,
            key=KEY,
            spend=self._spend,
            has_ended=self.ended.__contains__,
            listener=self.listener,
            trusted_proxies=trusted_proxies,
            limits=limits,
        )

    def _spend(self, code: str) -> bool:
        if code in self.spent:
            return False
        self.spent.add(code)
        return True

    def link(self, name: str = MINE, node: str = NODE, visitor: Session | None = None) -> str:
        """Return the link of a page."""
        return Links(self.settings, KEY).start(name, node, visitor or session())

    def host(self, name: str = MINE, node: str = NODE) -> str:
        """Return the `Host` of a web UI."""
        return urlsplit(self.places.url(name, node)).netloc

    def ask(
        self,
        target: str,
        *,
        host: str | None = None,
        method: str = "GET",
        body: Any = None,
        seconds: float = 10,
        **headers: str,
    ) -> tuple[HTTPResponse, bytes]:
        """Make one request, with exactly these headers and `Host`; underscores in their names read as hyphens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            given = {"Host": host or self.host()} | {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body=body, headers=given)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def arrive(self, link: str | None = None) -> tuple[str, str]:
        """Follow a link; return the cookie, as `name=value`, and where it leads."""
        parts = urlsplit(link or self.link())
        answer, _ = self.ask(f"{parts.path}?{parts.query}", host=parts.netloc)
        assert answer.status == 303, answer.status
        cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
        return cookie, str(answer.headers["Location"])

    def raw(self) -> socket.socket:
        """Connect, to send whatever bytes."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


@contextmanager
def proxied(runtime: Told, *, limits: Limits = QUICK, trusted_proxies: int = 0, **settings: Any) -> Iterator[Proxy]:
    """Run a proxy; each web UI has a host of its own unless `domain` is empty."""
    chosen: dict[str, Any] = {"domain": DOMAIN, **settings}
    made = Proxy(runtime, UiSettings(**chosen), limits, trusted_proxies)
    made.server.start()
    try:
        yield made
    finally:
        made.server.close()
        assert not made.server.is_alive


def _desk(runtime: Told) -> Desk:
    stands_in = cast("Runtime", runtime)
    return Desk(
        stands_in,
        Pipelines(stands_in, OrchestratorControl()),
        Blueprints(stands_in),
        Streams(8, per_principal=8),
        RateLimit(0),
        Gate(1),
    )


def received(connection: socket.socket) -> bytes:
    """Return everything up to the end; a broken connection ends too."""
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionError:
        return found
    return found
