"""What the pods of a node write, through the API server: over restarts and replacements, each line once.

What was written so far comes first: of all pods of the node, and of the run before the one that is up now, in the order of
the lines' stamps. Then a reader may follow; see `log_follower`.

Signatures for the writing half:
    Logs(client, cache).lines(namespace, node, follow=…, since_seconds=…, tail=…) -> Iterator[bytes]
        as `Runtime.logs` asks; NotFoundError, at once: there is no such node
    .close()
It needs in the deployment's namespace: pods/log get.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator

from lightkube import Client

from playground.runtime.kubernetes import log_lines
from playground.runtime.kubernetes.api import Api, Parameters, RefusedError, UnreachableError
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.log_follower import Follower
from playground.runtime.kubernetes.log_lines import Line
from playground.runtime.kubernetes.objects import Pod, manifests
from shared.errors import NotFoundError, UnavailableError
from shared.findings import quoted
from shared.finishing.readiness import pods_by_workload

_MOST_MERGED = 20_000  # lines that are held in memory to bring those of several containers in order
_SILENCE_SECONDS = 30.0


class Logs:
    """See the module. Its methods may be called from many threads."""

    def __init__(self, client: Client, cache: Cache) -> None:
        self._cache = cache
        self._api = Api(client.config)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._api.close()

    def lines(
        self, namespace: str, node: str, *, follow: bool, since_seconds: int | None, tail: int
    ) -> Iterator[bytes]:
        """Return the last lines of a node, then with `follow` new ones, and `b""` in every second without one.

        Raises:
            NotFoundError: there is no such node.
        """
        if node not in {workload.metadata.name for workload in self._cache.workloads(namespace)}:
            raise NotFoundError(f"there is no node {quoted(node)}")
        return self._lines(namespace, node, follow=follow, since_seconds=since_seconds, tail=tail)

    def _lines(
        self, namespace: str, node: str, *, follow: bool, since_seconds: int | None, tail: int
    ) -> Iterator[bytes]:
        asked: Parameters = {} if since_seconds is None else {"sinceSeconds": max(1, since_seconds)}
        pods = self._pods(namespace, node)
        last: dict[str, str] = {}
        if tail:
            yield from self._history(pods, {"tailLines": tail, **asked}, tail, last)
        if not follow:
            return
        follower = Follower(self._api, self._cache, lambda: self._pods(namespace, node))
        for pod in pods:
            follower.follow(pod, after=last.get(pod.metadata.uid, ""), first=asked if tail else {"tailLines": 0})
        yield from follower.lines(lambda: self._cache.namespace(namespace) is None)

    def _pods(self, namespace: str, node: str) -> tuple[Pod, ...]:
        """Return the pods of a node, oldest first."""
        workloads = [one for one in self._cache.workloads(namespace) if one.metadata.name == node]
        pods = self._cache.pods(namespace)
        by_name = {pod.metadata.name: pod for pod in pods if pod.spec.containers}
        own = pods_by_workload(manifests(tuple(workloads)), manifests(tuple(by_name.values())))
        found = [by_name[pod["metadata"]["name"]] for of_workload in own for pod in of_workload]
        return tuple(sorted(found, key=lambda pod: pod.metadata.creation_timestamp or ""))

    def _history(self, pods: tuple[Pod, ...], asked: Parameters, tail: int, last: dict[str, str]) -> Iterator[bytes]:
        """Yield what was written so far, and note the stamp of each pod's last line in `last`, by its uid."""
        parts = []
        for pod in pods:
            status = log_lines.status(pod)
            # One that waits to be started again has no newer log: both requests would give the same.
            if status is not None and status.restart_count and status.state.waiting is None:
                parts.append(self._part(pod, {**asked, "previous": "true"}, last))
            parts.append(self._part(pod, asked, last))
        if len(parts) == 1:
            yield from (line.text for line in parts[0])
        else:
            merged = _once(heapq.merge(*parts, key=lambda line: line.stamp))
            yield from (line.text for line in deque(merged, min(tail, _MOST_MERGED)))

    def _part(self, pod: Pod, asked: Parameters, last: dict[str, str]) -> Iterator[Line]:
        try:
            with log_lines.opened(self._api, pod, asked, silence=_SILENCE_SECONDS) as stream:
                for line in log_lines.lines(stream.pieces()):
                    last[pod.metadata.uid] = max(line.stamp, last.get(pod.metadata.uid, ""))
                    yield line
        except RefusedError:
            return  # it has not begun to run, or what it wrote before is not kept any more
        except UnreachableError as problem:
            raise UnavailableError("the logs cannot be read at present") from problem


def _once(merged: Iterable[Line]) -> Iterator[Line]:
    """Yield each line once: a container may have been started again between the requests for its two logs."""
    before: Line | None = None
    for line in merged:
        if line != before:
            yield line
        before = line
