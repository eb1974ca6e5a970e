"""Where web UIs are reached, and how many connections there may be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.settings import integer, one_of, setting

MAX_PORT = 65_535
# A host name has 253 characters; a deployment and a node take up to 62, and a dot.
MAX_DOMAIN_CHARACTERS = 190

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\])")
_LOOPBACK = re.compile(r"(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\]")


def _split(text: str) -> tuple[str, int | None]:
    """Return host and port; the host in lower case."""
    found = re.fullmatch(r"(.+?)(?::(\d{1,5}))?", text.lower())
    if found is None or not _HOST.fullmatch(found[1]) or not 0 < int(found[2] or 1) <= MAX_PORT:
        raise ValueError("expected a host, or host:port")
    return found[1], int(found[2]) if found[2] else None


def _bind(text: str) -> str:
    if text != "off" and _split(text)[1] is None:
        raise ValueError("expected host:port, such as 127.0.0.1:8090 or [::]:8090, or off")
    return text


def _host(text: str) -> str:
    _split(text)
    return text.lower()


def _domain(text: str) -> str:
    name, _ = _split(text)
    if not _NAME.fullmatch(name) or len(name) > MAX_DOMAIN_CHARACTERS or name.rpartition(".")[2].isdigit():
        raise ValueError("expected a domain, such as ui.example.org or localhost:8090")
    return text.lower()


@dataclass(frozen=True, slots=True)
class UiSettings:
    """The listener for web UIs, and the names under which browsers reach it."""

    bind: str = setting(
        "SLIPWAY_PLAYGROUND_UI_BIND",
        "Address and port to listen on for the web UIs of nodes; `off`: they are not reached through the server.",
        parse=_bind,
        default="127.0.0.1:8090",
    )
    domain: str = setting(
        "SLIPWAY_PLAYGROUND_UI_DOMAIN",
        "Domain in which every web UI gets a host name of its own, with the port that browsers use where it is not the "
        "usual one: `ui.example.org`, on a laptop `localhost:8090`. Unset: all web UIs share one host and are sandboxed.",
        parse=_domain,
        default="",
    )
    host: str = setting(
        "SLIPWAY_PLAYGROUND_UI_HOST",
        "Without a domain: the one host, with its port, under which browsers reach web UIs. Unset: "
        "`SLIPWAY_PLAYGROUND_UI_BIND`.",
        parse=_host,
        default="",
    )
    scheme: str = setting(
        "SLIPWAY_PLAYGROUND_UI_SCHEME",
        "How browsers reach web UIs: `https`, which somebody in front of this server speaks, or `http`.",
        parse=one_of("http", "https"),
        default="",
        shown="`https`, on loopback `http`",
    )
    connections: int = setting(
        "SLIPWAY_PLAYGROUND_UI_CONNECTIONS",
        "Browsers' connections to web UIs that one worker process holds; each takes two file descriptors.",
        parse=integer(least=8, most=20_000),
        default=400,
    )
    connections_per_deployment: int = setting(
        "SLIPWAY_PLAYGROUND_UI_CONNECTIONS_PER_DEPLOYMENT",
        "Requests and WebSockets under way to one deployment, per worker process.",
        parse=integer(least=1, most=20_000),
        default=240,
    )

    def __post_init__(self) -> None:
        """Refuse two ways at once: ValueError that names the variables."""
        if self.domain and self.host:
            raise ValueError("SLIPWAY_PLAYGROUND_UI_HOST: expected none with SLIPWAY_PLAYGROUND_UI_DOMAIN")

    @property
    def is_on(self) -> bool:
        """True where web UIs are reached through the server."""
        return self.bind != "off"

    @property
    def address(self) -> tuple[str, int]:
        """Where to listen."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def public(self) -> str:
        """Host and, where there is one, port that stand in the address of a web UI, without its own label."""
        return self.domain or self.host or self.bind

    @property
    def is_loopback(self) -> bool:
        """True where only browsers of this machine get here."""
        return _LOOPBACK.fullmatch(_split(self.public)[0]) is not None

    @property
    def public_scheme(self) -> str:
        """What browsers speak."""
        return self.scheme or ("http" if self.is_loopback else "https")
