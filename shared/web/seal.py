"""Signed values that leave the service and come back: cookies and one-time codes. Signed, not encrypted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

MAX_CHARACTERS = 4096  # a browser keeps no larger cookie


class Seal:
    """Signs values for one purpose: what was sealed for another does not open."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = hmac.digest(key, purpose.encode(), hashlib.sha256)

    def close(self, value: Mapping[str, Any]) -> str:
        """Return `value` with its signature, in characters that fit a cookie and a URL."""
        body = _encode(json.dumps(value, separators=(",", ":")).encode())
        return f"{body}.{self.mark(body)}"

    def open(self, text: str) -> dict[str, Any] | None:
        """Return the value, or None when this seal did not close it."""
        body, _, signature = text.partition(".")
        if len(text) > MAX_CHARACTERS or not text.isascii() or not hmac.compare_digest(signature, self.mark(body)):
            return None
        value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return value

    def mark(self, text: str) -> str:
        """Return the signature over `text`."""
        return _encode(hmac.digest(self._key, text.encode(), hashlib.sha256))


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
