"""The playground's cache beside a real API server: own writes, foreign changes, and an API server that is away for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from lightkube import Client, KubeConfig
from lightkube.resources.core_v1 import ConfigMap, Namespace
from support.cluster import Kubectl
from support.outages import way_to

from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.codes import Codes
from playground.runtime.kubernetes.watch import Patience
from shared.errors import UnavailableError

SECONDS = 60.0


@pytest.fixture
def client(cluster: Kubectl) -> Iterator[Client]:
    with Client(KubeConfig.from_file(cluster.environment["KUBECONFIG"]).get()) as made:
        yield made


@pytest.fixture
def installation(test_run: str) -> str:
    return f"{test_run}-{time.monotonic_ns()}"


def until(cache: Cache, is_so: Callable[[], Any]) -> None:
    end, version = time.monotonic() + SECONDS, 0
    while not is_so():
        assert time.monotonic() < end
        version = cache.wait_changed(version, 0.2)


def service(name: str, installation: str) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"slipway.dev/playground": installation}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [{"port": 1}]}}


def names(cache: Cache, namespace: str) -> list[str]:
    return sorted(one.metadata.name for one in cache.services(namespace))


def test_what_is_written_is_seen_at_once_and_what_others_write_soon(
    client: Client, installation: str, new_namespace: Callable[..., Kubectl]
) -> None:
    home, foreign = new_namespace(**{"slipway.dev/playground": installation}), new_namespace()
    cache = Cache(client, installation=installation)
    cache.start()
    labels = {"slipway.dev/playground": installation}

    change = {"metadata": {"annotations": {"slipway.dev/record": "mine"}}}
    cache.note(client.patch(Namespace, home.namespace, change))
    at_once = cache.namespaces()[home.namespace].metadata.annotations["slipway.dev/record"]
    home.create(service("ours", installation), service("no-label", "another"))
    foreign.create(service("elsewhere", installation))
    until(cache, lambda: names(cache, home.namespace) == ["ours"])
    home("delete", "service", "ours")
    until(cache, lambda: names(cache, home.namespace) == [])

    assert at_once == "mine"
    assert list(cache.namespaces()) == [home.namespace]
    assert cache.namespace(home.namespace).metadata.labels.items() >= labels.items()  # type: ignore[union-attr]
    cache.check()
    cache.close()


@pytest.mark.parametrize("silently", [False, True])
def test_a_cache_lives_through_an_api_server_that_is_away(
    cluster: Kubectl,
    installation: str,
    new_namespace: Callable[..., Kubectl],
    tmp_path: Path,
    silently: bool,  # noqa: FBT001
) -> None:
    home = new_namespace(**{"slipway.dev/playground": installation})
    with way_to(cluster, tmp_path) as (kubectl, way):
        client = Client(KubeConfig.from_file(kubectl.environment["KUBECONFIG"]).get())
        cache = Cache(
            client,
            installation=installation,
            patience=Patience(watch=2, silence=4.0, longest_pause=0.5, steady=0.5, broken=1.0),
        )
        cache.start()
        home.create(service("before", installation))
        until(cache, lambda: names(cache, home.namespace) == ["before"])

        way.cut(silently=silently)
        until(cache, lambda: _is_broken(cache))
        home.create(service("meanwhile", installation))
        home("delete", "service", "before")
        stale = names(cache, home.namespace)
        way.mend()
        until(cache, lambda: names(cache, home.namespace) == ["meanwhile"] and not _is_broken(cache))

        assert stale == ["before"]
        cache.close()
        client.close()


def _is_broken(cache: Cache) -> bool:
    try:
        cache.check()
    except UnavailableError:
        return True
    return False


def test_a_code_is_spent_once_by_whichever_copy_and_cleared_away_later(client: Client, space: Kubectl) -> None:
    now = [time.time()]
    copies = [Codes(client, namespace=space.namespace, installation="here", now=lambda: now[0]) for _ in range(2)]
    code = "0123456789abcdef" * 2

    with ThreadPoolExecutor(8) as pool:
        spent = list(pool.map(lambda number: copies[number % 2].spend(code, 60), range(16)))
    now[0] += 200
    another = copies[0].spend("f" * 32, 60)

    assert sorted(spent) == [False] * 15 + [True]
    assert another
    left = [
        one.metadata.name
        for one in client.list(ConfigMap, namespace=space.namespace, labels={"slipway.dev/playground-part": "code"})
    ]  # type: ignore[union-attr]
    assert left == ["code-" + "f" * 32]
    assert not copies[1].spend("../../secret", 60)


def test_a_code_is_not_accepted_while_the_cluster_cannot_tell(cluster: Kubectl, space: Kubectl, tmp_path: Path) -> None:
    with way_to(cluster, tmp_path) as (kubectl, way):
        client = Client(KubeConfig.from_file(kubectl.environment["KUBECONFIG"]).get())
        way.cut(silently=False)

        with pytest.raises(UnavailableError):
            Codes(client, namespace=space.namespace, installation="here").spend("a" * 32, 60)
        client.close()
