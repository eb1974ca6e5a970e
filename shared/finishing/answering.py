"""Asks whether a Service really answers at an address: a connection alone proves nothing, as proxies accept all of them."""

from __future__ import annotations

import socket

ANSWER_SECONDS = 1.0

# What an HTTP/2 client sends first: the preface, and a SETTINGS frame without settings. A gRPC server answers with its
# own SETTINGS frame, whose type stands in the fourth byte.
HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HTTP2_SETTINGS = 4
FRAME_HEADER_BYTES = 9
# Where no machine of a cluster has a server: who answers there, too, is a proxy that answers for everybody.
NOBODYS_PORT = 1


def is_host(host: str, port: int, *, web: bool) -> bool:
    """Answer whether node ports of the cluster are reached at a host, judged by one of them."""
    return answers(host, port, web=web) and not answers(host, NOBODYS_PORT, web=web)


def answers(host: str, port: int, *, web: bool) -> bool:
    """Answer whether a web server, or a gRPC server, is there."""
    greeting = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "replace")
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.sendall(greeting if web else HTTP2_GREETING)
            answer = connection.recv(FRAME_HEADER_BYTES)
    except (OSError, UnicodeError):
        return False
    return answer.startswith(b"HTTP/") if web else answer[3:4] == bytes([HTTP2_SETTINGS])
