"""Fields move between messages without anybody knowing their types."""

from __future__ import annotations

import pytest

from orchestrator import wire
from orchestrator.wire import Move, Select, WireError, Wrap


def test_a_message_becomes_a_field_of_another():
    assert Wrap(4).apply(b"\x08\x01") == b"\x22\x02\x08\x01"


@pytest.mark.parametrize(
    ("message", "moved"),
    [
        (b"\x08\x96\x01", b"\x48\x96\x01"),
        (b"\x09" + bytes(8), b"\x49" + bytes(8)),
        (b"\x0d" + bytes(4), b"\x4d" + bytes(4)),
        (b"\x0a\x02hi", b"\x4a\x02hi"),
    ],
    ids=["varint", "64 bits", "32 bits", "bytes"],
)
def test_every_wire_type_moves_under_another_number(message, moved):
    assert Select((Move((1,), 9),)).apply(message) == moved


def test_repeated_fields_move_as_often_as_they_are_there():
    assert Select((Move((1,), 2),)).apply(b"\x08\x01\x18\x07\x08\x02") == b"\x10\x01\x10\x02"


def test_a_nested_field_is_reached_by_its_path():
    assert Select((Move((3, 1), 1),)).apply(b"\x1a\x02\x08\x05") == b"\x08\x05"


def test_large_numbers_take_more_bytes():
    assert wire.varint(300) == b"\xac\x02"
    assert Wrap(2000).apply(b"") == b"\x82\x7d\x00"


@pytest.mark.parametrize("message", [b"\x08", b"\x0a\x05hi", b"\x0b\x0c", b"\x08" + b"\xff" * 11, b"\x00\x01", b"\x0f"])
def test_garbage_is_refused(message):
    with pytest.raises(WireError):
        Select((Move((1,), 1),)).apply(message)
