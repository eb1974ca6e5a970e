"""Fields of a message as they lie on the wire: enough to move one under another number without knowing its type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LENGTHS = {1: 8, 5: 4}
_DELIMITED = 2
_MORE = 0x80  # the highest bit of a byte says that more follow


class WireError(ValueError):
    """The bytes are no protobuf message."""


@dataclass(frozen=True, slots=True)
class Wrap:
    """Puts the whole message into the field `number` of another one."""

    number: int

    def apply(self, message: bytes) -> bytes:
        """Return the field that holds the message."""
        return _key(self.number, _DELIMITED) + varint(len(message)) + message


@dataclass(frozen=True, slots=True)
class Move:
    """A field to take, by the numbers that lead to it, and the number to give it."""

    path: tuple[int, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Select:
    """Takes some fields of a message under other numbers and leaves out the rest."""

    moves: tuple[Move, ...]

    def apply(self, message: bytes) -> bytes:
        """Return the new message.

        Raises:
            WireError: the message cannot be read.
        """
        return b"".join(part for move in self.moves for part in _moved(message, move.path, move.number))


Mapping = Wrap | Select


def varint(value: int) -> bytes:
    """Encode a number of at least 0."""
    parts = bytearray()
    while value >= _MORE:
        parts.append(value & ~_MORE & 0xFF | _MORE)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _key(number: int, wire_type: int) -> bytes:
    return varint(number << 3 | wire_type)


def _moved(message: bytes, path: Sequence[int], number: int) -> Iterator[bytes]:
    for found, wire_type, start, end in fields(message):
        if found != path[0]:
            continue
        if len(path) == 1:
            prefix = varint(end - start) if wire_type == _DELIMITED else b""
            yield _key(number, wire_type) + prefix + message[start:end]
        elif wire_type == _DELIMITED:
            yield from _moved(message[start:end], path[1:], number)


def fields(message: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type and where the value lies, for every field of the message itself.

    Raises:
        WireError: the message cannot be read, or holds a group.
    """
    position = 0
    while position < len(message):
        key, position = read_varint(message, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            start, (_, end) = position, read_varint(message, position)
        elif wire_type == _DELIMITED:
            length, start = read_varint(message, position)
            end = start + length
        elif wire_type in _LENGTHS:
            start, end = position, position + _LENGTHS[wire_type]
        else:
            raise WireError(f"expected no group and no wire type {wire_type}")
        if end > len(message) or number == 0:
            raise WireError("the message ends within a field")
        yield number, wire_type, start, end
        position = end


def read_varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the number at the position, and the position after it.

    Raises:
        WireError: the bytes end before it does.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            raise WireError("the message ends within a number")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value, position
    raise WireError("a number is longer than 10 bytes")
