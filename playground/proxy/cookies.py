"""Cookies between a visitor and a web UI that has a host of its own. Ours never reach it, and it cannot set ours.

A page may set a cookie for its whole domain, which reaches its siblings: what comes twice with two values is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable

NAME = b"slipway-ui"
_OURS = (b"slipway-", b"__host-slipway-", b"__secure-slipway-")

Pair = tuple[bytes, bytes]


def pairs(headers: Iterable[bytes]) -> list[Pair]:
    """Return the cookies of a request, in their order; those without a name are left out."""
    found = (part.strip().partition(b"=") for header in headers for part in header.split(b";"))
    return [(name.strip(), value) for name, equals, value in found if equals and name.strip()]


def foreign(headers: Iterable[bytes]) -> bytes:
    """Return the header with which the web UI gets its own cookies; empty: there are none."""
    given: dict[bytes, set[bytes]] = {}
    for name, value in pairs(headers):
        given.setdefault(name, set()).add(value)
    kept = {name: values for name, values in given.items() if not is_ours(name) and len(values) == 1}
    return b"; ".join(name + b"=" + values.pop() for name, values in kept.items())


def kept_for_host(set_cookie: bytes) -> bytes | None:
    """Return a web UI's `Set-Cookie` for its own host alone, or None where it may not be set at all."""
    pair, *attributes = [part.strip() for part in set_cookie.split(b";")]
    name, equals, _ = pair.partition(b"=")
    if not equals or not name.strip() or is_ours(name.strip()):
        return None
    own = [each for each in attributes if each.partition(b"=")[0].strip().lower() != b"domain"]
    return b"; ".join([pair, *own])


def is_ours(name: bytes) -> bool:
    """Answer whether a cookie is one of Slipway's, however its name is written."""
    return name.lower().startswith(_OURS)


def name(*, is_secure: bool, has_hosts: bool) -> bytes:
    """Return the name of our cookie: with the prefix, no other host of the domain can set it."""
    if not is_secure:
        return NAME
    return (b"__Host-" if has_hosts else b"__Secure-") + NAME


def made(name: bytes, value: str, *, path: str, seconds: int, is_secure: bool) -> bytes:
    """Return the `Set-Cookie` of our own."""
    secure = "; Secure" if is_secure else ""
    return name + f"={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}".encode()
