"""A sample that runs in a namespace: how it is deployed, what its nodes log, and how long to wait for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.cluster import Kubectl
from support.containers import run, wait_until

ARRIVE_SECONDS = 90
READY_SECONDS = 120
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Running:
    """One sample, its unpacked bundle, and the kubectl of its namespace."""

    kubectl: Kubectl
    folder: Path

    def log(self, node: str, *, kind: str = "deployment") -> list[Event]:
        """Return what the pod of a node has logged so far; lines that are no JSON are not of our nodes."""
        return events(self.kubectl("logs", f"{kind}/{node}", f"--container={node}", "--tail=-1"))

    def events(self, node: str, name: str) -> list[Event]:
        """Return the events of this name that a node has logged so far."""
        return [event for event in self.log(node) if event["event"] == name]

    def eventually(self, node: str, name: str, count: int = 1) -> list[Event]:
        """Wait for so many events of a node, and return all of that name."""
        wait_until(
            lambda: len(self.events(node, name)) >= count,
            what=f"{count} {name} of {node}: {self.folder.name} in {self.kubectl.namespace}",
            seconds=ARRIVE_SECONDS,
        )
        return self.events(node, name)


Apply = Callable[[Running], None]
Deploy = Callable[..., Running]
"""Deploys a sample by its name; keywords say how it differs."""


def events(log: str) -> list[Event]:
    """Return the lines of a log that are JSON."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def by_script(running: Running) -> None:
    """Deploy as the bundle's readme says first."""
    script = running.folder / "kubernetes-client-script.py"
    command = [sys.executable, str(script), "-n", running.kubectl.namespace, "--timeout", str(READY_SECONDS)]
    ended = run(*command, environment=running.kubectl.environment)
    assert ended.status == 0, ended.output


def by_kubectl(running: Running) -> None:
    """Deploy as it says second: without any script."""
    running.kubectl("apply", "-k", str(running.folder))
    ready = ("wait", "deployment", "--all", "--for=condition=Available", f"--timeout={READY_SECONDS}s")
    running.kubectl(*ready, seconds=READY_SECONDS + 10)


def end(space: Kubectl) -> None:
    """Delete a namespace without waiting: an orchestrator whose nodes go with it would wait for them in vain."""
    space("delete", "namespace", space.namespace, "--wait=false", "--ignore-not-found")
    space("delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false")
