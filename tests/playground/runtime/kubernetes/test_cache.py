"""The cache against an API server that misbehaves, and beside writers who know more than the watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap, Namespace
from support.api_server import Answer, ApiServer, named

from playground.runtime.kubernetes.cache import MOST_EVENTS, Cache
from playground.runtime.kubernetes.watch import Patience
from shared.errors import UnavailableError

QUICK = Patience(watch=60, silence=5.0, first_pause=0.01, longest_pause=0.05, steady=0.02, broken=0.1)
KINDS = ("namespaces", "pods", "deployments", "jobs", "persistentvolumeclaims", "services", "events")


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(lists={"namespaces": [named("home", 90)]}) as made:
        yield made


@pytest.fixture
def opened(server: ApiServer) -> Iterator[Callable[..., Cache]]:
    made: list[Cache] = []

    def start(patience: Patience = QUICK, seconds: float = 5.0) -> Cache:
        made.append(Cache(server.client(), installation="here", patience=patience))
        made[-1].start(seconds)
        return made[-1]

    yield start
    for cache in made:
        cache.close()


def until(cache: Cache, is_so: Callable[[], Any]) -> None:
    end, version = time.monotonic() + 5, 0
    while not is_so():
        assert time.monotonic() < end
        version = cache.wait_changed(version, 0.05)


def names(cache: Cache) -> list[str]:
    return [pod.metadata.name for pod in cache.pods("home")]


def event(name: str, version: int, namespace: str = "home") -> dict[str, Any]:
    return {**named(name, version, namespace=namespace), "involvedObject": {"kind": "Pod", "name": "a"}}


def test_each_kind_is_listed_once_and_watched_from_there(server: ApiServer, opened: Callable[..., Cache]) -> None:
    server.lists["pods"] = [named("a", 50, namespace="home"), named("b", 51, namespace="home")]
    cache = opened()

    until(cache, lambda: len([one for one in server.requests if one.is_watch]) == 7)
    until(cache, lambda: not _is_broken(cache))

    assert names(cache) == ["a", "b"]
    assert sorted(one.kind for one in server.requests if not one.is_watch) == sorted(KINDS)
    (watch,) = server.asked("pods", watch=True)
    assert watch.query == {
        "labelSelector": "slipway.dev/playground=here",
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "100",
        "timeoutSeconds": "60",
    }
    assert "labelSelector" not in server.asked("events", watch=True)[0].query


def test_changes_are_taken_and_wake_who_waits(server: ApiServer, opened: Callable[..., Cache]) -> None:
    go = Event()

    def changes(answer: Answer) -> None:
        answer.wait(go)
        answer.change("ADDED", named("a", 101, namespace="home"))
        answer.change("ADDED", named("b", 102, namespace="home"))
        answer.change("MODIFIED", named("a", 103, namespace="home", status={"phase": "Running"}))
        answer.change("DELETED", named("b", 104, namespace="home"))
        answer.wait()

    server.watches["pods"] = [changes]
    cache = opened()
    before, version = cache.version_of("home"), cache.version

    go.set()

    assert cache.wait_changed(version, 5) > version
    until(cache, lambda: names(cache) == ["a"] and cache.pods("home")[0].status.phase == "Running")
    assert cache.version_of("home") > before
    assert cache.version_of("elsewhere") == 0


def test_a_watch_that_was_cut_goes_on_where_it_was(server: ApiServer, opened: Callable[..., Cache]) -> None:
    def cut(answer: Answer) -> None:
        answer.change("ADDED", named("a", 105, namespace="home"))
        answer.change("BOOKMARK", {"metadata": {"resourceVersion": "250"}})
        answer.cut()

    server.watches["pods"] = [cut]
    cache = opened()

    until(cache, lambda: len(server.asked("pods", watch=True)) == 2)

    assert server.asked("pods", watch=True)[1].query["resourceVersion"] == "250"
    assert len(server.asked("pods", watch=False)) == 1
    assert names(cache) == ["a"]


@pytest.mark.parametrize("code", [410, 504])
def test_what_the_server_remembers_no_more_is_listed_anew(
    server: ApiServer, opened: Callable[..., Cache], code: int
) -> None:
    server.lists["pods"] = [named("gone-meanwhile", 60, namespace="home")]

    def expired(answer: Answer) -> None:
        server.lists["pods"], server.version = [named("b", 300, namespace="home")], 300
        answer.change("ERROR", {"kind": "Status", "code": code, "message": "too old"})

    server.watches["pods"] = [expired]
    cache = opened()

    until(cache, lambda: names(cache) == ["b"])
    until(cache, lambda: len(server.asked("pods", watch=True)) == 2)

    assert server.asked("pods", watch=True)[1].query["resourceVersion"] == "300"


def test_garbage_that_comes_again_ends_in_a_new_list(server: ApiServer, opened: Callable[..., Cache]) -> None:
    def garbage(answer: Answer) -> None:
        answer.send(b"<html>bad gateway</html>\n")

    server.watches["pods"] = [garbage] * 3
    cache = opened()

    until(cache, lambda: len(server.asked("pods", watch=True)) == 4)

    assert len(server.asked("pods", watch=False)) == 2


def test_one_object_that_cannot_be_read_does_not_hide_the_others(
    server: ApiServer, opened: Callable[..., Cache]
) -> None:
    server.lists["pods"] = [
        {"metadata": {"name": "odd", "namespace": "home", "labels": "none"}},
        named("a", 50, namespace="home"),
    ]
    server.watches["pods"] = [
        lambda answer: (
            answer.change("ADDED", {"metadata": {"name": "odd", "resourceVersion": "101"}, "spec": 7}),
            answer.change("ADDED", named("b", 102, namespace="home")),
            answer.wait(),
        )
    ]
    cache = opened()

    until(cache, lambda: names(cache) == ["a", "b"])


def test_silence_is_noticed(server: ApiServer, opened: Callable[..., Cache]) -> None:
    cache = opened(Patience(silence=0.2, first_pause=0.01, longest_pause=0.05, broken=0.5))

    until(cache, lambda: len(server.asked("pods", watch=True)) >= 3)

    assert server.asked("pods", watch=False)  # after so many in a row it is listed anew


def test_an_outage_is_told_and_over_when_it_is_over(server: ApiServer, opened: Callable[..., Cache]) -> None:
    server.lists["pods"] = [named("a", 50, namespace="home")]
    begins = Event()
    server.watches["pods"] = [lambda answer: (answer.wait(begins), answer.cut())]
    cache = opened()

    server.refused.add("pods")
    begins.set()
    until(cache, lambda: _is_broken(cache))
    stale = names(cache)
    server.refused.clear()
    until(cache, lambda: not _is_broken(cache))

    assert stale == ["a"]


def _is_broken(cache: Cache) -> bool:
    try:
        cache.check()
    except UnavailableError:
        return True
    return False


def test_nothing_is_taken_for_missing_that_was_not_read_yet(server: ApiServer, opened: Callable[..., Cache]) -> None:
    server.refused.add("namespaces")
    cache = opened(seconds=0.1)

    with pytest.raises(UnavailableError, match="namespaces"):
        cache.namespace("home")
    with pytest.raises(UnavailableError, match="namespaces"):
        cache.check()
    server.refused.clear()

    until(cache, lambda: not _is_unread(cache))
    assert list(cache.namespaces()) == ["home"]


def _is_unread(cache: Cache) -> bool:
    try:
        cache.namespaces()
    except UnavailableError:
        return True
    return False


def test_a_writer_reads_its_own_writes_before_the_watch_tells(server: ApiServer, opened: Callable[..., Cache]) -> None:
    go = Event()

    def late(answer: Answer) -> None:
        answer.wait(go)
        answer.change("MODIFIED", named("home", 101))
        answer.change("ADDED", named("seen", 140))
        answer.wait()

    server.watches["namespaces"] = [late]
    cache = opened()
    written = Namespace(
        metadata=ObjectMeta(
            name="home",
            resourceVersion="130",
            labels={"slipway.dev/playground": "here"},
            annotations={"slipway.dev/record": "new"},
        )
    )

    cache.note(written)
    at_once = cache.namespace("home")
    go.set()
    until(cache, lambda: cache.namespace("seen"))
    cache.note({"kind": "Namespace", **named("deleted-long-ago", 120)})

    assert at_once is not None
    assert at_once.metadata.annotations == {"slipway.dev/record": "new"}
    assert cache.namespace("home") == at_once
    assert sorted(cache.namespaces()) == ["home", "seen"]


def test_what_is_not_ours_or_of_no_kept_kind_is_not_noted(opened: Callable[..., Cache]) -> None:
    cache = opened()
    version = cache.version

    cache.note({"kind": "Pod", **named("foreign", 500, namespace="home", installation="there")})
    cache.note(ConfigMap(metadata=ObjectMeta(name="x", labels={"slipway.dev/playground": "here"})))

    assert cache.version == version


def test_events_are_kept_for_our_namespaces_only_and_not_without_end(
    server: ApiServer, opened: Callable[..., Cache]
) -> None:
    server.lists["events"] = [
        *(event(f"e{number}", number + 1) for number in range(MOST_EVENTS + 20)),
        event("foreign", 7, namespace="kube-system"),
    ]
    cache = opened()

    kept = [one.metadata.name for one in cache.events("home")]

    assert (len(kept), kept[0], kept[-1]) == (MOST_EVENTS, "e20", f"e{MOST_EVENTS + 19}")
    assert cache.events("kube-system") == ()


def test_a_namespace_that_goes_takes_its_events_along(server: ApiServer, opened: Callable[..., Cache]) -> None:
    server.lists["events"] = [event("e", 1)]
    go = Event()

    def gone(answer: Answer) -> None:
        answer.wait(go)
        answer.change("DELETED", named("home", 110))
        answer.wait()

    server.watches["namespaces"] = [gone]
    cache = opened()
    before = cache.events("home")

    go.set()
    until(cache, lambda: cache.namespace("home") is None)

    assert len(before) == 1
    assert cache.events("home") == ()
    assert cache.version_of("home") == 0


def test_closing_does_not_wait_for_a_silent_server(opened: Callable[..., Cache], server: ApiServer) -> None:
    cache = opened(Patience())
    until(cache, lambda: len([one for one in server.requests if one.is_watch]) == 7)
    began = time.monotonic()

    cache.close()

    assert time.monotonic() - began < 2
