"""Compares two message types as they are on the wire: whether one side can read what the other writes.

Field numbers and encodings decide, names do not. Incompatible means that a value would arrive garbled or get lost
although both sides have the field; everything else that differs is worth a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

_F = FieldDescriptor
# Types within one family read each other's bytes; the last word of a family says what may happen to a value.
_FAMILIES = {
    **dict.fromkeys(
        (_F.TYPE_INT32, _F.TYPE_INT64, _F.TYPE_UINT32, _F.TYPE_UINT64, _F.TYPE_BOOL, _F.TYPE_ENUM), "varint"
    ),
    **dict.fromkeys((_F.TYPE_SINT32, _F.TYPE_SINT64), "zigzag"),
    **dict.fromkeys((_F.TYPE_FIXED32, _F.TYPE_SFIXED32), "fixed32"),
    **dict.fromkeys((_F.TYPE_FIXED64, _F.TYPE_SFIXED64), "fixed64"),
    **dict.fromkeys((_F.TYPE_STRING, _F.TYPE_BYTES), "text"),
    _F.TYPE_FLOAT: "float",
    _F.TYPE_DOUBLE: "double",
    _F.TYPE_MESSAGE: "message",
    _F.TYPE_GROUP: "group",
}
_TYPE_NAMES = {getattr(_F, name): name.removeprefix("TYPE_").lower() for name in dir(_F) if name.startswith("TYPE_")}
_MAX_DIFFERENCES = 20
_MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """One field on which two types differ."""

    field: str
    """Path of names in the writer's type, such as `Image.size.width`."""
    written: str
    read: str
    is_fatal: bool


def compare(written: Descriptor, read: Descriptor) -> tuple[Difference, ...]:
    """Return how `read` differs from `written`, the first few of each kind; empty when they are one on the wire."""
    found = list(_compare(written, read, written.name, set()))
    fatal = [difference for difference in found if difference.is_fatal]
    rest = [difference for difference in found if not difference.is_fatal]
    return tuple((fatal + rest)[:_MAX_DIFFERENCES])


def _compare(written: Descriptor, read: Descriptor, path: str, seen: set[tuple[str, str]]) -> Iterator[Difference]:
    pair = (written.full_name, read.full_name)
    if pair in seen:
        return
    seen.add(pair)
    if written.name != read.name and not written.GetOptions().map_entry:
        yield Difference(path, f"message {written.full_name}", f"message {read.full_name}", is_fatal=False)
    theirs = read.fields_by_number
    for field in written.fields:
        other = theirs.get(field.number)
        if other is None:
            yield Difference(f"{path}.{field.name}", _text(field), "no such field", is_fatal=False)
        else:
            yield from _compare_field(field, other, f"{path}.{field.name}", seen)
    for field in read.fields:
        if field.number not in written.fields_by_number:
            yield Difference(f"{path}.{field.name}", "no such field", _text(field), is_fatal=field.is_required)


def _compare_field(
    written: FieldDescriptor, read: FieldDescriptor, path: str, seen: set[tuple[str, str]]
) -> Iterator[Difference]:
    fits = _FAMILIES[written.type] == _FAMILIES[read.type] and written.is_repeated == read.is_repeated
    differs = written.name != read.name or written.type != read.type
    if not fits or differs:
        yield Difference(path, _text(written), _text(read), is_fatal=not fits)
    if fits and written.message_type is not None and read.message_type is not None:
        yield from _compare(written.message_type, read.message_type, path, seen)


def _text(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    kind = named.name if named is not None else _TYPE_NAMES[field.type]
    return f"{'repeated ' if field.is_repeated else ''}{kind} {field.name} = {field.number}"


def describe(message: Descriptor) -> str:
    """Show a message type on one line: `Image { bytes data = 1; int32 width = 2 }`."""
    text = f"{message.full_name} {{ {'; '.join(_text(field) for field in message.fields)} }}"
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def is_empty(message: Descriptor) -> bool:
    """Say whether this is an `Empty`, of google or the author's own: nothing travels."""
    return message.name == "Empty" and not message.fields
