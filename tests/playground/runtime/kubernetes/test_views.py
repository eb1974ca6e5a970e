"""What is told of all deployments is judged when it changes, and nobody who looks waits for that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.api_server import ApiServer, named

from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.objects import Workload
from playground.runtime.kubernetes.views import Views


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(lists={"namespaces": [named("here", 90), named("there", 91)]}) as made:
        made.lists["deployments"] = [deployment("a", 50, "here"), deployment("b", 51, "there")]
        yield made


class Counting(Cache):
    """Remembers which deployments were judged: who judges one asks for its workloads, once."""

    judged: list[str]

    def workloads(self, namespace: str) -> tuple[Workload, ...]:
        self.judged.append(namespace)
        return super().workloads(namespace)


@pytest.fixture
def cache(server: ApiServer) -> Iterator[Counting]:
    made = Counting(server.client(), installation="here")
    made.judged = []
    yield made
    made.close()


def deployment(name: str, version: int, namespace: str, **status: int) -> dict[str, Any]:
    return {**named(name, version, namespace=namespace), "spec": {}, "status": status}


def until(is_so: Callable[[], Any]) -> None:
    end = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_everything_is_judged_before_anybody_looks_and_not_again(cache: Counting) -> None:
    cache.start()
    seen = Views(cache)
    seen.start()
    at_once = sorted(cache.judged)

    looks = [seen.of(name).nodes[0].name for name in ("here", "there", "here", "there")]

    assert at_once == ["here", "there"]
    assert looks == ["a", "b", "a", "b"]
    assert sorted(cache.judged) == ["here", "there"]
    seen.close()


def test_what_changes_is_judged_again_and_nothing_else_though_nobody_looks(cache: Counting) -> None:
    cache.start()
    seen = Views(cache)
    seen.start()

    cache.note({"kind": "Deployment", **deployment("b", 200, "there", updatedReplicas=1, availableReplicas=1)})
    until(lambda: len(cache.judged) > 2)

    assert (sorted(cache.judged[:2]), cache.judged[2:]) == (["here", "there"], ["there"])
    assert (seen.of("there").state, seen.of("here").state) == ("ready", "starting")
    seen.close()


def test_a_look_tells_what_is_even_where_nobody_judges_ahead(cache: Counting) -> None:
    cache.start()
    seen = Views(cache)

    before = seen.of("there").state
    cache.note({"kind": "Deployment", **deployment("b", 200, "there", updatedReplicas=1, availableReplicas=1)})

    assert (before, seen.of("there").state) == ("starting", "ready")


def test_it_waits_for_a_cluster_that_has_told_nothing_yet(cache: Counting, server: ApiServer) -> None:
    server.refused.add("namespaces")
    cache.start(0.05)
    seen = Views(cache)
    seen.start()
    before = list(cache.judged)

    server.refused.clear()
    until(lambda: len(cache.judged) > 1)

    assert (before, sorted(cache.judged[:2])) == ([], ["here", "there"])
    seen.close()
