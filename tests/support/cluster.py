"""Runs `kubectl` against the cluster that `KUBECONFIG` names, in namespaces that a test makes and nobody else uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from support.kubernetes_programs import folder

CALL_SECONDS = 120
SETTLED_SECONDS = 90
POLL_SECONDS = 0.5
RUN_LABEL = "slipway.dev/test-run"
INSTANCE = "app.kubernetes.io/instance"
ALLOTTED = frozenset(
    {
        *("clusterIP", "clusterIPs", "nodePort", "volumeName", "pv.kubernetes.io/bind-completed"),
        *("pv.kubernetes.io/bound-by-controller", "volume.beta.kubernetes.io/storage-provisioner"),
        *("volume.kubernetes.io/storage-provisioner", "deployment.kubernetes.io/revision"),
        *("batch.kubernetes.io/controller-uid", "controller-uid"),
        "kubectl.kubernetes.io/last-applied-configuration",
    }
)
"""What the cluster, or the way of applying, adds to an object: no two deployments share it."""
# Every kind that a bundle may hold.
KINDS = (
    "serviceaccounts,secrets,persistentvolumeclaims,configmaps,deployments.apps,jobs.batch,services,"
    "ingresses.networking.k8s.io,networkpolicies.networking.k8s.io"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended, and what it wrote."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A kubectl, the cluster it talks to, and the namespace it works in."""

    program: str
    environment: Mapping[str, str] = field(repr=False)
    namespace: str = "default"

    def run(self, *arguments: str, given: str | None = None, seconds: float = CALL_SECONDS) -> Ended:
        """Run kubectl in the namespace, whatever comes of it."""
        done = subprocess.run(
            [self.program, "--namespace", self.namespace, *arguments],
            env=dict(self.environment),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def __call__(self, *arguments: str, given: str | None = None, seconds: float = CALL_SECONDS) -> str:
        """Run a command that must succeed, and return its output."""
        ended = self.run(*arguments, given=given, seconds=seconds)
        assert ended.status == 0, f"kubectl {' '.join(arguments)}: status {ended.status}\n{ended.out}{ended.err}"
        return ended.out

    def objects(self, kinds: str = KINDS, selector: str = INSTANCE) -> list[dict[str, Any]]:
        """Return the objects in the namespace; without a selector of one's own, those of any bundle."""
        found: list[dict[str, Any]] = json.loads(self("get", kinds, "-l", selector, "-o", "json"))["items"]
        return found

    def create(self, *objects: Mapping[str, Any]) -> None:
        """Create objects."""
        self("create", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def new_namespace(self, labels: Mapping[str, str]) -> Kubectl:
        """Make a namespace with a name of its own, and return the kubectl that works in it."""
        name = new_name()
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}})
        return replace(self, namespace=name)


def new_name() -> str:
    """Return a name for a namespace that nobody else has."""
    return f"slipway-test-{uuid.uuid4().hex[:12]}"


def found(desk: Path) -> Kubectl:
    """Return the kubectl that was built with the cluster's programs, or the one on PATH; `desk` is for its files.

    Raises:
        LookupError: no `KUBECONFIG`, no kubectl, or no answer; in words for a person.
    """
    if not os.environ.get("KUBECONFIG"):
        raise LookupError('no cluster: set KUBECONFIG, or start one by `eval "$(tests/cluster/start)"`')
    path = os.pathsep.join([str(folder()), os.environ["PATH"]])
    program = shutil.which("kubectl", path=path)
    if program is None:
        raise LookupError("no kubectl, neither on PATH nor built by tests/support/kubernetes_programs.py")
    kubectl = Kubectl(program, os.environ | {"PATH": path, "KUBECACHEDIR": str(desk / "cache")})
    answer = kubectl.run("get", "--raw", "/readyz", "--request-timeout=20s")
    if answer.status:
        raise LookupError(f"the cluster that KUBECONFIG names does not answer: {answer.err.strip()}")
    return replace(kubectl, environment={**kubectl.environment, "KUBECONFIG": str(_own_config(kubectl, desk))})


def _own_config(kubectl: Kubectl, desk: Path) -> Path:
    """Copy the kubeconfig: whoever starts the cluster again while tests run writes the file anew."""
    file = desk / "kubeconfig"
    file.touch(mode=0o600)  # there are keys in it
    file.write_text(kubectl("config", "view", "--raw", "--minify", "--flatten"), encoding="utf-8")
    return file


def versions(kubectl: Kubectl) -> dict[str, str]:
    """Return the resource version of every object of a bundle; it changes with every write."""
    return {identity(item): item["metadata"]["resourceVersion"] for item in kubectl.objects()}


def identity(item: Mapping[str, Any]) -> str:
    """Return kind and name of an object."""
    return f"{item['kind']}/{item['metadata']['name']}"


def content(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what whoever applied an object said, and the API server's defaults; nothing that differs by chance."""
    metadata = {key: item["metadata"].get(key, {}) for key in ("name", "labels", "annotations")}
    return {key: _fixed(value) for key, value in {**item, "metadata": metadata}.items() if key != "status"}


def settled(kubectl: Kubectl) -> dict[str, str]:
    """Wait until all that runs is ready and no controller writes any more; return the resource versions."""
    end = time.monotonic() + SETTLED_SECONDS
    before: dict[str, str] = {}
    while True:
        objects = kubectl.objects()
        now = {identity(item): item["metadata"]["resourceVersion"] for item in objects}
        waiting = [identity(item) for item in objects if not _is_done(item)]
        if now == before and not waiting:
            return now
        assert time.monotonic() < end, (
            f"not settled after {SETTLED_SECONDS} s, waiting for {waiting}: {_events(kubectl)}"
        )
        before = now
        time.sleep(POLL_SECONDS)


def _fixed(value: Any) -> Any:
    """Return a part of an object without what the cluster allots: addresses, ports, volumes, the ids of Jobs."""
    if isinstance(value, list):
        return [_fixed(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _fixed(each) for key, each in value.items() if key not in ALLOTTED}


def _is_done(item: Mapping[str, Any]) -> bool:
    status = item.get("status", {})
    if item["kind"] == "Deployment":
        wanted = item["spec"]["replicas"]
        is_seen = status.get("observedGeneration") == item["metadata"]["generation"]
        # The last thing that the controller writes.
        is_over = any(each.get("reason") == "NewReplicaSetAvailable" for each in status.get("conditions", []))
        counted = (status.get("availableReplicas", 0), status.get("updatedReplicas", 0))
        return is_seen and is_over and counted == (wanted, wanted)
    if item["kind"] == "Job":
        return any(each["type"] == "Complete" and each["status"] == "True" for each in status.get("conditions", []))
    if item["kind"] == "PersistentVolumeClaim":
        return status.get("phase") == "Bound"
    return True


def _events(kubectl: Kubectl) -> str:
    return kubectl("get", "events", "--field-selector", "type=Warning", "-o", "custom-columns=NOTE:.message")[-2000:]
