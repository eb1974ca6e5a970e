"""The playground's look at a full cluster: 200 deployments with 3,000 pods on fake nodes, beside a call for every pod.

Unmeasured where `KUBECONFIG` names no cluster, or there is no audit log to count calls with. The Deployments are paused, so
that no controller works; so every node counts as not ready, and the cluster's objects are judged in the longest way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightkube import ApiError, Client, KubeConfig, codecs
from lightkube.resources.core_v1 import Namespace, Pod
from support import fake_nodes
from support.cluster import Kubectl, found
from support.costs import Somebody, as_somebody

from playground.runtime.kubernetes import first_use  # noqa: F401 - before there are threads
from tests.bench.rows import Row

DEPLOYMENTS = int(os.environ.get("SLIPWAY_BENCH_DEPLOYMENTS", "200"))
NODES = 15
ROUNDS = 5
NAMES = (
    f"playground, {DEPLOYMENTS} deployments: state of all, anew",
    f"playground, {DEPLOYMENTS} deployments: state of all, unchanged",
    f"playground, {DEPLOYMENTS} deployments: calls for {ROUNDS} looks",
    f"playground, {DEPLOYMENTS} deployments: memory",
)
PEER = "one call per pod"
_AT_ONCE = {"terminationGracePeriodSeconds": 0}  # nobody is there in the end who would confirm that a pod has stopped
MOST_MILLISECONDS = 300
MOST_MIB = 250
THREADS = 8
# In a process of its own with all of the server's modules, so that its memory is that of a server.
LOOK = """
import json, statistics, sys, time
import playground.server.app
from lightkube import Client, KubeConfig
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.node_view import Views
config, installation, rounds, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
cache = Cache(Client(KubeConfig.from_file(config).get()), installation=installation)
cache.start(60)
cache.check()
def look(views):
    start = time.perf_counter()
    seen = [views.of(name) for name in cache.namespaces()]
    return (time.perf_counter() - start) * 1000, sum(len(view.nodes) for view in seen)
def running():
    return sum(pod.status.phase == "Running" for name in cache.namespaces() for pod in cache.pods(name))
end = time.monotonic() + 300
while running() < wanted and time.monotonic() < end:
    time.sleep(0.5)
print(json.dumps({"ready": True}), flush=True)
sys.stdin.readline()
views, anew, unchanged = Views(cache), [], []
for _ in range(rounds):
    views = Views(cache)
    anew.append(look(views)[0])
    unchanged.append(look(views)[0])
memory = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({
    "anew": statistics.median(anew), "unchanged": statistics.median(unchanged), "nodes": look(views)[1],
    "pods": running(), "mib": int(memory.split()[1]) / 1024,
}), flush=True)
cache.close()
"""


def rows() -> Iterator[Row]:
    """Yield the time of a look, the calls that it costs, and the memory of the process that looks."""
    log = Path(os.environ.get("SLIPWAY_AUDIT_LOG", "/nonexistent"))
    with tempfile.TemporaryDirectory() as desk:
        try:
            measured = _measured(found(Path(desk)), log.resolve(strict=True), Path(desk))
        except (LookupError, FileNotFoundError):
            yield from (Row(name, None, "ms") for name in NAMES)
            return
    per_pod = measured["per_pod"]
    yield Row(NAMES[0], measured["anew"], "ms", per_pod, PEER, most=MOST_MILLISECONDS)
    yield Row(NAMES[1], measured["unchanged"], "ms", per_pod, PEER, most=MOST_MILLISECONDS)
    yield Row(NAMES[2], measured["calls"], "calls", measured["peer_calls"], PEER, most=0)
    yield Row(NAMES[3], measured["mib"], "MiB", most=MOST_MIB)


def _measured(kubectl: Kubectl, log: Path, desk: Path) -> Mapping[str, float]:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    client = Client(KubeConfig.from_file(kubectl.environment["KUBECONFIG"]).get())
    spaces = [f"{name}-{number}" for number in range(DEPLOYMENTS)]
    with fake_nodes.started(kubectl, name, desk / "kwok.log"), ThreadPoolExecutor(THREADS) as pool:
        try:
            list(pool.map(lambda space: _fill(client, name, space), spaces))
            with as_somebody(kubectl, log, desk) as (somebodys, somebody):
                return _looked(somebodys, somebody, name) | _called(client, spaces)
        finally:
            list(pool.map(lambda space: _remove(client, space), spaces))


def _looked(kubectl: Kubectl, somebody: Somebody, name: str) -> dict[str, float]:
    """Look several times, and count what was asked meanwhile, but for watches that are renewed every minute."""
    command = [
        sys.executable,
        "-c",
        LOOK,
        kubectl.environment["KUBECONFIG"],
        name,
        str(ROUNDS),
        str(DEPLOYMENTS * NODES),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        before = _calls(somebody)
        process.stdin.write("look\n")
        process.stdin.flush()
        line = process.stdout.readline()
        after = _calls(somebody)
    measured: dict[str, float] = json.loads(line)
    assert (measured["nodes"], measured["pods"]) == (DEPLOYMENTS * NODES, DEPLOYMENTS * NODES), measured
    return {**measured, "calls": after - before}


def _calls(somebody: Somebody) -> int:
    return len([request for request in somebody.requests() if not request.startswith("watch ")])


def _called(client: Client, spaces: list[str]) -> dict[str, float]:
    """Ask for every pod of every deployment, one after the other, as the server would for one page."""
    sample = spaces[: max(1, len(spaces) // 10)]
    start = time.perf_counter()
    for space in sample:
        for number in range(NODES):
            client.get(Pod, f"node-{number}", namespace=space)
    taken = (time.perf_counter() - start) * 1000
    return {"per_pod": taken * len(spaces) / len(sample), "peer_calls": len(spaces) * NODES}


def _fill(client: Client, name: str, space: str) -> None:
    client.create(codecs.from_dict(_named("v1", "Namespace", space, name)))
    for number in range(NODES):
        for made in _node(name, space, f"node-{number}", f"{name}-{number % fake_nodes.NODES}"):
            client.create(codecs.from_dict(made))


def _remove(client: Client, space: str) -> None:
    with suppress(ApiError):
        client.delete(Namespace, space)


def _named(version: str, kind: str, named: str, name: str, space: str = "", **labels: str) -> dict[str, Any]:
    metadata = {"name": named, "labels": {"slipway.dev/playground": name, **labels}}
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, **({"namespace": space} if space else {})}}


def _node(name: str, space: str, node: str, machine: str) -> Iterator[dict[str, Any]]:
    """Yield a node's Deployment, which makes nothing, and its pod."""
    container = {
        "name": node,
        "image": f"registry.example.org/team/{node}:1",
        "ports": [{"name": "protobuf-api", "containerPort": 8061}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "readinessProbe": {"tcpSocket": {"port": 8061}},
    }
    labels = {
        "app": node,
        "app.kubernetes.io/name": node,
        "app.kubernetes.io/instance": "a-solution-with-an-ordinary-name-12345678",
        "slipway.dev/deployment": space,
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = _named("apps/v1", "Deployment", node, name, space, **labels)
    yield {**deployment, "spec": {"paused": True, "selector": {"matchLabels": {"app": node}}, "template": template}}
    tolerations = [{"operator": "Exists"}]
    pod = _named("v1", "Pod", node, name, space, **labels)
    yield {**pod, "spec": {"nodeName": machine, "containers": [container], "tolerations": tolerations, **_AT_ONCE}}
