"""Paths and addresses of containers, as they are on this machine: folders elsewhere, ports of loopback, nothing beyond."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from shared.naming import label
from shared.processes.ports import LOOPBACK

_ADDRESS = re.compile(r"(?<![\w.-])([A-Za-z0-9][A-Za-z0-9.-]{0,252}):(\d{1,5})(?!\d)")
_OWN = ("localhost", LOOPBACK)
_POD = "198.18."
CLOSED = 1
"""A port that nobody listens on."""
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,119}")


def file_name(text: str) -> str:
    """Return a name for a file or folder, the text itself where it is one; names in a package come from outside."""
    return text if _FILE.fullmatch(text) else label(text)


class Addresses:
    """Who listens where. A pod has an address of a range that is never routed; its ports are ports of loopback here."""

    def __init__(self) -> None:
        self._ports: dict[tuple[str, int], int] = {}
        self._pods: dict[str, Mapping[str, str]] = {}
        self._services: dict[str, Mapping[str, str]] = {}

    def new_pod(self, labels: Mapping[str, str]) -> str:
        """Return an address that no other pod has; Services find the pod by its labels."""
        number = len(self._pods) + 1
        address = f"{_POD}{number // 256 % 256}.{number % 256}"
        self._pods[address] = labels
        return address

    def new_service(self, stem: str, selector: Mapping[str, str]) -> str:
        """Return a name that leads to the newest pod with these labels."""
        name = f"{stem}{len(self._services) + 1}"
        self._services[name] = selector
        return name

    def listen(self, host: str, port: int, here: int) -> None:
        """Note that what a container calls `host:port` is a port of this machine."""
        self._ports[host, port] = here

    def is_pod(self, address: str) -> bool:
        """Answer whether an address of this machine is that of a pod, or leads nowhere."""
        host, _, port = address.rpartition(":")
        return host == LOOPBACK and port.isdigit() and int(port) in {CLOSED, *self._ports.values()}

    def here(self, text: str, own: str) -> str:
        """Return a text with every address in it as it is here; what nobody listens on leads to a closed port."""

        def replace(match: re.Match[str]) -> str:
            host, port = self._host(match[1], own), int(match[2])
            if host is None:
                return match[0]
            if host == own and port in self._ports.values():  # it is one of this machine already
                return f"{LOOPBACK}:{port}"
            return f"{LOOPBACK}:{self._ports.get((host, port), CLOSED)}"

        return _ADDRESS.sub(replace, text)

    def _host(self, name: str, own: str) -> str | None:
        """Return the address of the pod that a name stands for; of what is not ours None."""
        if name in _OWN:
            return own
        if name not in self._services:
            return name if name.startswith(_POD) else None
        wanted = self._services[name].items()
        return next((address for address in reversed(self._pods) if wanted <= self._pods[address].items()), name)


def with_parents(mounts: Mapping[str, Path], root: Path) -> dict[str, Path]:
    """Return the mounts, and the folders that hold several of them: made below `root`, with links to what is mounted."""
    held = Counter(path.rpartition("/")[0] for path in mounts)
    parents = {parent for parent, count in held.items() if parent and count > 1 and parent not in mounts}
    for path, here in mounts.items():
        parent, _, name = path.rpartition("/")
        link = root / parent.strip("/") / name
        if parent in parents and not os.path.lexists(link):
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(here)
    return {**mounts, **{parent: root / parent.strip("/") for parent in parents}}


def rewritten(text: str, paths: Mapping[str, Path]) -> str:
    """Return a text in which the paths of a container are those of this machine; longer ones come first."""
    if not paths:
        return text
    known = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])({known})(?=/|$|[\s,;:])", lambda match: str(paths[match[1]]), text)
