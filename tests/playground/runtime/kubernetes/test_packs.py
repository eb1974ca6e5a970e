"""Where packs of files are stored. What lies in the cluster itself, the tests of the cluster show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import msgspec
import pytest

from playground.runtime.deployment import DeploymentId, Push
from playground.runtime.kubernetes import history, record
from playground.runtime.kubernetes.cluster import Cluster
from playground.runtime.kubernetes.packs import Packs
from playground.runtime.kubernetes.record import KeptPack, KeptRevision, Record
from shared.errors import TooLargeError, UnavailableError
from shared.persistence.folder import FolderStore
from shared.principal import Principal

DEPLOYMENT = DeploymentId("x")
NO_CLUSTER = cast("Cluster", None)  # whoever asks it fails


def large(size: int = 2_000_000) -> tuple[dict[str, bytes], history.Pack]:
    files = {"large.bin": os.urandom(size)}
    return files, history.packed(files, (), {}.__getitem__)[0]


def record_of(pack: history.Pack, kept: KeptPack) -> Record:
    revision = KeptRevision(1, None, None, "d", 0.0, (pack.id,))
    new = record.new(Push(Principal("u"), "s", None, "d", {}))
    return msgspec.structs.replace(new, current=1, revisions=(revision,), packs={pack.id: kept})


def test_a_large_pack_goes_to_the_bucket_where_there_is_one(tmp_path: Path) -> None:
    packs = Packs(NO_CLUSTER, "here", FolderStore(tmp_path))
    files, pack = large()

    kept = packs.save(DEPLOYMENT, pack)
    again = packs.save(DEPLOYMENT, pack)
    stored = record_of(pack, kept)

    assert kept == again == KeptPack(len(pack.data), 0)
    assert packs.files(DEPLOYMENT, stored, stored.revision) == files


def test_what_is_not_in_the_bucket_any_more_is_told(tmp_path: Path) -> None:
    _, pack = large()
    stored = record_of(pack, KeptPack(len(pack.data), 0))

    with pytest.raises(UnavailableError):
        Packs(NO_CLUSTER, "here", FolderStore(tmp_path)).files(DEPLOYMENT, stored, stored.revision)


def test_without_a_bucket_a_bundle_has_an_end() -> None:
    _, pack = large(9 << 20)

    with pytest.raises(TooLargeError, match="8 MiB"):
        Packs(NO_CLUSTER, "here", None).save(DEPLOYMENT, pack)
