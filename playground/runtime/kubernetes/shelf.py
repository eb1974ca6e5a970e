"""The objects of one kind as they were last seen, by namespace and name. Pure: no clock, no thread, no network.

Two sources tell of an object: the watch, and whoever wrote it and was told the result. Versions only grow, so the newer
of the two is kept, whichever comes first; and what the watch has seen go is not put back by a writer who comes late.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from playground.runtime.kubernetes.objects import Kept, version_of

K = TypeVar("K", bound=Kept)


class Shelf(Generic[K]):
    """See the module. `most` objects of a namespace are kept, those that changed last."""

    def __init__(self, *, most: int | None = None) -> None:
        self._spaces: dict[str, dict[str, K]] = {}
        self._seen = 0
        self._most = most

    def of(self, space: str) -> tuple[K, ...]:
        """Return the objects of a namespace; those of no namespace are in the one without a name."""
        return tuple(self._spaces.get(space, {}).values())

    def find(self, space: str, name: str) -> K | None:
        """Return one object."""
        return self._spaces.get(space, {}).get(name)

    def replace(self, listed: Iterable[K], version: int) -> set[str]:
        """Take over a list that was made at a version, and return the namespaces in which something differs."""
        before, self._spaces = self._spaces, {}
        for one in listed:
            self._set(one)
        # What a writer noted after the list was made is not in it. Unless the cluster went back to an older state.
        if version >= self._seen:
            for space in before.values():
                for one in space.values():
                    if version_of(one) > version:
                        self._set(one)
        self._seen = version
        names = before.keys() | self._spaces.keys()
        return {name for name in names if before.get(name, {}) != self._spaces.get(name, {})}

    def put(self, seen: K) -> bool:
        """Take what the watch tells, and return whether it is new."""
        version = version_of(seen)
        self.advance(version)
        known = self.find(seen.metadata.namespace, seen.metadata.name)
        if known is not None and version_of(known) >= version:
            return False
        self._set(seen)
        return True

    def drop(self, gone: K) -> bool:
        """Take what the watch tells of an object that has gone, and return whether that is new."""
        version = version_of(gone)
        self.advance(version)
        known = self.find(gone.metadata.namespace, gone.metadata.name)
        if known is None or version_of(known) > version:  # made again meanwhile
            return False
        self._remove(known)
        return True

    def note(self, written: K) -> bool:
        """Take what a writer was told, and return whether it is new."""
        known = self.find(written.metadata.namespace, written.metadata.name)
        newest = self._seen if known is None else version_of(known)
        if version_of(written) <= newest:
            return False
        self._set(written)
        return True

    def advance(self, version: int) -> None:
        """Take note that the watch has told everything up to a version."""
        self._seen = max(self._seen, version)

    def forget(self, space: str) -> None:
        """Drop all objects of a namespace."""
        self._spaces.pop(space, None)

    def _set(self, one: K) -> None:
        space = self._spaces.setdefault(one.metadata.namespace, {})
        space.pop(one.metadata.name, None)  # the newest stand last
        space[one.metadata.name] = one
        if self._most is not None and len(space) > self._most:
            del space[next(iter(space))]

    def _remove(self, one: K) -> None:
        space = self._spaces[one.metadata.namespace]
        del space[one.metadata.name]
        if not space:
            del self._spaces[one.metadata.namespace]
