"""What a store promises, shown for each kind: a folder on a disk, and a bucket behind a real S3 protocol server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import InvalidRequestError, TooLargeError
from shared.persistence.store import Store, checked_key

HOSTILE = [
    "",
    "/etc/passwd",
    "a//b",
    "a/",
    "../a",
    "a/../../b",
    "a/./b",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "a\u202eb",
    "a/\ud800",
    "x" * 201,
    "/".join(["x" * 100] * 10),
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_with_another_meaning_than_its_names_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequestError, match="path: expected a relative path of plain names, found "):
        checked_key(key)


@pytest.mark.parametrize("key", ["a", "microservice/news trainer-1.proto", "größe/…", "a" * 200, "..a/b.."])
def test_a_plain_key_is_accepted(key: str) -> None:
    assert checked_key(key) == key


@pytest.mark.parametrize("key", HOSTILE)
def test_no_store_touches_a_hostile_key(store: Store, key: str) -> None:
    with pytest.raises(InvalidRequestError):
        store.get(key, most_bytes=10)
    with pytest.raises(InvalidRequestError):
        store.put_new(key, b"x")

    assert store.keys("") == {}


def test_what_was_put_is_found(store: Store) -> None:
    assert store.put_new("sol/rev/größe 1.txt", b"12345")

    assert store.get("sol/rev/größe 1.txt", most_bytes=5) == b"12345"


def test_nothing_is_found_where_nothing_was_put(store: Store) -> None:
    store.put_new("a/b", b"1")

    assert [store.get(key, most_bytes=5) for key in ("a", "a/b/c", "a/c", "c")] == [None, None, None, None]


def test_an_empty_file_is_something(store: Store) -> None:
    store.put_new("a", b"")

    assert store.get("a", most_bytes=0) == b""


def test_what_is_there_stays_as_it_is(store: Store) -> None:
    store.put_new("a/b", b"first")

    assert (store.put_new("a/b", b"second"), store.get("a/b", most_bytes=9)) == (False, b"first")


def test_of_many_writers_at_once_one_wins(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda n: store.put_new("a/b", b"%d" % n), range(16)))

    winner = won.index(True)
    assert (won.count(True), store.get("a/b", most_bytes=9)) == (1, b"%d" % winner)


def test_what_is_larger_than_wanted_is_refused(store: Store) -> None:
    store.put_new("a", b"12345")

    with pytest.raises(TooLargeError, match="at most 4 bytes"):
        store.get("a", most_bytes=4)


def test_many_are_read_and_written_together(store: Store) -> None:
    files = {f"sol/{number}": b"%d" % number for number in range(40)}
    store.put_new("sol/7", b"kept")

    store.put_all(files)

    assert store.get_all({**dict.fromkeys(files, 9), "missing": 9}) == {**files, "sol/7": b"kept", "missing": None}


def test_keys_are_listed_with_sizes_in_order(store: Store) -> None:
    store.put_all({"b/2/y": b"22", "b/1/x": b"1", "bb/1": b"333", "a/1": b""})

    assert list(store.keys("").items()) == [("a/1", 0), ("b/1/x", 1), ("b/2/y", 2), ("bb/1", 3)]
    assert list(store.keys("b/").items()) == [("b/1/x", 1), ("b/2/y", 2)]
    assert (store.keys("c/"), store.keys("a/1/")) == ({}, {})


def test_a_store_that_can_be_read_is_ready(store: Store) -> None:
    store.put_new("a", b"1")

    store.check()

    assert store.get("a", most_bytes=1) == b"1"
