"""Flux's kustomize-controller on this machine, working in one namespace of the cluster, and folders handed to it as artifacts."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.cluster import POLL_SECONDS, Kubectl
from support.definitions import defined
from support.kubernetes_programs import DEFINITIONS, folder

PROGRAM = "kustomize-controller"
NAME = "pipeline"
APPLIED_SECONDS = 120
CONTROLLER = (
    *("--watch-all-namespaces=false", "--enable-leader-election=false", "--feature-gates=ExternalArtifact=true"),
    *("--metrics-addr=127.0.0.1:0", "--health-addr=127.0.0.1:0"),
)


class Flux:
    """A controller that applies what it is given, as it would a folder of a git repository."""

    def __init__(self, kubectl: Kubectl, desk: Path, address: str) -> None:
        self._kubectl = kubectl
        self._desk = desk
        self._address = address

    def give(self, bundle: Path) -> None:
        """Hand over a folder as the newest revision, and wait until all of it is applied and healthy."""
        packed = _packed(bundle)
        digest = hashlib.sha256(packed).hexdigest()
        (self._desk / digest).write_bytes(packed)
        self._kubectl("apply", "-f", "-", given=_listed(_source(), _kustomization(self._kubectl.namespace)))
        status = json.dumps({"status": _artifact(f"{self._address}/{digest}", digest)})
        self._kubectl("patch", "externalartifact", NAME, "--subresource=status", "--type=merge", "-p", status)
        self._wait_until(lambda state: state.get("lastAppliedRevision", "").endswith(digest))

    def reconcile(self) -> None:
        """Let it look again at what has not changed, and wait until it has."""
        now = str(time.time_ns())
        self._kubectl("annotate", "kustomization", NAME, "--overwrite", f"reconcile.fluxcd.io/requestedAt={now}")
        self._wait_until(lambda state: state.get("lastHandledReconcileAt") == now)

    def leave(self) -> None:
        """Take the pipeline out of Flux's care: it removes what it may."""
        self._kubectl("delete", "kustomization", NAME)

    def _wait_until(self, is_reached: Callable[[dict[str, Any]], bool]) -> None:
        end = time.monotonic() + APPLIED_SECONDS
        while not is_reached(state := self._state()):
            assert time.monotonic() < end, state
            time.sleep(POLL_SECONDS)

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._kubectl("get", "kustomization", NAME, "-o", "json"))
        status: dict[str, Any] = found.get("status", {})
        return status


@contextmanager
def started(kubectl: Kubectl, desk: Path) -> Iterator[Flux]:
    """Run the controller for the namespace, until the end.

    Raises:
        LookupError: it was not built.
    """
    program = folder() / PROGRAM
    if not program.is_file():
        raise LookupError("no kustomize-controller: tests/support/kubernetes_programs.py builds it")
    environment = {**kubectl.environment, "RUNTIME_NAMESPACE": kubectl.namespace, "TMPDIR": str(desk)}
    with (
        defined(kubectl, sorted((folder() / DEFINITIONS).iterdir()), "flux"),
        _served(desk) as address,
        (desk / "log").open("wb") as log,
    ):
        controller = subprocess.Popen([program, *CONTROLLER], env=environment, stdout=log, stderr=log)
        try:
            yield Flux(kubectl, desk, address)
        finally:
            # What still has its finalizer when the controller ends would keep the namespace for ever.
            kubectl("delete", "kustomization", "--all", "--timeout=60s")
            controller.terminate()
            controller.wait(timeout=30)


@contextmanager
def _served(desk: Path) -> Iterator[str]:
    """Serve the files of a folder over HTTP, as Flux's own storage does; yield the address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(desk))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _packed(bundle: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(bundle, arcname=".")
    return packed.getvalue()


def _source() -> dict[str, Any]:
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "ExternalArtifact",
        "metadata": {"name": NAME},
        "spec": {},
    }


def _artifact(url: str, digest: str) -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    artifact = {"path": digest, "url": url, "revision": f"main@sha256:{digest}", "digest": f"sha256:{digest}"}
    ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": now}
    return {"artifact": artifact | {"lastUpdateTime": now}, "conditions": [ready]}


def _kustomization(namespace: str) -> dict[str, Any]:
    """Return what the page for newcomers says, but for the source and for waiting."""
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": NAME},
        "spec": {
            "interval": "10m",
            "sourceRef": {"kind": "ExternalArtifact", "name": NAME},
            "path": "./",
            "targetNamespace": namespace,
            "prune": True,
            "wait": True,
            "timeout": f"{APPLIED_SECONDS}s",
        },
    }


def _listed(*objects: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
