"""A bundle on disk and a cluster that a stand-in for `kubectl` plays: for the order of calls, and for faults.

A real cluster is what the cluster tier is for. This one keeps its objects in a file, answers what kubectl would, writes
down every call, and fails where a test tells it to.
"""

from __future__ import annotations

import json
import os
import py_compile
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.finishing import joining

Object = dict[str, Any]

INSTANCE = "demo-1"
LABELS = {
    "app.kubernetes.io/instance": INSTANCE,
    "app.kubernetes.io/managed-by": "slipway",
    "slipway.dev/solution-id": "solution-1",
    "slipway.dev/revision-id": "revision-1",
}


def made(kind: str, name: str, spec: Object | None = None, **labels: str) -> Object:
    """Return an object of the bundle."""
    metadata = {"name": name, "labels": {**LABELS, "app": name, **labels}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec or {}}


def workload(kind: str = "Deployment", name: str = "a", image: str = "registry.example/a:1", **labels: str) -> Object:
    """Return a Deployment or a Job of the bundle."""
    pod = {"containers": [{"name": name, "image": image}]}
    spec: Object = {"template": {"metadata": {"labels": {**LABELS, "app": name}}, "spec": pod}}
    if kind == "Deployment":
        spec |= {"replicas": 1, "selector": {"matchLabels": {"app": name}}}
    return made(kind, name, spec, **labels)


def service(name: str = "orchestrator", **labels: str) -> Object:
    """Return a Service of the bundle."""
    labels = {"app.kubernetes.io/component": "orchestrator", **labels}
    return made("Service", name, {"type": "NodePort", "ports": [{"name": "mc-api", "port": 8061}]}, **labels)


CLAIM = made("PersistentVolumeClaim", "shared-folder")
CONFIG = made("ConfigMap", "demo-1-pipeline-1")
POLICY = made("NetworkPolicy", "demo-1-nodes")
BUNDLE = (POLICY, workload(), service(), CLAIM, CONFIG)


@dataclass
class Desk:
    """The bundle, the cluster, and the script as its user runs it."""

    home: Path
    bundle: Path
    program: str = "script.pyc"
    """The script, compiled beforehand: that takes as long as all the rest of a run."""

    def holds(self, *objects: Object, folder: str = "deployments") -> None:
        """Let the bundle consist of these objects; JSON is YAML."""
        for file in self.bundle.glob(f"{folder}/*.yaml"):
            file.unlink()
        for number, manifest in enumerate(objects):
            (self.bundle / folder / f"{number:02d}.yaml").write_text(json.dumps(manifest))

    def cluster(self, *objects: Object, namespace: str | None = "Active", **behaviour: object) -> None:
        """Let these objects be there. `behaviour`: `fails` and what else the stand-in knows."""
        state = {"namespace": namespace, "objects": list(objects), **behaviour}
        (self.home / "state.json").write_text(json.dumps(state))

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of the script."""
        return [sys.executable, "-I", "-S", "-X", "utf8", str(self.bundle / self.program), *arguments]

    def run(self, *arguments: str, path: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script in namespace `demo`."""
        environment = {"PATH": str(self.home) if path is None else path, "KUBECTL_HOME": str(self.home), **variables}
        command = self.command("-n", "demo", *arguments)
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=60)

    @property
    def calls(self) -> list[Object]:
        """Every call of kubectl: `arguments`, and what was `given` to it."""
        log = self.home / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def verbs(self) -> list[str]:
        """The verb of every call."""
        return [call["arguments"][0] for call in self.calls]

    @property
    def applied(self) -> list[list[str]]:
        """The kinds of every `apply`, in order; those of a dry run left out."""
        calls = [call for call in self.calls if call["arguments"][0] == "apply"]
        written = [call for call in calls if "--dry-run=server" not in call["arguments"]]
        return [[item["kind"] for item in json.loads(call["given"])["items"]] for call in written]

    @property
    def objects(self) -> list[Object]:
        """What the cluster holds now."""
        found: list[Object] = json.loads((self.home / "state.json").read_text())["objects"]
        return found

    @property
    def titles(self) -> set[str]:
        """`Kind/name` of what the cluster holds now."""
        return {f"{found['kind']}/{found['metadata']['name']}" for found in self.objects}

    def find(self, kind: str, name: str) -> Object:
        """Return one object of the cluster."""
        return next(found for found in self.objects if (found["kind"], found["metadata"]["name"]) == (kind, name))


@cache
def compiled() -> bytes:
    """Return the joined script as Python compiles it."""
    with TemporaryDirectory() as folder:
        source, made = Path(folder) / joining.SCRIPT, Path(folder) / "compiled"
        source.write_bytes(joining.script())
        py_compile.compile(str(source), str(made), doraise=True)
        return made.read_bytes()


def lay_out(folder: Path) -> Desk:
    """Return a bundle of a node, an orchestrator's Service, a claim, a ConfigMap and a policy; the namespace is empty."""
    home, bundle = folder / "home", folder / "the, bundle"
    home.mkdir()
    for name in ("deployments", "policies", "orchestrator_client"):
        (bundle / name).mkdir(parents=True)
    names = [{"container_name": name, "ip_address": name, "port": "8556"} for name in ("a", "orchestrator")]
    (bundle / "dockerinfo.json").write_text(json.dumps({"docker_info_list": names}))
    (bundle / joining.SCRIPT).write_bytes(joining.script())
    (bundle / Desk.program).write_bytes(compiled())
    kubectl = home / "kubectl"
    stand_in = Path(__file__).with_name("kubectl_stand_in.py").read_text()
    kubectl.write_text(f"#!{os.path.realpath(sys.executable)} -ISE\n{stand_in}")
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    desk = Desk(home, bundle)
    desk.holds(*BUNDLE)
    desk.cluster()
    return desk
