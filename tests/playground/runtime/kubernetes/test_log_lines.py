"""Lines of a log behind their stamps, however the pieces fall."""

from __future__ import annotations

import pytest

from playground.runtime.kubernetes import log_lines
from playground.runtime.kubernetes.log_lines import LONGEST_LINE, Line

AT = b"2026-01-01T10:00:00.123456789Z "
STAMP = "2026-01-01T10:00:00.123456789Z"


def test_lines_come_without_their_stamps_wherever_a_piece_ends() -> None:
    whole = AT + b"one\n" + AT + b"\n" + AT + b"two\r\n" + AT + b"no end"

    at_once = list(log_lines.lines([whole]))
    bit_by_bit = list(log_lines.lines([whole[place : place + 1] for place in range(len(whole))]))

    assert at_once == bit_by_bit
    assert at_once == [Line(STAMP, text) for text in (b"one\n", b"\n", b"two\r\n", b"no end")]


def test_a_long_line_comes_in_pieces_that_belong_together() -> None:
    pieces = [AT + b"x" * LONGEST_LINE, b"y" * (LONGEST_LINE + 1), b"z\n" + AT + b"next\n"]

    found = list(log_lines.lines(pieces))

    assert [line.is_rest for line in found] == [False, True, True, False]
    assert [line.stamp for line in found] == [STAMP] * 4
    assert b"".join(line.text for line in found) == b"x" * LONGEST_LINE + b"y" * (LONGEST_LINE + 1) + b"z\nnext\n"


def test_what_the_kubelet_says_itself_is_no_line_of_the_container() -> None:
    assert list(log_lines.lines([b"unable to retrieve container logs for containerd://1\n"])) == []


@pytest.mark.parametrize(
    ("written", "stamp"),
    [
        (b"2026-01-01T12:00:00.5+02:00", "2026-01-01T10:00:00.500000000Z"),
        (b"2026-01-01T00:30:00-01:00", "2026-01-01T01:30:00.000000000Z"),
    ],
)
def test_stamps_of_other_time_zones_can_be_compared(written: bytes, stamp: str) -> None:
    assert list(log_lines.lines([written + b" x\n"])) == [Line(stamp, b"x\n")]
    assert log_lines.since(stamp) == stamp[:19] + "Z"
