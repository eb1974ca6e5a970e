"""Logs of processes: bounded, kept, and read by many."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from shared.processes.log import Log

ALL = 1_000_000


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "node.log", limit=1000)
    yield made
    made.close()


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def test_lines_come_back_as_they_were_written(log: Log) -> None:
    log.append(b"one\ntw")
    log.append(b"o\n\xff three")

    assert list(log.lines(tail=ALL)) == [b"one\n", b"two\n", b"\xff three"]


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, [b"c\n"]), (2, [b"b\n", b"c\n"]), (9, [b"a\n", b"b\n", b"c\n"])]
)
def test_the_tail_is_the_last_lines(log: Log, count: int, expected: list[bytes]) -> None:
    log.append(b"a\nb\nc\n")

    assert list(log.lines(tail=count)) == expected


def test_a_last_line_without_an_end_counts_as_one(log: Log) -> None:
    log.append(b"a\nb\nc")

    assert log.tail(2) == ["b", "c"]


def test_a_log_stays_within_its_limit_and_keeps_the_newest_whole_lines(log: Log, tmp_path: Path) -> None:
    for number in range(500):
        log.append(f"line {number:06}\n".encode())

    lines = list(log.lines(tail=ALL))

    assert size(tmp_path) <= 1000 + len(b"line 000000\n")
    assert lines[-1] == b"line 000499\n"
    assert len(lines) >= 500 // 12
    assert set(map(len, lines)) == {len(b"line 000000\n")}


def test_one_write_larger_than_the_limit_is_cut(log: Log, tmp_path: Path) -> None:
    log.append(b"x" * 10_000)

    assert size(tmp_path) <= 1000


def test_the_tail_is_found_across_both_files(log: Log) -> None:
    for number in range(60):
        log.append(f"line {number:06}\n".encode())

    assert log.tail(45) == [f"line {number:06}" for number in range(15, 60)]


def test_a_log_goes_on_where_a_former_server_left_it(tmp_path: Path) -> None:
    former = Log(tmp_path / "node.log", limit=200)
    for number in range(20):
        former.append(f"line {number}\n".encode())
    former.close()

    log = Log(tmp_path / "node.log", limit=200)
    log.append(b"new\n")

    assert log.tail(3) == ["line 18", "line 19", "new"]
    log.close()


def test_a_half_written_line_does_not_run_into_the_next_process(log: Log) -> None:
    log.append(b"killed in the mid")
    log.begin()
    log.append(b"started\n")

    assert log.tail(2) == ["killed in the mid", "started"]


def test_lines_are_found_by_their_time(log: Log) -> None:
    log.append(b"old\n")
    time.sleep(0.3)
    since = time.time()
    log.append(b"new\n")

    assert list(log.lines(tail=ALL, since=since)) == [b"new\n"]
    assert list(log.lines(tail=ALL, since=time.time() + 1)) == []


def test_a_line_just_behind_another_is_found_by_its_time(log: Log) -> None:
    log.append(b"old\n")
    since = time.time()
    log.append(b"new\n")

    assert list(log.lines(tail=ALL, since=since))[-1:] == [b"new\n"]


def test_lines_whose_time_is_forgotten_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", count(time.time()).__next__)
    log = Log(tmp_path / "node.log")
    for number in range(5000):
        log.append(b"%d\n" % number)

    first = next(log.lines(tail=ALL, since=1.0))

    log.close()
    assert first == b"0\n"


def test_what_was_written_at_a_time_begins_with_a_whole_line(log: Log) -> None:
    log.append(b"old and t")
    time.sleep(0.3)
    since = time.time()
    log.append(b"orn\nnew\n")

    assert list(log.lines(tail=ALL, since=since)) == [b"new\n"]


def test_three_followers_see_every_line_once_while_the_files_change(tmp_path: Path) -> None:
    log = Log(tmp_path / "node.log", limit=4000)
    log.append(b"begin\n")
    seen: list[list[bytes]] = [[], [], []]

    def follow(into: list[bytes]) -> None:
        for line in log.lines(tail=1, follow=True):
            if line:
                into.append(line)
            if line == b"end\n":
                return

    def have(count: int) -> None:
        """Wait until all have so many: who is slower than the files change loses lines, and may."""
        end = time.monotonic() + 20
        while min(map(len, seen)) < count:
            assert time.monotonic() < end
            time.sleep(0.001)

    readers = [threading.Thread(target=follow, args=(into,), daemon=True) for into in seen]
    for reader in readers:
        reader.start()
    have(1)
    expected = [b"begin\n", *(f"line {number:06}\n".encode() for number in range(1000)), b"end\n"]
    for start in range(1, 1001, 50):
        log.append(b"".join(expected[start : start + 50]))
        have(start + 50)
    log.append(expected[-1])
    for reader in readers:
        reader.join(20)
    log.close()

    assert seen == [expected] * 3


def test_a_follower_of_a_quiet_log_gets_an_empty_piece(log: Log) -> None:
    follower = log.lines(tail=0, follow=True)

    assert next(follower) == b""
    follower.close()


def test_closing_ends_a_follower(tmp_path: Path) -> None:
    log = Log(tmp_path / "node.log")
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.extend(log.lines(tail=1, follow=True)))
    reader.start()
    time.sleep(0.05)

    log.close()
    reader.join(5)

    assert not reader.is_alive()
    assert seen == []


def test_a_line_without_an_end_is_not_gathered_for_ever(tmp_path: Path) -> None:
    log = Log(tmp_path / "node.log")
    log.append(b"x" * 300_000)

    pieces = list(log.lines(tail=1))

    assert b"".join(pieces) == b"x" * 300_000
    assert max(map(len, pieces)) <= 2 * 64 * 1024
    log.close()


def test_a_link_in_the_place_of_a_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "node.log").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        Log(tmp_path / "node.log")
