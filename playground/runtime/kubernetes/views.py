"""What is told of all deployments, ready before anybody looks: a thread judges each as soon as something changed in it.

So a page of many deployments costs next to nothing. A look judges only what the thread has not come to yet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.node_view import Seen, View, view_of
from shared.errors import UnavailableError

_ROUND_SECONDS = 30.0
_LEAST_SECONDS = 0.2
"""Between two rounds, however much changes in the cluster."""


class Views:
    """See the module. Usable without `start`, too: then every look judges for itself."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._known: dict[str, tuple[int, View]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="views", daemon=True)

    def start(self) -> None:
        """Judge everything that the cache holds, then keep up with it."""
        self._judge()
        self._thread.start()

    def close(self) -> None:
        """End; the cache, closed next, wakes the thread."""
        self._ended.set()

    def of(self, namespace: str) -> View:
        """Return what is told of a deployment now."""
        version = self._cache.version_of(namespace)
        known = self._known.get(namespace)
        if known is not None and known[0] == version:
            return known[1]
        view = view_of(Seen.of(self._cache, namespace))
        self._known[namespace] = (version, view)
        return view

    def _follow(self) -> None:
        version = 0
        while not self._ended.is_set():
            version = self._cache.wait_changed(version, _ROUND_SECONDS)
            began = time.monotonic()
            self._judge()
            # At most half of a processor, so that whoever looks meanwhile comes first.
            self._ended.wait(max(_LEAST_SECONDS, time.monotonic() - began))

    def _judge(self) -> None:
        try:
            names = self._cache.namespaces().keys()
        except UnavailableError:
            return  # nothing was read yet
        self._forget_others(names)
        for name in names:
            if self._ended.is_set():
                return
            self.of(name)

    def _forget_others(self, namespaces: Iterable[str]) -> None:
        for name in self._known.keys() - set(namespaces):
            self._known.pop(name, None)
