"""Whether the caller of a request that goes on and on still listens, without sending anything."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

_ESTABLISHED = 1  # of TCP_INFO's first byte, see tcp(7)


def is_listening(environ: Mapping[str, Any]) -> bool:
    """Return False when the caller is known to have closed the connection.

    Reading would not tell: the server stops receiving after a while, so that slow senders hold no thread.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    option = getattr(socket, "TCP_INFO", None)
    if connection is None or option is None:
        return True
    try:
        return bool(connection.getsockopt(socket.IPPROTO_TCP, option, 1)[0] == _ESTABLISHED)
    except OSError:
        # Closed already, or no TCP: a socket of a file, where only sending tells.
        return bool(connection.fileno() >= 0)
