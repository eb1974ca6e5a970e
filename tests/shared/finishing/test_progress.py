"""What people watch while nodes come up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.finishing.progress import age_seconds, age_text, news, plain_line, summary, table
from shared.finishing.readiness import NodeState

NOW = datetime(2026, 1, 1, 0, 1, 5, tzinfo=UTC)


def node(name: str = "a", **changes: object) -> NodeState:
    """Return a node that came up 65 s ago."""
    usual = {"image": "a:1", "phase": "Running", "ready": 1, "wanted": 1, "restarts": 0, "state": "ready", "seen": ""}
    return NodeState(**{"name": name, "since": "2026-01-01T00:00:00Z", **usual, **changes})


def waiting(name: str = "a", **changes: object) -> NodeState:
    """Return a node that is not ready."""
    return node(name, **{"ready": 0, "phase": "Pending", "state": "waiting", **changes})


def test_the_table_has_a_line_per_node():
    assert table([node(), waiting("longer", restarts=3)], now=NOW, width=80, height=20) == [
        "NODE    IMAGE  PHASE    READY  RESTARTS  AGE",
        "a       a:1    Running  1/1    0         1m05s",
        "longer  a:1    Pending  0/1    3         1m05s",
    ]


def test_a_table_fits_the_terminal_and_shows_what_is_not_ready():
    states = [node(f"n{number}") for number in range(10)] + [waiting("late")]

    lines = table(states, now=NOW, width=30, height=5)

    assert [line.split()[0] for line in lines] == ["NODE", "n0", "n1", "late", "and"]
    assert lines[-1] == "and 8 more, 8 of them ready"
    assert max(len(line) for line in lines) == 29


def test_a_long_image_keeps_its_end_where_the_tag_is():
    (_, line) = table([node(image="registry.example/" + "x" * 60 + ":1.2.3")], now=NOW, width=200, height=9)

    assert line.split()[1] == "..." + "x" * 39 + ":1.2.3"


def test_a_line_makes_sense_by_itself():
    assert plain_line(waiting(restarts=2), now=NOW) == "a: Pending, 0/1 ready, 2 restarts, 1m05s (a:1)"
    assert plain_line(waiting(since=""), now=NOW) == "a: Pending, 0/1 ready, - (a:1)"


def test_news_are_what_changed_but_not_the_age():
    before = [node("a"), waiting("b"), waiting("c")]
    now = [node("a", since="2026-01-01T00:00:30Z"), waiting("b", phase="ErrImagePull"), waiting("c"), waiting("d")]

    assert [state.name for state in news(before, now)] == ["b", "d"]


def test_a_summary_counts():
    assert summary([node(), waiting()]) == "1 of 2 nodes ready"
    assert summary([node(), waiting(state="failed")]) == "1 of 2 nodes ready, 1 failed"


@pytest.mark.parametrize(
    ("since", "seconds"),
    [("", 0), ("2026-01-01T00:00:00Z", 65), ("2026-01-01T00:00:00.123456Z", 65), ("2027-01-01T00:00:00Z", 0)],
)
def test_an_age_is_never_negative(since: str, seconds: int):
    assert age_seconds(since, NOW) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (65, "1m05s"), (3599, "59m59s"), (7800, "2h10m"), (90000, "1d")]
)
def test_an_age_is_short(seconds: int, text: str):
    assert age_text(seconds) == text
