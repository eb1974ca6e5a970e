"""`slipway-driver deploy`: applies a bundle in the cluster that this runs in, waits, and says where its nodes are."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import structlog

from orchestrator.driver import bundle_folder, ownership
from orchestrator.driver.bundle_folder import Manifest
from orchestrator.driver.cluster import Cluster
from orchestrator.driver.errors import DeadlineError, RunFailedError
from orchestrator.settings import Settings
from shared.deadline import Deadline
from shared.errors import ForbiddenError, InvalidRequestError
from shared.finishing.objects import WORKLOAD_KINDS, name_of, of_kinds, title_of
from shared.finishing.readiness import FAILED, READY, state_of
from shared.finishing.stages import in_stages
from shared.workflows import turns

_LOG = structlog.get_logger()
_PAUSE_SECONDS = 1.0
_NEVER = 366 * 24 * 3600.0
# Pods start at once, and a claim may be taken over from an earlier release: first it has to be decided whose the names are.
_LATE_STAGES = ("claims", "workloads")


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Deploy; done again, it changes nothing that is as it should be."""
    name = bundle_folder.release(arguments.name)
    reference = bundle_folder.owner(arguments.owner)
    read = bundle_folder.read(Path(arguments.bundle))
    deadline = Deadline.after(arguments.timeout or _NEVER)
    with Cluster.of_pod(os.environ, arguments.namespace) as cluster:
        lasting = _lasting(cluster, reference)
        manifests = [bundle_folder.marked(manifest, name, lasting) for manifest in read]
        ownership.refuse_foreign(cluster, manifests, name)
        apply(cluster, manifests, name, deadline)
    _write(Path(arguments.endpoint_file), bundle_folder.endpoints(manifests, arguments.namespace))
    _LOG.info("deployed", release=name, namespace=arguments.namespace, objects=len(manifests))
    return 0


def _lasting(cluster: Cluster, reference: bundle_folder.Reference | None) -> bundle_folder.Reference | None:
    """Return who owns the pod that shall own a release: a pod may go before its run does, with its machine for example."""
    if reference is None or reference["kind"] != "Pod":
        return reference
    try:
        pod = cluster.pod(reference["name"]) or {"metadata": {}}
    except ForbiddenError as problem:
        _LOG.warning("owner_not_seen", pod=reference["name"], reason=str(problem))
        return reference
    is_same = pod["metadata"].get("uid") == reference["uid"]
    owners = pod["metadata"].get("ownerReferences") or () if is_same else ()
    controllers = [{key: each[key] for key in reference} for each in owners if each.get("controller")]
    return controllers[0] if controllers else reference


def apply(cluster: Cluster, manifests: list[Manifest], name: str, deadline: Deadline) -> None:
    """Apply stage after stage, and wait for the pods of one before the next.

    Raises:
        ConflictError: another release has taken a name in the meantime.
        RunFailedError: a workload failed; DeadlineError: one is not ready in time.
    """
    for stage, group in _rounds(manifests):
        for manifest in group:
            ownership.put(cluster, manifest, name)
        _LOG.info("applied", stage=stage, objects=len(group))
        _wait(cluster, of_kinds(group, *WORKLOAD_KINDS), deadline)


def _rounds(manifests: list[Manifest]) -> list[tuple[str, list[Manifest]]]:
    """Return what is applied together, in order; each job that has a turn by itself, before all other workloads."""
    jobs = turns.in_turn(manifests)
    stages = in_stages([manifest for manifest in manifests if manifest not in jobs])
    early = [each for each in stages if each[0] not in _LATE_STAGES]
    claims, workloads = ([each for each in stages if each[0] == late] for late in _LATE_STAGES)
    return [*early, *claims, *((title_of(job), [job]) for job in jobs), *workloads]


def _wait(cluster: Cluster, workloads: list[Manifest], deadline: Deadline) -> None:
    waiting = {(each["kind"], name_of(each)): "not looked at" for each in workloads}
    while waiting:
        waiting = {key: seen for key in waiting if (seen := _unready(cluster, *key))}
        if not waiting:
            return
        if deadline.has_passed:
            told = "; ".join(f"{name}: {seen}" for (_, name), seen in waiting.items())
            raise DeadlineError(f"not ready in time: {told}")
        time.sleep(min(_PAUSE_SECONDS, deadline.remaining))


def _unready(cluster: Cluster, kind: str, name: str) -> str:
    """Return what is seen of a workload that is not ready; empty when it is."""
    found = cluster.find(kind, name)
    if found is None:
        raise RunFailedError(f"{kind}/{name} was deleted by somebody else")
    state, seen = state_of({**found, "kind": kind})
    if state == FAILED:
        raise RunFailedError(f"{name}: {seen}")
    return "" if state == READY else seen


def _write(path: Path, addresses: dict[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(addresses), encoding="utf-8")
    except OSError as problem:
        expected = "a file that can be written"
        raise InvalidRequestError(f"--endpoint-file: expected {expected}: {problem.strerror}") from problem
