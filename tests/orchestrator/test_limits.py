"""Hostile callers meet limits."""

from __future__ import annotations

import pytest
from support.timing import within

from orchestrator import dead_letters, pipeline, rendering
from orchestrator.budget import Budget
from orchestrator.dead_letters import DeadLetters
from orchestrator.events import ALL_BUFFERS_BYTES, BUFFER_BYTES, BUFFER_EVENTS, MAX_OBSERVERS, Events
from shared import findings
from shared.errors import UnavailableError
from shared.findings import Findings


def test_a_pattern_of_a_caller_is_matched_in_linear_time():
    events = Events()
    events.subscribe("(a+)+$", "(.*)*x")

    with within(0.05):
        events.emit("a" * 100_000 + "!", "y" * 100_000)


def test_there_are_only_so_many_observers():
    events = Events()
    for _ in range(MAX_OBSERVERS):
        events.subscribe("", "")

    with pytest.raises(UnavailableError):
        events.subscribe("", "")


def test_nobody_pays_for_events_that_nobody_wants():
    events = Events()
    observer = events.subscribe("thread", "")

    assert events.message_names == frozenset()
    events.unsubscribe(observer)
    assert not events.wanted("thread.start")


def test_a_buffer_keeps_the_newest_events():
    events = Events()
    observer = events.subscribe("", "")
    for number in range(BUFFER_EVENTS + 5):
        events.emit(f"e{number}")

    assert len(observer._buffer) == BUFFER_EVENTS
    assert observer._buffer[-1].name == f"e{BUFFER_EVENTS + 4}"


def test_observers_share_what_may_lie_unread():
    events = Events()
    alone = events.subscribe("", "")
    for _ in range(200):
        events.emit("e", text="t" * 100_000)
    kept = len(alone._buffer)
    others = [events.subscribe("", "") for _ in range(MAX_OBSERVERS - 1)]

    assert kept == BUFFER_BYTES // 100_204
    assert len(alone._buffer) == ALL_BUFFERS_BYTES // MAX_OBSERVERS // 100_204
    for observer in others:
        events.unsubscribe(observer)
    assert alone._most_bytes == BUFFER_BYTES


def test_a_long_report_says_how_much_it_leaves_out():
    many = [findings.warning("w", f"$[{number}]", expected="a", found="b") for number in range(5000)]
    error = findings.error("e", "$", expected="a", found="b")

    lines = pipeline.report(Findings((*many, error))).splitlines()

    assert lines[0] == "error: $: expected a, found b"
    assert lines[-2:] == ["warning: $[198]: expected a, found b", "… and 4801 more"]


def test_large_and_broken_messages_are_not_rendered():
    assert rendering.as_text(None, b"x" * 5) == "<5 bytes>"
    assert rendering.as_json(None, b"x" * 5) == ('"<5 bytes>"', True)


def test_a_hostile_edge_name_never_becomes_a_path(tmp_path):
    letters = DeadLetters(tmp_path / "letters", Budget(100))

    file = letters.park("../../evil -> /etc/passwd", b"message")

    assert file is not None
    assert file.parent == tmp_path / "letters"
    assert file.read_bytes() == b"\x07message"


def test_parking_stops_at_the_disk_budget(tmp_path):
    letters = DeadLetters(tmp_path, Budget(3))

    assert letters.park("a -> b", b"message") is None


def test_what_was_parked_before_counts_against_the_disk_budget(tmp_path):
    DeadLetters(tmp_path, Budget(100)).park("a -> b", b"message")

    assert dead_letters.held(tmp_path) == 8
