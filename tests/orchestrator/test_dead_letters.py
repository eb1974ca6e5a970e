"""A file of parked messages can be read whatever happened while it was written."""

from __future__ import annotations

import resource
import signal

import pytest

from orchestrator.budget import Budget
from orchestrator.dead_letters import DeadLetters

EDGE = "a.x -> b.y"
WHOLE = b"\x05first\x06second"


@pytest.mark.parametrize("torn", [b"\x05thi", b"\x85", b"\xff\xff\xff\xff\x0f", b"\x01"])
def test_what_a_killed_process_wrote_in_part_is_cut_off(tmp_path, torn):
    file = DeadLetters(tmp_path, Budget(1000)).park(EDGE, b"first")
    assert file is not None
    file.write_bytes(WHOLE + torn)

    DeadLetters(tmp_path, Budget(1000)).park(EDGE, b"next")

    assert file.read_bytes() == WHOLE + b"\x04next"


def test_two_runs_may_park_on_one_edge_in_turn(tmp_path):
    one, two = (DeadLetters(tmp_path, Budget(1000)) for _ in range(2))

    for letters, message in ((one, b"first"), (two, b"second"), (one, b"first")):
        file = letters.park(EDGE, message)

    assert file is not None
    assert file.read_bytes() == WHOLE + b"\x05first"


@pytest.mark.parametrize(("most", "size"), [(20_000, 50_000), (100, 120)])
def test_what_the_disk_does_not_take_leaves_no_half_message(tmp_path, most, size):
    letters = DeadLetters(tmp_path, Budget(100_000))
    file = letters.park(EDGE, b"first")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        refused = letters.park(EDGE, b"m" * size)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    letters.park(EDGE, b"second")

    assert refused is None
    assert file is not None
    assert file.read_bytes() == WHOLE
