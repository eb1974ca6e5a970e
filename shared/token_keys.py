"""The keys that tokens are checked with, and the one kind that is a secret which issuer and service share."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Protocol

from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import InvalidKeyError

from shared.errors import BadTokenError

SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")


@dataclass(frozen=True, slots=True)
class Key:
    """One prepared key and the algorithm it may be used with."""

    algorithm: Algorithm
    material: Any
    kid: str | None = None

    def proves(self, signed: bytes, signature: bytes) -> bool:
        """Return whether `signature` over `signed` was made with this key."""
        return bool(self.algorithm.verify(signed, self.material, signature))


class Keys(Protocol):
    """The configured keys of one family."""

    def find(self, algorithm: str, kid: str | None) -> Key:
        """Return the key for a token's header.

        Raises:
            BadTokenError: no configured key fits.
            UnavailableError: the keys cannot be read at present.
        """
        ...

    def check(self) -> None:
        """Raise UnavailableError when no key can be read; for `/readyz`."""
        ...


def implementation(name: str) -> Algorithm:
    """Return the implementation of an algorithm, by its name in RFC 7518."""
    return get_default_algorithms()[name]


class SecretKeys:
    """One secret, for HS256, HS384 and HS512 alike."""

    def __init__(self, secret: bytes) -> None:
        """Prepare the secret.

        Raises:
            ValueError: it is a public key or a JWK, so that somebody who can read it could sign.
        """
        try:
            self._keys = {
                name: Key(implementation(name), implementation(name).prepare_key(secret)) for name in SECRET_ALGORITHMS
            }
        except InvalidKeyError as problem:
            raise ValueError("expected a secret, not a key or certificate in PEM, SSH, DER or JWK form") from problem

    def find(self, algorithm: str, kid: str | None) -> Key:
        """Return the secret for a family member; `kid` means nothing with one key."""
        del kid
        key = self._keys.get(algorithm)
        if key is None:
            raise BadTokenError("the algorithm is not one of the configured family")
        return key

    def check(self) -> None:
        """Do nothing: the secret was checked at start."""


def secret_bytes(text: str, encoding: str) -> bytes:
    """Return the key bytes that a configured secret stands for.

    Args:
        text: as configured.
        encoding: `text` (its UTF-8 bytes), `base64` (standard or URL alphabet, padding optional), or `graphene`.

    Raises:
        ValueError: the text is not in that encoding.
    """
    if encoding == "text":
        return text.encode()
    if encoding == "graphene":
        return _graphene_bytes(text)
    standard = text.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ValueError("expected base64") from problem


_ALPHABET = {
    character: value
    for value, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_PADDING = -1


def _graphene_bytes(text: str) -> bytes:
    """Decode base64 as Graphene's Java library does: foreign characters are skipped, an unfinished group is dropped.

    So `secret` and `secr` are the same three bytes; reproducing it is what lets an operator keep their secret.
    """
    values = [
        _PADDING if character == "=" else _ALPHABET[character]
        for character in text
        if character in _ALPHABET or character == "="
    ]
    decoded = bytearray()
    for start in range(0, len(values) - 3, 4):
        first, second, third, fourth = values[start : start + 4]
        if _PADDING in {first, second}:
            raise ValueError("expected base64 with padding at the end of a group of four")
        decoded.append(first << 2 | second >> 4)
        if third != _PADDING:
            decoded.append((second << 4 | third >> 2) & 0xFF)
        if _PADDING not in {third, fourth}:
            decoded.append((third << 6 | fourth) & 0xFF)
    return bytes(decoded)
