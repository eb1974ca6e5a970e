"""Which copy of the server works on deployments: the one whose name stands in a Lease, as long as it renews it.

Should two believe so for a moment, nothing breaks: every step may be done twice, and a record changes only where nobody
else has changed it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import structlog

from playground.runtime.kubernetes import words
from playground.runtime.kubernetes.api import RefusedError, UnreachableError
from playground.runtime.kubernetes.cluster import Cluster

_LOG = structlog.get_logger(__name__)
SECONDS = 15.0
ROUND_SECONDS = 4.0


class Lease:
    """Holds the lease of an installation, or waits for it."""

    def __init__(
        self, cluster: Cluster, installation: str, namespace: str, *, seconds: float = SECONDS, identity: str = ""
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = f"slipway-playground-{installation}"[:63].rstrip("-")
        self._labels = {words.INSTALLATION + "-lease": installation}
        self._seconds = seconds
        self.identity = identity or f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._held_until = 0.0
        self._seen: tuple[str, float] = ("", 0.0)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def start(self) -> None:
        """Begin to ask for it."""
        self._thread.start()

    def close(self) -> None:
        """Give it back, so that another copy need not wait until it runs out."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self.is_held:
            self._held_until = 0.0
            self._give_back()

    @property
    def is_held(self) -> bool:
        """This copy is the one now."""
        return time.monotonic() < self._held_until

    def try_once(self) -> bool:
        """Take or renew it; return whether it is held."""
        began = time.monotonic()
        found = self._cluster.get("Lease", self._namespace, self._name)
        if found is None:
            is_taken = self._cluster.create(self._manifest(self._spec(0)), self._namespace) is not None
        else:
            is_taken = self._may_take(found, began) and self._take(found)
        # Counted from before the call: how long that takes must not lengthen the lease.
        self._held_until = began + self._seconds if is_taken else 0.0
        return is_taken

    def _may_take(self, found: dict[str, Any], now: float) -> bool:
        """Tell whether it is ours, free, or was not renewed for long; by our own clock, not by what another one says."""
        spec = found.get("spec") or {}
        if spec.get("holderIdentity") in (None, "", self.identity):
            return True
        version = found["metadata"]["resourceVersion"]
        if self._seen[0] != version:
            self._seen = (version, now)
        return now - self._seen[1] > float(spec.get("leaseDurationSeconds") or self._seconds)

    def _take(self, found: dict[str, Any]) -> bool:
        before = (found.get("spec") or {}).get("leaseTransitions") or 0
        is_new = (found.get("spec") or {}).get("holderIdentity") != self.identity
        return self._write(found["metadata"]["resourceVersion"], self._spec(before + is_new))

    def _write(self, version: str, spec: dict[str, Any]) -> bool:
        change = {"metadata": {"resourceVersion": version}, "spec": spec}
        return self._cluster.merge("Lease", self._namespace, self._name, change) is not None

    def _spec(self, transitions: int) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    def _manifest(self, spec: dict[str, Any]) -> dict[str, Any]:
        metadata = {"name": self._name, "labels": self._labels}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}

    def _give_back(self) -> None:
        try:
            found = self._cluster.get("Lease", self._namespace, self._name)
            if found is not None and (found.get("spec") or {}).get("holderIdentity") == self.identity:
                self._write(found["metadata"]["resourceVersion"], {"holderIdentity": None})
        except (UnreachableError, RefusedError):
            _LOG.warning("lease_not_given_back")

    def _keep(self) -> None:
        was_held = False
        while True:
            try:
                is_held = self.try_once()
            except (UnreachableError, RefusedError) as problem:
                is_held = self.is_held
                _LOG.warning("lease_not_renewed", problem=type(problem).__name__)
            if is_held != was_held:
                _LOG.info("lease_taken" if is_held else "lease_lost")
            was_held = is_held
            if self._ended.wait(min(ROUND_SECONDS, self._seconds / 4)):
                return
