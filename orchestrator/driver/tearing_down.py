"""`slipway-driver teardown`: removes what a release has applied; its claims only when asked, for data are on them."""

from __future__ import annotations

import argparse
import os
import time

import structlog

from orchestrator.driver import bundle_folder
from orchestrator.driver.bundle_folder import CLAIM, RELEASE_LABEL
from orchestrator.driver.cluster import KINDS, Cluster
from orchestrator.driver.errors import DeadlineError
from orchestrator.settings import Settings
from shared.deadline import Deadline
from shared.errors import ForbiddenError
from shared.finishing.objects import name_of

_LOG = structlog.get_logger()
_PAUSE_SECONDS = 0.5
_NEVER = 366 * 24 * 3600.0
# What other objects hold on to goes last.
_ORDER = ("Ingress", "Service", "Deployment", "Job", "NetworkPolicy", "ConfigMap", "Secret", "ServiceAccount", CLAIM)


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Remove the release, and wait until it has gone; done again, it finds nothing."""
    name = bundle_folder.release(arguments.name)
    deadline = Deadline.after(arguments.timeout or _NEVER)
    kinds = [kind for kind in _ORDER if kind != CLAIM or arguments.data]
    with Cluster.of_pod(os.environ, arguments.namespace) as cluster:
        doomed = [(kind, name_of(found)) for kind in kinds for found in _delete(cluster, kind, name)]
        kept = [] if arguments.data else [name_of(claim) for claim in _found(cluster, CLAIM, name)]
        _wait(cluster, doomed, name, deadline)
    _LOG.info("torn_down", release=name, objects=len(doomed), kept_claims=kept)
    return 0


def _delete(cluster: Cluster, kind: str, name: str) -> list[bundle_folder.Manifest]:
    found = _found(cluster, kind, name)
    for manifest in found:
        cluster.delete(kind, manifest)
    return found


def _found(cluster: Cluster, kind: str, name: str) -> list[bundle_folder.Manifest]:
    try:
        return cluster.select(kind, f"{RELEASE_LABEL}={name}")
    except ForbiddenError as problem:
        # An account of least privilege may not see kinds that its bundle does not have: then none of them is ours.
        _LOG.warning("kind_not_seen", kind=kind, plural=KINDS[kind][1], reason=str(problem))
        return []


def _wait(cluster: Cluster, doomed: list[tuple[str, str]], name: str, deadline: Deadline) -> None:
    while left := [f"{kind}/{each}" for kind, each in doomed if _is_ours(cluster, kind, each, name)]:
        if deadline.has_passed:
            raise DeadlineError(f"still there: {', '.join(left)}")
        time.sleep(min(_PAUSE_SECONDS, deadline.remaining))


def _is_ours(cluster: Cluster, kind: str, each: str, name: str) -> bool:
    found = cluster.find(kind, each)
    return found is not None and found["metadata"].get("labels", {}).get(RELEASE_LABEL) == name
