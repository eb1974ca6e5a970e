"""Messages as text, for people: only ever called for a subscriber, and bounded."""

from __future__ import annotations

from google.protobuf import json_format, text_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from shared.protobuf import message_class

MAX_MESSAGE_BYTES = 1 << 20
"""A larger message is not decoded: half a second of nothing else would pass."""
MAX_TEXT = 64 << 10


def as_text(descriptor: Descriptor | None, message: bytes) -> str:
    """Return the message in protobuf's text form, as Graphene's events carry it."""
    decoded = _decoded(descriptor, message)
    return f"<{len(message)} bytes>" if decoded is None else _cut(text_format.MessageToString(decoded))


def as_json(descriptor: Descriptor | None, message: bytes) -> tuple[str, bool]:
    """Return the message as JSON, and whether it was cut."""
    decoded = _decoded(descriptor, message)
    if decoded is None:
        return f'"<{len(message)} bytes>"', True
    text = json_format.MessageToJson(decoded, indent=None, preserving_proto_field_name=True)
    return _cut(text), len(text) > MAX_TEXT


def _decoded(descriptor: Descriptor | None, message: bytes) -> Message | None:
    if descriptor is None or len(message) > MAX_MESSAGE_BYTES:
        return None
    try:
        return message_class(descriptor).FromString(message)
    except DecodeError:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
