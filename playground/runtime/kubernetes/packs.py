"""Where the packs of a deployment's files are: in its own namespace, or, when they are large, in a bucket."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from playground.runtime.deployment import DeploymentId
from playground.runtime.kubernetes import history, words
from playground.runtime.kubernetes.cluster import Cluster
from playground.runtime.kubernetes.history import Pack
from playground.runtime.kubernetes.record import KeptPack, KeptRevision, Record
from shared.errors import TooLargeError, UnavailableError
from shared.persistence.store import Store

_KEY = "pack"
_TYPE = "slipway.dev/history"
_PACK_LABEL = "slipway.dev/pack"
_YOUNG = timedelta(minutes=10)
"""A pack that no revision names may belong to a push that is on its way."""


class Packs:
    """Stores packs of files; safe to use from many threads. Errors are those of `api`, and UpstreamError of the bucket."""

    def __init__(self, cluster: Cluster, installation: str, bucket: Store | None) -> None:
        self._cluster = cluster
        self._installation = installation
        self._bucket = bucket

    def save(self, deployment: DeploymentId, pack: Pack) -> KeptPack:
        """Store a pack, or what of it is not stored yet.

        Raises:
            TooLargeError: it is larger than all that a deployment may keep.
        """
        pieces = pack.pieces
        if len(pieces) > 1 and self._bucket is not None:
            self._bucket.put_new(self._place(deployment, pack.id), pack.data)
            return KeptPack(len(pack.data), 0)
        if len(pack.data) > history.MAX_BYTES:
            expected = f"at most {history.MAX_BYTES >> 20} MiB of files after compression"
            raise TooLargeError(f"the bundle is too large to be kept: expected {expected}")
        for number, piece in enumerate(pieces):
            self._cluster.create(self._secret(deployment, pack.id, number, piece), deployment)
        return KeptPack(len(pack.data), len(pieces))

    def loader(self, deployment: DeploymentId, record: Record) -> Callable[[str], bytes]:
        """Return what loads a pack by its id."""
        return lambda pack: self._load(deployment, pack, record.packs[pack])

    def files(self, deployment: DeploymentId, record: Record, revision: KeptRevision) -> dict[str, bytes]:
        """Return the files of a revision.

        Raises:
            UnavailableError: they are not all there.
        """
        try:
            return history.unpacked(revision.packs, self.loader(deployment, record))
        except (ValueError, KeyError) as problem:
            raise UnavailableError(f"the files of revision {revision.number} cannot be read") from problem

    def forget(self, deployment: DeploymentId, kept: Collection[str]) -> None:
        """Delete the packs that no revision needs any more; those in a bucket stay until somebody empties it."""
        selector = f"{words.PART}={words.HISTORY}"
        oldest = datetime.now(UTC) - _YOUNG
        for secret in self._cluster.all("Secret", deployment, selector):
            metadata = secret["metadata"]
            made = datetime.fromisoformat(metadata["creationTimestamp"])
            if metadata["labels"].get(_PACK_LABEL) not in kept and made < oldest:
                self._cluster.delete("Secret", deployment, metadata["name"], uid=metadata["uid"])

    def _load(self, deployment: DeploymentId, pack: str, kept: KeptPack) -> bytes:
        if not kept.pieces:
            data = self._bucket.get(self._place(deployment, pack), most_bytes=kept.size) if self._bucket else None
            if data is None:
                raise ValueError("a pack of files is not in the bucket")
            return data
        return b"".join(self._piece(deployment, pack, number) for number in range(kept.pieces))

    def _piece(self, deployment: DeploymentId, pack: str, number: int) -> bytes:
        secret = self._cluster.get("Secret", deployment, _name(pack, number))
        if secret is None:
            raise ValueError("a pack of files is not there")
        return base64.b64decode(secret["data"][_KEY])

    def _place(self, deployment: DeploymentId, pack: str) -> str:
        return f"{self._installation}/{deployment}/{pack}"

    def _secret(self, deployment: DeploymentId, pack: str, number: int, piece: bytes) -> dict[str, object]:
        labels = {**words.labels(self._installation, deployment, part=words.HISTORY), _PACK_LABEL: pack}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": _name(pack, number), "labels": labels},
            "type": _TYPE,
            "immutable": True,
            "data": {_KEY: base64.b64encode(piece).decode()},
        }


def _name(pack: str, number: int) -> str:
    return f"slipway-history-{pack}-{number}"
