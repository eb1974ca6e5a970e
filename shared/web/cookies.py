"""Cookies of our pages: HttpOnly, for one host only, sent along by links and by no other request of a foreign page."""

from __future__ import annotations

import re

from flask import Request, Response

_LOOPBACK = re.compile(r"(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\])(?::\d+)?", re.IGNORECASE)


def read(request: Request, name: str) -> str | None:
    """Return the value of a cookie that `put` has set, or None."""
    return request.cookies.get(_full(request, name))


def put(response: Response, request: Request, name: str, value: str, *, expires: int) -> None:
    """Put a cookie into the visitor's browser; `expires` is in seconds since the epoch."""
    secure = not _is_loopback(request)
    response.set_cookie(_full(request, name), value, expires=expires, secure=secure, httponly=True, samesite="Lax")


def drop(response: Response, request: Request, name: str) -> None:
    """Take it out again."""
    secure = not _is_loopback(request)
    response.delete_cookie(_full(request, name), secure=secure, httponly=True, samesite="Lax")


def _full(request: Request, name: str) -> str:
    """With the prefix, no other host of the domain can set the cookie; browsers demand Secure for it."""
    return name if _is_loopback(request) else f"__Host-{name}"


def _is_loopback(request: Request) -> bool:
    return _LOOPBACK.fullmatch(request.host) is not None and not request.is_secure
