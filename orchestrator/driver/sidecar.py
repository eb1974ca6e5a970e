"""Ends a node beside the driver where the platform does not: in a pod whose containers share their processes.

Whoever listens on the target's port is asked to end. In a pod that shares no processes nobody is seen, and the log says so.
"""

from __future__ import annotations

import ipaddress
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from orchestrator.driver.reaching import host_and_port

_LOG = structlog.get_logger()
_PROC = Path("/proc")
_LISTENING = "0A"


def end(target: str) -> bool:
    """Send SIGTERM to who listens on this machine's port, and tell whether there was anybody."""
    host, port = host_and_port(target)
    if not _is_loopback(host):
        _LOG.warning("sidecar_not_ended", target=target, reason="it is not beside this driver: expected localhost")
        return False
    sockets = {f"socket:[{inode}]" for inode in _listeners(port)}
    ended = [pid for pid in _processes() if pid != os.getpid() and _holds(pid, sockets) and _terminate(pid)]
    if ended:
        _LOG.info("sidecar_ended", target=target, processes=len(ended))
    else:
        _LOG.warning("sidecar_not_ended", target=target, reason="no process with this port is seen from here")
    return bool(ended)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listeners(port: int) -> Iterator[str]:
    """Yield the inodes of the sockets that listen on the port."""
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(folder.name) for folder in _PROC.iterdir() if folder.name.isdigit())


def _holds(pid: int, sockets: set[str]) -> bool:
    with suppress(OSError):  # it has ended, or belongs to somebody else
        for descriptor in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if os.readlink(descriptor) in sockets:  # noqa: PTH115 - the text is no path
                    return True
    return False


def _terminate(pid: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
        return True
    return False
