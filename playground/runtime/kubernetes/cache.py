"""What the cluster holds of the playground, kept up to date by one watch per kind: looking at it costs no call.

Signatures for the writing half:
    Cache(client: lightkube.Client, *, installation: str, patience: Patience = Patience())
    .start(seconds=10) -> None        begins, and waits at most so long for the first lists
    .close() -> None
    .check() -> None                  UnavailableError: not everything was read yet, or no news for 30 seconds
    .version -> int; .wait_changed(version, seconds) -> int
    .version_of(namespace) -> int     `version` when something in that namespace last changed; for what is worth keeping
    .namespaces() -> Mapping[str, Namespace]; .namespace(name) -> Namespace | None    (see objects.py)
    .pods(ns), .workloads(ns) (Deployment | Job), .claims(ns), .services(ns), .events(ns) -> tuples of records of objects.py
    .note(object) -> None             what a write returned: a lightkube object or a dict in the API's form
Until the first list of namespaces is in, `namespaces` and `namespace` raise UnavailableError: nothing may be taken for
missing that was only not read yet. During an outage they tell what was last seen.

The watches need `list` and `watch` in the whole cluster: namespaces, pods, services, persistentvolumeclaims, events,
deployments.apps, jobs.batch. Events carry no labels of ours: those of foreign namespaces are dropped as they come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from lightkube import Client

from playground.runtime.kubernetes import words
from playground.runtime.kubernetes.api import Api
from playground.runtime.kubernetes.objects import (
    Claim,
    Deployment,
    Happening,
    Job,
    Kept,
    Namespace,
    Pod,
    Service,
    Workload,
)
from playground.runtime.kubernetes.shelf import Shelf
from playground.runtime.kubernetes.watch import Patience, Source, Told, Watch
from shared.errors import UnavailableError

START_SECONDS = 10.0
MOST_EVENTS = 100  # of a namespace: a page shows no more
_PATHS: Mapping[type[Kept], str] = {
    Namespace: "/api/v1/namespaces",
    Pod: "/api/v1/pods",
    Deployment: "/apis/apps/v1/deployments",
    Job: "/apis/batch/v1/jobs",
    Claim: "/api/v1/persistentvolumeclaims",
    Service: "/api/v1/services",
    Happening: "/api/v1/events",
}
_KINDS: Mapping[str, type[Kept]] = {str(kind.__struct_config__.tag): kind for kind in _PATHS}


class Cache:
    """See the module. Its methods may be called from many threads."""

    def __init__(self, client: Client, *, installation: str, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._installation = installation
        self._api = Api(client.config)
        self._changed = threading.Condition()
        self._version = 1
        self._versions: dict[str, int] = {}
        self._shelves: dict[type[Kept], Shelf[Any]] = {
            kind: Shelf(most=MOST_EVENTS if kind is Happening else None) for kind in _PATHS
        }
        self._watches = {kind: self._watch(kind) for kind in _PATHS}

    def start(self, seconds: float = START_SECONDS) -> None:
        """Begin, and return when everything was read once, or after so many seconds."""
        end = time.monotonic() + seconds
        for watch in self._watches.values():
            watch.start()
            if watch.source.kind is Namespace:  # before the events, of which only those of our namespaces are kept
                watch.is_complete.wait(seconds)
        for watch in self._watches.values():
            watch.is_complete.wait(max(0.0, end - time.monotonic()))

    def close(self) -> None:
        """End all watches, and wake who waits."""
        for watch in self._watches.values():
            watch.close()
        self._api.close()
        with self._changed:
            self._tell(())

    def check(self) -> None:
        """Return when what is told is true.

        Raises:
            UnavailableError: it was not read yet, or there has been no news for long.
        """
        unread = [watch.source.name for watch in self._watches.values() if not watch.is_complete.is_set()]
        if unread:
            raise UnavailableError(f"the cluster has not told of its {', '.join(unread)} yet")
        now = time.monotonic()
        for watch in self._watches.values():
            if (seconds := watch.broken_seconds(now)) > self._patience.broken:
                raise UnavailableError(f"the cluster has told nothing of its {watch.source.name} for {seconds:.0f} s")

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._version

    def wait_changed(self, version: int, seconds: float) -> int:
        """Wait until anything has changed since `version`, or the time is over; return the new version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version, seconds)
            return self._version

    def version_of(self, namespace: str) -> int:
        """Return what `version` was when something in a namespace last changed."""
        with self._changed:
            return self._versions.get(namespace, 0)

    def namespaces(self) -> Mapping[str, Namespace]:
        """Return the namespaces of all deployments by their names."""
        self._refuse_unread()
        return {one.metadata.name: one for one in self._of(Namespace, "")}

    def namespace(self, name: str) -> Namespace | None:
        """Return one namespace, or None where there is none of ours with that name."""
        self._refuse_unread()
        with self._changed:
            found: Namespace | None = self._shelves[Namespace].find("", name)
            return found

    def pods(self, namespace: str) -> tuple[Pod, ...]:
        """Return the pods of a deployment."""
        return self._of(Pod, namespace)

    def workloads(self, namespace: str) -> tuple[Workload, ...]:
        """Return the Deployments, then the Jobs of a deployment, by name."""
        found = (*self._of(Deployment, namespace), *self._of(Job, namespace))
        return tuple(sorted(found, key=lambda one: (type(one).__name__, one.metadata.name)))

    def claims(self, namespace: str) -> tuple[Claim, ...]:
        """Return the claims of a deployment, by name."""
        return tuple(sorted(self._of(Claim, namespace), key=lambda one: one.metadata.name))

    def services(self, namespace: str) -> tuple[Service, ...]:
        """Return the Services of a deployment."""
        return self._of(Service, namespace)

    def events(self, namespace: str) -> tuple[Happening, ...]:
        """Return what the cluster tells of a deployment, what changed last at the end."""
        return self._of(Happening, namespace)

    def note(self, written: Any) -> None:
        """Take what a write returned, so that the writer reads its own writes; other kinds than ours are let go."""
        plain = msgspec.to_builtins(written)
        kind = _KINDS.get(plain.get("kind") or type(written).__name__)
        if kind is None:
            return
        kept = msgspec.convert(plain, kind)
        if kept.metadata.labels.get(words.INSTALLATION) == self._installation:
            self._apply(lambda: self._shelves[kind].note(kept), kept)

    def _refuse_unread(self) -> None:
        if not self._watches[Namespace].is_complete.is_set():
            raise UnavailableError("the cluster has not told of its namespaces yet")

    def _of(self, kind: type[Any], namespace: str) -> tuple[Any, ...]:
        with self._changed:
            return self._shelves[kind].of(namespace)

    def _watch(self, kind: type[Kept]) -> Watch:
        shelf = self._shelves[kind]
        selector = "" if kind is Happening else words.selector(self._installation)

        def listed(found: Iterable[Any], version: int) -> None:
            with self._changed:
                touched = shelf.replace([one for one in found if self._is_wanted(one)], version)
                if kind is Namespace:
                    touched = {*self._versions, *(one.metadata.name for one in shelf.of(""))} if touched else touched
                if touched:
                    self._tell(touched)

        def put(seen: Any) -> None:
            self._apply(lambda: self._is_wanted(seen) and shelf.put(seen), seen)

        def gone(seen: Any) -> None:
            self._apply(lambda: shelf.drop(seen), seen)

        def passed(version: int) -> None:
            with self._changed:
                shelf.advance(version)

        return Watch(self._api, Source(_PATHS[kind], kind, selector), Told(listed, put, gone, passed), self._patience)

    def _is_wanted(self, seen: Kept) -> bool:
        """Tell whether to keep an object: of the events, which carry no labels, only those of our namespaces."""
        return not isinstance(seen, Happening) or bool(self._shelves[Namespace].find("", seen.metadata.namespace))

    def _apply(self, change: Callable[[], bool], about: Kept) -> None:
        with self._changed:
            if not change():
                return
            space = about.metadata.namespace or about.metadata.name
            self._tell((space,))
            if isinstance(about, Namespace) and self._shelves[Namespace].find("", space) is None:
                # Its events may outlive it, and nothing shows them any more.
                self._shelves[Happening].forget(space)
                self._versions.pop(space, None)

    def _tell(self, spaces: Iterable[str]) -> None:
        self._version += 1
        self._versions |= dict.fromkeys(spaces, self._version)
        self._changed.notify_all()
