"""Paths and addresses of containers, as they are on this machine: folders elsewhere, ports of loopback, nothing beyond."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from shared.naming import label
from shared.processes.ports import LOOPBACK

_ADDRESS = re.compile(r"(localhost|127\.0\.0\.1|198\.18\.\d{1,3}\.\d{1,3}):(\d{1,5})")
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
        self._pods = 0

    def new_pod(self) -> str:
        """Return an address that no other pod has."""
        self._pods += 1
        return f"198.18.{self._pods // 256 % 256}.{self._pods % 256}"

    def listen(self, host: str, port: int, here: int) -> None:
        """Note that what a container calls `host:port` is a port of this machine."""
        self._ports[host, port] = here

    def here(self, text: str, own: str) -> str:
        """Return a text with every address in it as it is here; what nobody listens on leads to a closed port."""

        def replace(match: re.Match[str]) -> str:
            host, port = own if match[1] in {"localhost", LOOPBACK} else match[1], int(match[2])
            if host == own and port in self._ports.values():  # it is one of this machine already
                return f"{LOOPBACK}:{port}"
            return f"{LOOPBACK}:{self._ports.get((host, port), CLOSED)}"

        return _ADDRESS.sub(replace, text)


def rewritten(text: str, paths: Mapping[str, Path]) -> str:
    """Return a text in which the paths of a container are those of this machine; longer ones come first."""
    if not paths:
        return text
    known = "|".join(re.escape(path) for path in sorted(paths, key=len, reverse=True))
    return re.sub(rf"(?<![\w./-])({known})(?=/|$|[\s,;:])", lambda match: str(paths[match[1]]), text)
