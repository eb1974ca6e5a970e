"""What each release of Kubeflow Pipelines takes: one table for what is emitted, told, checked and documented.

A backend refuses a platform document with a field that it does not know, when it is uploaded or in the first pod. The table
is that of the protobufs that were released with each (`kfp-kubernetes`), for the fields that we emit, and for those within
them that came later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Release = tuple[int, int]

SECURITY = "securityContext"
SIDECARS = "initContainers"

TAKES: Mapping[Release, frozenset[str]] = {
    # Most of these fields are older. Before 2.14, though, all pods of a pipeline have the labels of one of its tasks
    # (kubeflow/pipelines#12049), by which policies tell them apart, and a task that asks how another ended is refused (#11953).
    (2, 14): frozenset(
        {
            "activeDeadlineSeconds",
            "configMapAsEnv",
            "configMapAsVolume",
            "fieldPathAsEnv",
            "imagePullPolicy",
            "imagePullSecret",
            "nodeSelector",
            "podMetadata",
            "pvcMount",
            "secretAsEnv",
            "tolerations",
        }
    ),
    (2, 15): frozenset({"configMapAsEnv.optional", "secretAsEnv.optional"}),
    (2, 16): frozenset({SECURITY}),
    (2, 18): frozenset({SIDECARS}),
}
FIRST: Mapping[str, Release] = {name: release for release, names in TAKES.items() for name in names}
"""Field of an executor in the platform document, or field within one → the first release that takes it."""
OLDEST = min(TAKES)
"""The oldest release on which anything of ours works."""


def parsed(release: str) -> Release:
    """Return `2.16` as a release."""
    major, minor = release.split(".")
    return int(major), int(minor)


def shown(release: Release) -> str:
    """Return a release as it is written."""
    return ".".join(map(str, release))


def taken(pod: Mapping[str, Any], release: Release) -> dict[str, Any]:
    """Return what of an executor's fields this release takes."""
    return {name: value for name, value in pod.items() if FIRST.get(name, OLDEST) <= release}


def needed(pods: Iterable[Mapping[str, Any]]) -> Release:
    """Return the oldest release that takes all fields of these executors."""
    return max((FIRST[name] for pod in pods for name in _fields(pod) if name in FIRST), default=OLDEST)


def refused(pod: Mapping[str, Any], release: Release) -> list[str]:
    """Return the fields of an executor that this release does not take, or none that we know of."""
    return [
        name for name in _fields(pod) if FIRST.get(name, OLDEST) > release or ("." not in name and name not in FIRST)
    ]


def _fields(pod: Mapping[str, Any]) -> list[str]:
    """Return the names of an executor's fields, and of those within them as `secretAsEnv.optional`."""
    found: dict[str, None] = dict.fromkeys(pod)
    for name, value in pod.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Mapping):
                found |= dict.fromkeys(f"{name}.{inner}" for inner in each)
    return list(found)
