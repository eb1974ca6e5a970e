"""The short calls to the API server, with plain manifests in and out. Every one may be repeated.

Its errors are those of `api`: what a refusal means, only the caller knows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import msgspec

from playground.runtime.kubernetes import words
from playground.runtime.kubernetes.api import Api, RefusedError, UnreachableError, refusal
from shared.errors import ConflictError, SlipwayError, UnavailableError, UpstreamError

NOT_FOUND = 404
CONFLICT = 409
FORBIDDEN = 403
INVALID = 422
_PASSING = frozenset({408, 409, 429})
_SERVER_ERRORS = 500
_TAKEN = frozenset({CONFLICT, NOT_FOUND})
# Counting an object against a quota that is counted elsewhere just then is refused as if the object itself had changed.
_RACE = "Conflict"
_PAUSES = (0.05, 0.1, 0.2, 0.4)

Manifest = dict[str, Any]

# Kind → where the API has it.
_PLACES: Mapping[str, tuple[str, str]] = {
    "Namespace": ("/api/v1", "namespaces"),
    "Secret": ("/api/v1", "secrets"),
    "ConfigMap": ("/api/v1", "configmaps"),
    "Service": ("/api/v1", "services"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims"),
    "Pod": ("/api/v1", "pods"),
    "ResourceQuota": ("/api/v1", "resourcequotas"),
    "LimitRange": ("/api/v1", "limitranges"),
    "Deployment": ("/apis/apps/v1", "deployments"),
    "Job": ("/apis/batch/v1", "jobs"),
    "NetworkPolicy": ("/apis/networking.k8s.io/v1", "networkpolicies"),
    "RoleBinding": ("/apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "Lease": ("/apis/coordination.k8s.io/v1", "leases"),
}


class Cluster:
    """See the module. Safe to use from many threads."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._api.close()

    def get(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return an object, or None where there is none."""
        try:
            return self._call("GET", _path(kind, namespace, name))
        except RefusedError as refused:
            if refused.code == NOT_FOUND:
                return None
            raise

    def all(self, kind: str, namespace: str, selector: str = "") -> list[Manifest]:
        """Return the objects of a kind in a namespace."""
        parameters = {"labelSelector": selector} if selector else {}
        found = self._call("GET", _path(kind, namespace), parameters)
        # The items of a list do not say what they are.
        return [{**item, "kind": kind} for item in found.get("items") or []]

    def create(self, manifest: Mapping[str, Any], namespace: str) -> Manifest | None:
        """Make an object; None where there is one of that name already."""
        try:
            return self._written("POST", _path(manifest["kind"], namespace), None, manifest)
        except RefusedError as refused:
            if refused.code == CONFLICT and refused.reason != _RACE:
                return None
            raise

    def apply(self, manifest: Mapping[str, Any], namespace: str, *, is_trial: bool = False) -> Manifest:
        """Make an object or bring it to what is given, as the one who says what is in it; a trial stores nothing."""
        parameters = {"fieldManager": words.FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"}
        if is_trial:
            parameters["dryRun"] = "All"
        path = _path(manifest["kind"], namespace, manifest["metadata"]["name"])
        return self._written("PATCH", path, parameters, manifest, "application/apply-patch+yaml")

    def merge(self, kind: str, namespace: str, name: str, change: Mapping[str, Any]) -> Manifest | None:
        """Change some fields; None where somebody else has changed the version of the object that is named."""
        parameters = {"fieldManager": words.FIELD_MANAGER}
        try:
            return self._call("PATCH", _path(kind, namespace, name), parameters, change, "application/merge-patch+json")
        except RefusedError as refused:
            if refused.code in _TAKEN:
                return None
            raise

    def delete(
        self, kind: str, namespace: str, name: str, *, uid: str | None = None, grace_seconds: int | None = None
    ) -> None:
        """Delete an object, only the one with that uid where it is given; what is gone already is fine."""
        options: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self._call("DELETE", _path(kind, namespace, name), body=options)
        except RefusedError as refused:
            if refused.code not in _TAKEN:
                raise

    def _written(self, method: str, path: str, *more: Any) -> Manifest:
        """Write an object whatever it is now, and again where a race for something else stood in the way."""
        for pause in _PAUSES:
            try:
                return self._call(method, path, *more)
            except RefusedError as refused:
                if refused.reason != _RACE:
                    raise
            time.sleep(pause)
        return self._call(method, path, *more)

    def _call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Manifest:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": content_type} if content is not None else {}
        try:
            answer = self._api.http.request(method, path, params=parameters, content=content, headers=headers)
        except (httpx2.HTTPError, OSError) as problem:
            raise UnreachableError from problem
        if not answer.is_success:
            raise refusal(answer.status_code, answer.content)
        found: Manifest = msgspec.json.decode(answer.content)
        return found


def is_passing(problem: UnreachableError | RefusedError) -> bool:
    """Tell whether the same call may succeed in a moment."""
    if isinstance(problem, UnreachableError):
        return True
    return problem.code in _PASSING or problem.code >= _SERVER_ERRORS


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn the errors of calls into those of the one tree; the API's own words stay in the cause."""
    try:
        yield
    except (UnreachableError, RefusedError) as problem:
        raise _error(problem, what) from problem


def _error(problem: UnreachableError | RefusedError, what: str) -> SlipwayError:
    if isinstance(problem, UnreachableError) or problem.code >= _SERVER_ERRORS:
        return UnavailableError("the cluster does not answer at present")
    if problem.code == CONFLICT:
        return ConflictError(f"{what}: somebody else is changing it")
    return UpstreamError("kubernetes", f"{what}: the cluster refuses it ({problem.code})")


def _path(kind: str, namespace: str, name: str = "") -> str:
    group, plural = _PLACES[kind]
    within = f"/namespaces/{namespace}" if kind != "Namespace" else ""
    return f"{group}{within}/{plural}" + (f"/{name}" if name else "")
