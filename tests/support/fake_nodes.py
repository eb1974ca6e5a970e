"""Cluster nodes that only say they run pods, by kwok: for tests of many objects where no container has to run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cluster import Kubectl

LABEL = "slipway.dev/fake-nodes"
NODES = 2
LEASE_SECONDS = 40  # a kubelet's; kwok by itself takes none, and the cluster soon takes the nodes for dead
CAPACITY = {"cpu": "1k", "memory": "4Ti", "pods": "1k", "nvidia.com/gpu": "1k"}


@dataclass(frozen=True, slots=True)
class FakeNodes:
    """The fake nodes of one run. They are tainted: only what is built with `options` gets there, and nowhere else."""

    name: str

    def options(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return options of the deployer with which a bundle's pods are placed here, whatever else they say."""
        return {
            **own,
            "nodeSelector": {**own.get("nodeSelector", {}), LABEL: self.name},
            "tolerations": [*own.get("tolerations", ()), {"key": LABEL, "operator": "Exists", "effect": "NoSchedule"}],
        }


@contextmanager
def started(kubectl: Kubectl, name: str, log: Path) -> Iterator[FakeNodes]:
    """Add fake nodes to the cluster and pretend that they live, until the end.

    Raises:
        LookupError: there is no kwok.
    """
    program = shutil.which("kwok", path=kubectl.environment["PATH"])
    if program is None:
        raise LookupError("no kwok, neither on PATH nor built by tests/support/kubernetes_programs.py")
    chosen = ("--manage-all-nodes=false", f"--manage-nodes-with-label-selector={LABEL}={name}")
    command = [program, *chosen, f"--node-lease-duration-seconds={LEASE_SECONDS}"]
    with log.open("wb") as output:
        kwok = subprocess.Popen(command, env=dict(kubectl.environment), stdout=output, stderr=output)
    try:
        kubectl.create(*(_node(f"{name}-{number}", name) for number in range(NODES)))
        kubectl("wait", "node", "-l", f"{LABEL}={name}", "--for=condition=Ready", "--timeout=60s")
        yield FakeNodes(name)
    finally:
        kubectl.run("delete", "node", "-l", f"{LABEL}={name}", "--wait=false")
        kwok.terminate()
        kwok.wait(timeout=20)


def _node(name: str, group: str) -> dict[str, Any]:
    labels = {LABEL: group, "kubernetes.io/hostname": name, "example.org/pool": "models"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [{"key": LABEL, "value": group, "effect": "NoSchedule"}]},
        "status": {"allocatable": CAPACITY, "capacity": CAPACITY},
    }
