"""Tokens made by hand, without the library that checks them, and the settings to check them with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from shared.settings import Secret
from shared.tokens import TokenSettings

SECRET = "correct horse battery staple, and then some"
NOW = 1_800_000_000
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def settings(**changes: Any) -> TokenSettings:
    """Return settings with `SECRET`."""
    return TokenSettings(**{"secret": Secret(SECRET), **changes})


def claims(**changes: Any) -> dict[str, Any]:
    """Return Graphene's claims for ada@example.org, valid for an hour from `NOW`; None removes a claim."""
    good: dict[str, Any] = {
        "sub": "ada",
        "mlpuser": {"email": "ada@example.org", "userId": "u-1", "loginName": "ada"},
        "role": ["MLP System User"],
        "created": NOW * 1000,
        "exp": NOW + 3600,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def encode(part: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(header: bytes | dict[str, Any], payload: bytes | dict[str, Any], *, key: bytes, algorithm: str) -> str:
    """Return header.payload.signature with an HMAC, whatever the header says."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = ".".join(encode(part) for part in parts)
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), HASHES[algorithm]))}"


def token(payload: bytes | dict[str, Any] | None = None, *, algorithm: str = "HS512", **header: Any) -> str:
    """Return a token signed with `SECRET`."""
    head = {"alg": algorithm, **header}
    return sign(head, claims() if payload is None else payload, key=SECRET.encode(), algorithm=algorithm)
