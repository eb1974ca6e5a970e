"""The cluster that this pod runs in: the few calls of its API that a deployment needs, by the pod's service account."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from shared.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    SlipwayError,
    UnavailableError,
    UpstreamError,
)

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MANAGER = "slipway-driver"
_SECONDS = 30.0
_TRIES = 6
_PAUSE_SECONDS = 0.5  # doubles with each try: 16 s in all, which a restart of the API takes
_PASSING = (429, 500, 502, 503, 504)
_CONFLICT = 409
_EXISTS = "AlreadyExists"
_NOT_FOUND = 404
# To others it says that the namespace is missing, or the kind.
_MAY_MISS = ("GET", "DELETE")
# A conflict of a DELETE is that of its preconditions.
_WRITES = ("PATCH", "POST")
_DENIED = (401, 403)
# What a bundle may hold, and where the API keeps it: path below the group, plural.
KINDS: Mapping[str, tuple[str, str]] = {
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "Secret": ("api/v1", "secrets"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "ConfigMap": ("api/v1", "configmaps"),
    "Service": ("api/v1", "services"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "Job": ("apis/batch/v1", "jobs"),
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
}


class Cluster:
    """One namespace of one cluster; use it in a `with` block."""

    def __init__(self, server: str, account: Path, namespace: str, *, pause: float = _PAUSE_SECONDS) -> None:
        self.namespace = namespace
        self._server = server.rstrip("/")
        self._token = account / "token"
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc: the token goes to this server alone
        self._session.verify = str(account / "ca.crt")
        self._pause = pause
        # All our calls may be repeated: each says what shall be, not what to do.
        again = Retry(
            total=_TRIES - 1,
            backoff_factor=pause,
            status_forcelist=_PASSING,
            allowed_methods=None,
            raise_on_status=False,
        )
        self._session.mount(self._server, HTTPAdapter(max_retries=again))

    @classmethod
    def of_pod(cls, environ: Mapping[str, str], namespace: str) -> Self:
        """Return the cluster that the pod's environment names.

        Raises:
            UnavailableError: this is no pod, or it has no service account.
        """
        host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
        account = Path(environ.get("SLIPWAY_SERVICE_ACCOUNT_DIRECTORY") or ACCOUNT)
        if not host or not (account / "token").is_file():
            raise UnavailableError("expected to run in a pod with a service account: there is no cluster here")
        return cls(f"https://{f'[{host}]' if ':' in host else host}:{port}", account, namespace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return an object, or None."""
        return self._call("GET", f"{self._folder(kind)}/{name}")

    def select(self, kind: str, selector: str) -> list[dict[str, Any]]:
        """Return the objects of a kind with some labels."""
        found = self._call("GET", self._folder(kind), params={"labelSelector": selector})
        return [{**item, "kind": kind} for item in (found or {}).get("items") or ()]

    def pod(self, name: str) -> dict[str, Any] | None:
        """Return a pod, or None."""
        return self._call("GET", f"{self._server}/api/v1/namespaces/{self.namespace}/pods/{name}")

    def create(self, manifest: Mapping[str, Any]) -> bool:
        """Make the object; answer whether there was none of its name, which the API decides when several ask at once."""
        params = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        try:
            self._call("POST", self._folder(manifest["kind"]), params=params, json=dict(manifest))
        except ConflictError:
            return False
        return True

    def apply(self, manifest: Mapping[str, Any], uid: str) -> None:
        """Make this very object what the manifest says; done twice, the second time changes nothing.

        Raises:
            UpstreamError: it has gone since, or another one has its name.
        """
        about = {**manifest["metadata"], "uid": uid}
        # We own what we apply: fields that somebody else has set since are ours again.
        params = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        url = f"{self._folder(manifest['kind'])}/{about['name']}"
        self._call("PATCH", url, params=params, headers=headers, json={**manifest, "metadata": about})

    def delete(self, kind: str, manifest: Mapping[str, Any]) -> None:
        """Delete exactly this object, and what it has made with it; it is no failure when it has gone."""
        about = manifest["metadata"]
        body = {"propagationPolicy": "Foreground", "preconditions": {"uid": about["uid"]}}
        self._call("DELETE", f"{self._folder(kind)}/{about['name']}", json=body)

    def _folder(self, kind: str) -> str:
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise InvalidRequestError(f"expected manifests of the kinds {known}, found {kind}")
        group, plural = KINDS[kind]
        return f"{self._server}/{group}/namespaces/{self.namespace}/{plural}"

    def _call(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> dict[str, Any] | None:
        answer = self._ask(method, url, headers or {}, **more)
        for number in range(_TRIES - 1):
            if not _is_race(method, answer):
                break
            time.sleep(self._pause * 2**number)
            answer = self._ask(method, url, headers or {}, **more)
        if answer.status_code == _NOT_FOUND and method in _MAY_MISS:
            return None
        if answer.ok:
            found: dict[str, Any] = answer.json()
            return found
        raise _problem(answer)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], **more: Any) -> requests.Response:
        # Read anew: the kubelet replaces the token before it expires.
        own = {"Authorization": f"Bearer {self._token.read_text(encoding='ascii').strip()}", **headers}
        try:
            return self._session.request(method, url, headers=own, timeout=_SECONDS, allow_redirects=False, **more)
        except requests.RequestException as problem:
            raise UpstreamError("kubernetes", f"the API does not answer: {type(problem).__name__}") from problem


def _is_race(method: str, answer: requests.Response) -> bool:
    """Answer whether it may pass, as when two objects are counted against one quota at once; a name that is taken stays so."""
    is_conflict = method in _WRITES and answer.status_code == _CONFLICT
    return is_conflict and _status(answer).get("reason") != _EXISTS


def _problem(answer: requests.Response) -> SlipwayError:
    status = _status(answer)
    words = str(status.get("message", "no reason given"))[:1000]
    if answer.status_code in _DENIED:
        return ForbiddenError(f"the service account may not: {words}")
    if status.get("reason") == _EXISTS:
        return ConflictError(words)
    return UpstreamError("kubernetes", f"{answer.status_code}: {words}")


def _status(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
