"""Whose an object is: what stands under a name is changed only by the release that it belongs to.

The API server decides that, not who looked first. It makes an object of a name once, however many releases ask for it at
the same time; and what is there is changed only while it is the very object that was looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from orchestrator.driver.bundle_folder import CLAIM, RELEASE_LABEL, Manifest
from orchestrator.driver.cluster import Cluster
from shared.errors import ConflictError
from shared.finishing.objects import INSTANCE_LABEL, label_of, name_of, title_of


def refuse_foreign(cluster: Cluster, manifests: Iterable[Manifest], name: str) -> None:
    """Look at every name before anything is written.

    Raises:
        ConflictError: some are not of the release.
    """
    found = [(manifest, _there(cluster, manifest)) for manifest in manifests]
    foreign = [title_of(manifest) for manifest, there in found if there and _is_foreign(manifest, there)]
    if foreign:
        raise _conflict(name, *foreign)


def put(cluster: Cluster, manifest: Manifest, name: str) -> None:
    """Make the object what the manifest says; done twice, the second time changes nothing.

    Raises:
        ConflictError: somebody else was quicker.
    """
    # Looked at first: a quota counts also what would be made in vain.
    there = _there(cluster, manifest)
    if there is None:
        if cluster.create(manifest):
            return
        # Who was quicker may be ourselves: a call is repeated when its answer gets lost.
        there = _there(cluster, manifest)
    if there is None or _is_foreign(manifest, there):
        raise _conflict(name, title_of(manifest))
    cluster.apply(manifest, there["metadata"]["uid"])


def _there(cluster: Cluster, manifest: Manifest) -> dict[str, Any] | None:
    return cluster.find(manifest["kind"], name_of(manifest))


def _is_foreign(manifest: Manifest, there: Manifest) -> bool:
    # A claim stays when its release goes, and the next release of the same solution finds its data on it.
    label = INSTANCE_LABEL if manifest["kind"] == CLAIM else RELEASE_LABEL
    return label_of(there, label) != label_of(manifest, label)


def _conflict(name: str, *titles: str) -> ConflictError:
    return ConflictError(f"not of the release {name}, left untouched: {', '.join(titles)}")
