"""Reads dockerinfo.json and decides which addresses may be called.

The caller of `initialize` names hosts. In a cluster only Services of the own namespace are called, by their full
name, so that no search path of the resolver leads elsewhere; outside, only this machine and what the operator lists.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from typing import Any

from shared import findings
from shared.findings import Finding, quoted

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|[0-9A-Fa-f:.]{2,45}")
_MAX_BYTES = 1 << 20
_MAX_PORT = 65535
ANY_HOST = "*"


@dataclass(frozen=True, slots=True)
class HostRule:
    """Which hosts may be called."""

    namespace: str = ""
    """Of the pod that this is; empty outside a cluster."""
    allowed: frozenset[str] = frozenset()
    """Host names and addresses beside the rule, lower case; `*` allows every host."""

    def target(self, host: str) -> str | None:
        """Return the host to call, or None when it may not be called."""
        host = host.lower()
        if host in self.allowed or ANY_HOST in self.allowed:
            return host
        if self.namespace:
            return self._service(host)
        return host if _is_loopback(host) else None

    def _service(self, host: str) -> str | None:
        name, _, rest = host.removesuffix(".").partition(".")
        is_own = rest in {"", self.namespace, f"{self.namespace}.svc", f"{self.namespace}.svc.cluster.local"}
        return f"{name}.{self.namespace}.svc" if is_own and _LABEL.fullmatch(name) and not name.isdigit() else None

    @property
    def text(self) -> str:
        """What is allowed, for a finding."""
        own = f"a Service of the namespace {self.namespace}" if self.namespace else "this machine (localhost)"
        return f"{own}, or a host that the operator lists in SLIPWAY_NODE_HOSTS"


def read(text: str, rule: HostRule) -> tuple[dict[str, str], list[Finding]]:
    """Return container name (lower case) → `host:port`, and what is wrong with dockerinfo.json."""
    try:
        entries = _entries(text)
    except (ValueError, RecursionError) as problem:
        return {}, [_error("dockerinfo-invalid", "$", "dockerinfo.json with docker_info_list[]", str(problem)[:200])]
    addresses: dict[str, str] = {}
    wrong: list[Finding] = []
    for index, entry in enumerate(entries):
        path = f"$.docker_info_list[{index}]"
        name, host, port = _fields(entry)
        key = name.lower()
        if not name or port is None or not _HOST.fullmatch(host):
            expected = "container_name, ip_address (a host) and port (1 to 65535)"
            wrong.append(_error("dockerinfo-entry", path, expected, quoted(entry)))
        elif key in addresses:
            wrong.append(_error("dockerinfo-duplicate", path, "every container_name once", quoted(name)))
        elif (target := rule.target(host)) is None:
            addresses[key] = ""
            if key not in {"orchestrator", "modelconnector"}:
                wrong.append(_error("address-forbidden", path, rule.text, quoted(host)))
        else:
            addresses[key] = f"[{target}]:{port}" if ":" in target else f"{target}:{port}"
    return addresses, wrong


def _entries(text: str) -> list[Any]:
    if len(text) > _MAX_BYTES:
        raise ValueError(f"more than {_MAX_BYTES} characters")
    document = json.loads(text)
    entries = document.get("docker_info_list") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("no list docker_info_list")  # noqa: TRY004 a wrong value, not a wrong call
    return entries


def _fields(entry: Any) -> tuple[str, str, int | None]:
    if not isinstance(entry, dict):
        return "", "", None
    name, host, port = (entry.get(key) for key in ("container_name", "ip_address", "port"))
    return name if isinstance(name, str) else "", host if isinstance(host, str) else "", _port(port)


def _port(value: Any) -> int | None:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > len(str(_MAX_PORT)):
        return None
    return int(text) if 0 < int(text) <= _MAX_PORT else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _error(code: str, path: str, expected: str, found: str) -> Finding:
    return findings.error(code, f"dockerinfo.json {path}", expected=expected, found=found)
