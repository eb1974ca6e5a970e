"""Argo's workflow-controller on this machine, working in one namespace of the cluster, and the runs that it carries out there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import argo_programs
from support.cluster import Ended, Kubectl, identity
from support.containers import wait_until
from support.running import Event, events

SCRIPT = "argo-script.py"
CONFIGURATION = "workflow-controller-configmap"
RUN_SECONDS = 240
GONE_SECONDS = 60
STOP_SECONDS = 30
OFF = {"enabled": False}  # their ports are fixed ones, and several controllers run
MAIN = "main"  # what Argo calls the container of a template
WAIT = "wait"  # Argo's own, beside it
OF_RUN = "workflows.argoproj.io/workflow"
LEAVES = ("Pod", "Suspend")  # the others hold them together
# All that a run or its bundle may have made.
KINDS = (
    "workflows,workflowtemplates,cronworkflows,workflowtaskresults,pods,deployments.apps,replicasets.apps,services,"
    "configmaps,secrets,serviceaccounts,roles,rolebindings,persistentvolumeclaims"
)
# In every namespace, and in every one that Argo looks after.
OWN = frozenset({"ConfigMap/kube-root-ca.crt", "ServiceAccount/default", f"ConfigMap/{CONFIGURATION}"})


@dataclass(frozen=True, slots=True)
class Task:
    """One pod of a run, or a task that waits."""

    phase: str
    started: str
    """When its container began; ISO 8601, in UTC. The same for its end; both empty where it has none."""
    finished: str


@dataclass(frozen=True, slots=True)
class Argo:
    """A namespace that Argo looks after, for one run."""

    kubectl: Kubectl

    def script(self, folder: Path, *arguments: str) -> Ended:
        """Run the script of an unpacked bundle, whatever comes of it."""
        done = subprocess.run(
            [sys.executable, str(folder / SCRIPT), "-n", self.kubectl.namespace, *arguments],
            env=dict(self.kubectl.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def status(self) -> dict[str, Any]:
        """Return what Argo says of the run in the namespace; of the last one, where there are several."""
        runs = self.kubectl("get", "workflows", "--sort-by=.metadata.creationTimestamp", "-o", "json")
        found: dict[str, Any] = json.loads(runs)["items"][-1].get("status", {})
        return found

    def tasks(self) -> dict[str, Task]:
        """Return the tasks as a dry run calls them; what runs at the end is `onExit`, or `onExit/…`."""
        nodes = [node for node in self.status().get("nodes", {}).values() if node["type"] in LEAVES]
        pods = {_node(pod): pod for pod in self._pods()}
        return {_task(node["name"]): _told(node["phase"], pods.get(node["name"], {})) for node in nodes}

    def logs(self) -> dict[str, list[Event]]:
        """Return what each container has logged by `task` or `task.container`; lines that are no JSON are not ours."""
        return {
            task if name == MAIN else f"{task}.{name}": self._log(pod["metadata"]["name"], name)
            for pod in self._pods()
            for name in _containers(pod)
            for task in [_task(_node(pod))]
        }

    def _log(self, pod: str, container: str) -> list[Event]:
        # One that never began has none.
        return events(self.kubectl.run("logs", pod, f"--container={container}", "--tail=-1").out)

    def _pods(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", "pods", "-l", OF_RUN, "-o", "json"))["items"]
        return found

    def eventually(self, task: str, phase: str) -> None:
        """Wait until a task is in a phase."""
        wait_until(
            lambda: task in (found := self.tasks()) and found[task].phase == phase,
            what=f"{task} {phase} in {self.kubectl.namespace}",
            seconds=RUN_SECONDS,
        )

    def there(self) -> set[str]:
        """Return what is in the namespace, but what is in every one."""
        found = json.loads(self.kubectl("get", KINDS, "-o", "json"))["items"]
        return {identity(each) for each in found} - OWN

    def left(self, before: Collection[str] = ()) -> set[str]:
        """Wait until there is nothing but what was there before, or for a minute; return what is."""
        with suppress(AssertionError):
            wait_until(lambda: self.there() <= set(before), what="an empty namespace", seconds=GONE_SECONDS)
        return self.there() - set(before)


def _node(pod: Mapping[str, Any]) -> str:
    name: str = pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"]
    return name


def _containers(pod: Mapping[str, Any]) -> list[str]:
    return [each["name"] for each in pod["spec"]["containers"] if each["name"] != WAIT]


def _task(node: str) -> str:
    """Return the name without that of the run, the number of the try, and those of steps."""
    return re.sub(r"\[[0-9]+\]\.", "/", re.sub(r"\([0-9]+\)$", "", node.partition(".")[2]))


def _told(phase: str, pod: Mapping[str, Any]) -> Task:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    ended = next((each["state"].get("terminated", {}) for each in statuses if each["name"] == MAIN), {})
    return Task(phase, ended.get("startedAt", ""), ended.get("finishedAt", ""))


@contextmanager
def started(kubectl: Kubectl, desk: Path, configuration: Mapping[str, Any]) -> Iterator[Argo]:
    """Run the controller for the namespace, until the end. Its log is in `desk`."""
    held = {"config": json.dumps({"metricsConfig": OFF, "telemetryConfig": OFF, **configuration})}
    kubectl.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIGURATION}, "data": held})
    command = [argo_programs.controller(), "--namespaced", f"--namespace={kubectl.namespace}"]
    # A change is looked at after a second, not after ten.
    chosen = {"LEADER_ELECTION_DISABLE": "true", "DEFAULT_REQUEUE_TIME": "1s"}
    with (desk / "log").open("wb") as log:
        controller = subprocess.Popen(command, env={**kubectl.environment, **chosen}, stdout=log, stderr=log)
        try:
            yield Argo(kubectl)
        finally:
            controller.terminate()
            controller.wait(timeout=STOP_SECONDS)
