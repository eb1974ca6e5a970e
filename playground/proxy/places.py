"""Where a web UI is in public: under a host name of its own, or below a path of the one host.

Pure: names and addresses, nothing else. Eight hex digits stand for a node's name, which would not fit a label beside the
deployment's.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from playground.proxy.settings import UiSettings

MARK_CHARACTERS = 8
OWN = "/.slipway/"
"""Paths of the proxy itself; no web UI gets a request for one."""
ENTRY = f"{OWN}visit"

_LABEL = re.compile(rf"([a-z][a-z0-9-]{{0,51}})--([0-9a-f]{{{MARK_CHARACTERS}}})")
_BELOW = re.compile(r"(/ui/([a-z][a-z0-9-]{0,51})/([a-z0-9][a-z0-9-]{0,62}))(/.*)", re.DOTALL)
_PORT = re.compile(r":\d{1,5}\Z")


@dataclass(frozen=True, slots=True)
class Spot:
    """What a request is about."""

    deployment: str
    mark: str
    """Of the node, see `mark`."""
    base: str
    """Path of the web UI in public, without a slash at its end: empty where it has a host of its own."""
    target: str
    """Path and query behind the base; begins with a slash."""


class Places:
    """Makes and reads the addresses of web UIs."""

    def __init__(self, settings: UiSettings) -> None:
        self._public = settings.public
        self._domain = _PORT.sub("", settings.domain)
        self.has_hosts = bool(settings.domain)
        self.scheme = settings.public_scheme
        self.is_secure = self.scheme == "https"

    def url(self, deployment: str, node: str) -> str:
        """Return the address of a web UI, without a slash at its end."""
        if self.has_hosts:
            return f"{self.scheme}://{deployment}--{mark(node)}.{self._public}"
        return f"{self.scheme}://{self._public}/ui/{deployment}/{node}"

    def find(self, host: str, target: str) -> Spot | None:
        """Return what a request is about, or None: it is for nobody here.

        Args:
            host: of the request; its port is whatever the browser and those in front of us speak.
            target: path and query.
        """
        return self._of_host(_PORT.sub("", host.lower()), target) if self.has_hosts else _of_path(target)

    def _of_host(self, name: str, target: str) -> Spot | None:
        label, _, domain = name.partition(".")
        found = _LABEL.fullmatch(label)
        return Spot(found[1], found[2], "", target) if found and domain == self._domain else None


def mark(node: str) -> str:
    """Return what stands for a node in a host name."""
    return hashlib.sha256(node.encode()).hexdigest()[:MARK_CHARACTERS]


def _of_path(target: str) -> Spot | None:
    found = _BELOW.fullmatch(target)
    return Spot(found[2], mark(found[3]), found[1], found[4]) if found else None
