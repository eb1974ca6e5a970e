"""A visitor's request as its web UI gets it: no cookie and no proof of ours, and truly where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from playground.proxy import cookies
from playground.proxy.fields import Fields, end_to_end, every, first, words

# What only those in front of a web UI may say, and the header in which Graphene's programs carry a token.
_NOT_THEIRS = frozenset(
    {b"forwarded", b"x-real-ip", b"x-client-ip", b"x-original-url", b"x-rewrite-url", b"via", b"jwttoken", b"expect"}
)
_NOT_ON_ONE_HOST = frozenset({b"authorization", b"referer", b"origin"})
"""Browsers share these among all web UIs of a host; the address of a page, which is its referrer, holds its ticket."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the proxy knows of a request."""

    client: str
    """Address of the visitor."""
    scheme: str
    host: bytes
    base: str
    """Public path of the web UI, with its ticket; empty where it has a host of its own."""

    @property
    def origin(self) -> bytes:
        """Scheme, host and port as the browser has them."""
        return self.scheme.encode() + b"://" + self.host


def wants_websocket(method: bytes, fields: Fields) -> bool:
    """Answer whether a request asks for a WebSocket: the only upgrade that is passed on."""
    return (
        method == b"GET"
        and b"upgrade" in words(fields, b"connection")
        and words(fields, b"upgrade") == {b"websocket"}
        and not has_body(fields)
    )


def asks_permission(method: bytes, fields: Fields) -> bool:
    """Answer whether a browser asks what a page of another origin may send: a preflight."""
    return method == b"OPTIONS" and bool(every(fields, b"access-control-request-method"))


def has_body(fields: Fields) -> bool:
    """Answer whether content follows."""
    return bool(every(fields, b"transfer-encoding")) or first(fields, b"content-length") not in {b"", b"0"}


def for_web_ui(method: bytes, fields: Fields, seen: Seen) -> list[tuple[bytes, bytes]]:
    """Return the fields of the request that the web UI gets. Each request has a connection of its own."""
    kept = [(name, value) for name, value in end_to_end(fields) if _may_pass(name, has_host=not seen.base)]
    own = cookies.foreign(every(fields, b"cookie")) if not seen.base else b""
    if own:
        kept.append((b"cookie", own))
    if seen.base and every(fields, b"origin"):
        # Its pages are sandboxed and have none; the ticket has proved that they are its pages.
        kept.append((b"origin", seen.origin))
    if every(fields, b"transfer-encoding"):
        kept.append((b"transfer-encoding", b"chunked"))
    websocket = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    kept += websocket if wants_websocket(method, fields) else [(b"connection", b"close")]
    return kept + _forwarded(seen)


def _may_pass(name: bytes, *, has_host: bool) -> bool:
    # Many programs take x_forwarded_for for x-forwarded-for.
    if name == b"cookie" or name in _NOT_THEIRS or name.startswith(b"x-forwarded-") or b"_" in name:
        return False
    return has_host or not (name in _NOT_ON_ONE_HOST or name.startswith(b"sec-fetch-"))


def _forwarded(seen: Seen) -> list[tuple[bytes, bytes]]:
    client, scheme = seen.client.encode(), seen.scheme.encode()
    node = b'"[' + client + b']"' if b":" in client else client
    fields = [
        (b"forwarded", b"for=" + node + b';host="' + seen.host + b'";proto=' + scheme),
        (b"x-forwarded-for", client),
        (b"x-forwarded-host", seen.host),
        (b"x-forwarded-proto", scheme),
    ]
    return [*fields, (b"x-forwarded-prefix", seen.base.encode())] if seen.base else fields
