"""The records of all deployments: read from what the cache holds, changed only where nobody has changed them meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import uniform
from typing import Any

import structlog

from playground.runtime.deployment import DeploymentId
from playground.runtime.kubernetes import guard, record, words
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.cluster import Cluster, told
from playground.runtime.kubernetes.objects import Namespace
from playground.runtime.kubernetes.record import Record
from playground.runtime.kubernetes.settings import Settings
from shared.errors import ConflictError, NotFoundError, UnavailableError
from shared.findings import quoted

_LOG = structlog.get_logger(__name__)
_TRIES = 12
_PAUSE_SECONDS = 0.05

Change = Callable[[Record], Record]


@dataclass(frozen=True, slots=True)
class Kept:
    """A deployment as its namespace tells it."""

    id: DeploymentId
    record: Record
    version: str
    """Of the namespace: a change under another one is refused."""
    is_ending: bool


class Records:
    """See the module. Safe to use from many threads."""

    def __init__(self, cluster: Cluster, cache: Cache, settings: Settings) -> None:
        self._cluster = cluster
        self._cache = cache
        self._settings = settings
        self._lock = threading.Lock()
        self._read: dict[str, tuple[str, Kept | None]] = {}

    def all(self) -> list[Kept]:
        """Return every deployment; one whose record cannot be read stops nobody, and is logged once."""
        spaces = self._cache.namespaces()
        with self._lock:
            self._read = {name: known for name, known in self._read.items() if name in spaces}
        return [kept for space in spaces.values() if (kept := self._kept(space)) is not None]

    def get(self, deployment: DeploymentId) -> Kept:
        """Return one deployment.

        Raises:
            NotFoundError: there is none, or its first bundle has not been stored yet.
        """
        space = self._cache.namespace(deployment)
        kept = None if space is None else self._kept(space)
        if kept is None or not kept.record.current:
            raise NotFoundError(f"there is no deployment {quoted(deployment)}")
        return kept

    def live(self, deployment: DeploymentId) -> Kept | None:
        """Return a deployment as the cluster has it now, with or without a bundle.

        Raises:
            ConflictError: a namespace of that name is not ours.
        """
        found = self._cluster.get("Namespace", "", deployment)
        if found is None:
            return None
        kept = _parsed(found, self._settings.installation)
        if kept is None:
            raise ConflictError(f"the namespace {quoted(deployment)} belongs to somebody else")
        return kept

    def make(self, deployment: DeploymentId, made: Record) -> bool:
        """Make the namespace; False where there is one of that name."""
        labels = guard.namespace_labels(self._settings, deployment, made)
        metadata = {"name": deployment, "labels": labels, "annotations": {words.RECORD: record.encode(made)}}
        written = self._cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, "")
        if written is None:
            return False
        self._cache.note(written)
        return True

    def change(self, deployment: DeploymentId, change: Change) -> Record:
        """Change a record, again on what somebody else has made of it meanwhile; return what it is now.

        Raises:
            NotFoundError: the deployment is gone.
            ConflictError: it is being deleted.
            UnavailableError: too many others change it at the same time.
        """
        with told("the record of the deployment"):
            for attempt in range(_TRIES):
                kept = self._first(deployment) if attempt == 0 else self.live(deployment)
                if kept is None:
                    raise NotFoundError(f"there is no deployment {quoted(deployment)}")
                if kept.is_ending:
                    raise ConflictError("the deployment is being deleted")
                changed = change(kept.record)
                if changed == kept.record or self._write(kept, changed):
                    return changed
                time.sleep(uniform(0, _PAUSE_SECONDS * (attempt + 1)))  # noqa: S311 - only to part from others
        raise UnavailableError("too many change the deployment at the same time")

    def _first(self, deployment: DeploymentId) -> Kept | None:
        """Return what is probably the newest version: where it is not, the write is refused."""
        space = self._cache.namespace(deployment)
        return (None if space is None else self._kept(space)) or self.live(deployment)

    def _write(self, kept: Kept, changed: Record) -> bool:
        metadata = {
            "resourceVersion": kept.version,
            "labels": guard.namespace_labels(self._settings, kept.id, changed),
            "annotations": {words.RECORD: record.encode(changed)},
        }
        written = self._cluster.merge("Namespace", "", kept.id, {"metadata": metadata})
        if written is None:
            return False
        self._cache.note(written)
        return True

    def _kept(self, space: Namespace) -> Kept | None:
        metadata = space.metadata
        with self._lock:
            known = self._read.get(metadata.name)
        if known is not None and known[0] == metadata.resource_version:
            return known[1]
        kept = _of(metadata.name, metadata.resource_version, metadata.annotations, is_ending=space.is_ending)
        with self._lock:
            self._read[metadata.name] = (metadata.resource_version, kept)
        return kept


def _parsed(manifest: dict[str, Any], installation: str) -> Kept | None:
    metadata = manifest["metadata"]
    if (metadata.get("labels") or {}).get(words.INSTALLATION) != installation:
        return None
    version, annotations = metadata["resourceVersion"], metadata.get("annotations") or {}
    return _of(metadata["name"], version, annotations, is_ending="deletionTimestamp" in metadata)


def _of(name: str, version: str, annotations: dict[str, str], *, is_ending: bool) -> Kept | None:
    deployment = DeploymentId(name)
    try:
        return Kept(deployment, record.decode(deployment, annotations.get(words.RECORD, "")), version, is_ending)
    except ValueError:
        _LOG.warning("record_unreadable", deployment=name)
        return None
