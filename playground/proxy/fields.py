"""The header fields of a request or an answer as h11 gives them: names in lower case, values as they came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Fields = Sequence[tuple[bytes, bytes]]

# RFC 9110 7.6.1, and what older programs take for such.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)


def every(fields: Fields, name: bytes) -> list[bytes]:
    """Return all values of a field."""
    return [value for found, value in fields if found == name]


def first(fields: Fields, name: bytes) -> bytes:
    """Return the first value of a field, or nothing."""
    return next((value for found, value in fields if found == name), b"")


def words(fields: Fields, name: bytes) -> set[bytes]:
    """Return the words of a field that is a list, in lower case."""
    return {word.strip().lower() for value in every(fields, name) for word in value.split(b",")} - {b""}


def without(fields: Fields, names: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the fields but those of `names`."""
    left_out = frozenset(names)
    return [(name, value) for name, value in fields if name not in left_out]


def end_to_end(fields: Fields) -> list[tuple[bytes, bytes]]:
    """Return the fields that are not for the next hop alone."""
    return without(fields, _HOP_BY_HOP | words(fields, b"connection"))
