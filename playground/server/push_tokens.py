"""The service token that a push carries: the deployer says for whom it pushes, and which bytes.

Both sides hold one key. A token is good for a minute and for one body; what it proves is good for storing that bundle
and for nothing else. A replay within the minute changes nothing: the same push is the same deployment, and a token gives
one link to it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared import token_claims
from shared.errors import BadTokenError
from shared.principal import RESERVED_IDS
from shared.settings import Secret

AUDIENCE = "slipway-playground"
ISSUER = "slipway-playground-deployer"
SECONDS = 60
LEEWAY_SECONDS = 5
"""Between the clocks of the deployer and the server."""
MAX_CHARACTERS = 4096

_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_JTI = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class PushProof:
    """What a good token proves."""

    principal_id: str
    digest: str
    """SHA-256 of the body, hex."""
    token_id: str
    """Of this token alone, 1 to 64 letters, digits, `-` and `_`."""

    def check(self, body: bytes) -> None:
        """Compare the body with what was signed.

        Raises:
            BadTokenError: it is another.
        """
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), self.digest):
            raise BadTokenError("the push token was made for another body")


def is_push_token(token: str) -> bool:
    """Answer whether a token says to be one; whether it is, `PushTokens.read` finds out."""
    return token.startswith(f"{_HEADER}.")


class PushTokens:
    """Makes and checks push tokens under one key; safe to use from many threads."""

    def __init__(self, key: Secret, *, now: Callable[[], float] = time.time) -> None:
        """Prepare; `now` is seconds since the epoch."""
        self._key = key.reveal().encode()
        self._now = now

    def make(self, principal_id: str, body: bytes) -> str:
        """Return a token for one push of `body` on behalf of a verified principal."""
        now = int(self._now())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": principal_id,
            "iat": now,
            "exp": now + SECONDS,
            "jti": secrets.token_urlsafe(16),
            "digest": hashlib.sha256(body).hexdigest(),
        }
        signed = f"{_HEADER}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str) -> PushProof:
        """Return what a token proves, its body not looked at yet.

        Raises:
            BadTokenError: it proves nothing; `reason` says why, for the log.
        """
        parts = _TOKEN.fullmatch(token) if is_push_token(token) and len(token) <= MAX_CHARACTERS else None
        if parts is None:
            raise BadTokenError("the push token has not the form of a signed JSON Web Token")
        if not hmac.compare_digest(parts[3], self._signature(f"{parts[1]}.{parts[2]}")):
            raise BadTokenError("the push token's signature does not match")
        return self._proof(token_claims.parse_object(_decode(parts[2])))

    def _proof(self, claims: dict[str, object]) -> PushProof:
        if claims.get("aud") != AUDIENCE or claims.get("iss") != ISSUER:
            raise BadTokenError("aud or iss of the push token is another")
        issued, expires, now = claims.get("iat"), claims.get("exp"), self._now()
        if type(issued) is not int or type(expires) is not int:
            raise BadTokenError("iat or exp of the push token is missing or no whole number")
        if expires - issued > SECONDS or issued > now + LEEWAY_SECONDS or now >= expires + LEEWAY_SECONDS:
            raise BadTokenError("the push token has expired, is not valid yet, or lives too long")
        subject, digest, token_id = claims.get("sub"), claims.get("digest"), claims.get("jti")
        if not isinstance(subject, str) or not _is_name(subject):
            raise BadTokenError("sub of the push token is missing or no plain text")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise BadTokenError("digest of the push token is missing or no SHA-256")
        if not isinstance(token_id, str) or not _JTI.fullmatch(token_id):
            raise BadTokenError("jti of the push token is missing or has another form")
        return PushProof(subject, digest, token_id)

    def _signature(self, signed: str) -> str:
        return _encode(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


# Its own type, and these bytes only: no token for people can be taken for it, even under the same key (RFC 8725, 3.11).
_HEADER = _encode(b'{"alg":"HS256","typ":"slipway-push+jwt"}')


def _is_name(text: str) -> bool:
    is_plain = text.isprintable() and 0 < len(text.strip()) == len(text) <= token_claims.MAX_ID_LENGTH
    return is_plain and text not in RESERVED_IDS


def _decode(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as problem:
        raise BadTokenError("a part of the push token is no base64url") from problem
