"""The memory for artifacts: bounded, by URL, the longest unused go first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from support.raw_server import RawServer, answering

from shared.deadline import Deadline
from shared.errors import TooLargeError
from shared.outbound import Upstream
from shared.persistence.nexus import ArtifactCache, Nexus


def test_what_was_kept_is_found_again() -> None:
    cache = ArtifactCache(10)
    cache.keep("a", b"12345")

    assert (cache.get("a"), cache.get("b")) == (b"12345", None)


def test_the_longest_unused_goes_first() -> None:
    cache = ArtifactCache(10)
    cache.keep("a", b"12345")
    cache.keep("b", b"12345")
    cache.get("a")
    cache.keep("c", b"1")

    assert [cache.get(name) for name in "abc"] == [b"12345", None, b"1"]


def test_keeping_again_counts_once() -> None:
    cache = ArtifactCache(10)
    for _ in range(5):
        cache.keep("a", b"12345")
    cache.keep("b", b"12345")

    assert (cache.get("a"), cache.get("b")) == (b"12345", b"12345")


def test_what_is_larger_than_all_is_not_kept() -> None:
    cache = ArtifactCache(4)
    cache.keep("a", b"12345")

    assert cache.get("a") is None


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answering("200 OK", b"12345")) as server:
        yield server


def test_an_artifact_is_fetched_once_however_its_uri_is_written(server: RawServer) -> None:
    with closing(Upstream("nexus", server.url)) as upstream:
        nexus = Nexus(upstream, cache_bytes=100)

        fetched = [
            nexus.fetch(uri, deadline=Deadline.after(2), most_bytes=5)
            for uri in ("a b", "/a%20b", f"{server.url}/a%20b")
        ]

    assert (fetched, len(server.requests)) == ([b"12345"] * 3, 1)


def test_the_limit_holds_for_what_is_kept_too(server: RawServer) -> None:
    with closing(Upstream("nexus", server.url)) as upstream:
        nexus = Nexus(upstream, cache_bytes=100)
        nexus.fetch("a", deadline=Deadline.after(2), most_bytes=5)

        with pytest.raises(TooLargeError, match="at most 4 bytes"):
            nexus.fetch("a", deadline=Deadline.after(2), most_bytes=4)


def test_what_is_missing_is_asked_for_again() -> None:
    with (
        RawServer(answering("404 Not Found"), answering("200 OK", b"now")) as server,
        closing(Upstream("nexus", server.url)) as upstream,
    ):
        nexus = Nexus(upstream, cache_bytes=100)

        found = [nexus.fetch("a", deadline=Deadline.after(2), most_bytes=5) for _ in range(2)]

    assert found == [None, b"now"]
