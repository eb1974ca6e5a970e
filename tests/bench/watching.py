"""The playground's server before a full cluster: its list of 200 deployments with 3,000 pods, beside a call for every pod.

The server runs as an operator runs it, with the account of its manifests, so that the audit log tells its calls; what is
measured is the time until the whole page is there. Unmeasured where `KUBECONFIG` names no cluster, or there is no audit log. The pods
are on fake nodes. The Deployments are paused, so that no controller works: so every node counts as not ready, and the
cluster's objects are judged in the longest way.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import requests
from lightkube import ApiError, Client, KubeConfig, codecs
from lightkube.resources.core_v1 import Namespace, Pod
from support import fake_nodes
from support.cluster import Kubectl, found
from support.costs import Somebody
from support.playground import OPERATOR, token
from support.playground_cluster import Account, account
from support.playground_server import Server, eventually

from playground.runtime.kept import KeptOwner
from playground.runtime.kubernetes import (
    first_use,  # noqa: F401 - before there are threads
    record,
    words,
)
from playground.runtime.kubernetes.record import KeptRevision, Record
from tests.bench.rows import Row

DEPLOYMENTS = int(os.environ.get("SLIPWAY_BENCH_DEPLOYMENTS", "200"))
NODES = 15
ROUNDS = 20
NAMES = (
    f"playground, {DEPLOYMENTS} deployments: first look at the page",
    f"playground, {DEPLOYMENTS} deployments: next looks",
    f"playground, {DEPLOYMENTS} deployments: looks while pods change",
    f"playground, {DEPLOYMENTS} deployments: calls for {1 + 2 * ROUNDS} looks",
    f"playground, {DEPLOYMENTS} deployments: memory of the server",
)
PEER = "one call per pod"
_AT_ONCE = {"terminationGracePeriodSeconds": 0}  # nobody is there in the end who would confirm that a pod has stopped
MOST_MILLISECONDS = 300
MOST_MIB = 250
THREADS = 8
RUNNING_SECONDS = 300
POLL_SECONDS = 2
REST_SECONDS = 0.2  # between two looks while pods change, so that something has


def rows() -> Iterator[Row]:
    """Yield the times of looks at the page, the calls that they cost, and the peak memory of the server's processes."""
    log = Path(os.environ.get("SLIPWAY_AUDIT_LOG", "/nonexistent"))
    with tempfile.TemporaryDirectory() as desk:
        try:
            measured = _measured(found(Path(desk)), log.resolve(strict=True), Path(desk))
        except (LookupError, FileNotFoundError):
            yield from (Row(name, None, "ms") for name in NAMES)
            return
    for name, ours in zip(NAMES, (measured["first"], measured["next"], measured["changing"]), strict=False):
        yield Row(name, ours, "ms", measured["per_pod"], PEER, most=MOST_MILLISECONDS)
    yield Row(NAMES[3], measured["calls"], "calls", measured["peer_calls"], PEER, most=0)
    yield Row(NAMES[4], measured["mib"], "MiB", most=MOST_MIB)


def _measured(kubectl: Kubectl, log: Path, desk: Path) -> Mapping[str, float]:
    client = Client(KubeConfig.from_file(kubectl.environment["KUBECONFIG"]).get())
    with account(kubectl, desk) as own, fake_nodes.started(kubectl, own.name, desk / "kwok.log"):
        spaces = [f"{own.name}-{number}" for number in range(DEPLOYMENTS)]
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                list(pool.map(lambda space: _fill(client, own.name, space), spaces))
                _wait_running(kubectl, own.name)
                somebody = Somebody(f"system:serviceaccount:{own.name}:{own.name}", log)
                with _served(own, desk) as server:
                    return _looked(server, somebody, client, spaces) | _called(client, spaces)
            finally:
                list(pool.map(lambda space: _remove(client, space), spaces))


def _wait_running(kubectl: Kubectl, name: str) -> None:
    end = time.monotonic() + RUNNING_SECONDS
    chosen = (f"--selector={words.selector(name)}", "--field-selector=status.phase!=Running")
    while kubectl("get", "pods", "--all-namespaces", "--output=name", *chosen):
        assert time.monotonic() < end, "the fake nodes do not run the pods"
        time.sleep(POLL_SECONDS)


@contextmanager
def _served(own: Account, desk: Path) -> Iterator[Server]:
    """Run the server as an operator does, and wait until it says that it is ready."""
    server = Server(
        desk,
        **own.environment(RUNTIME="kubernetes", RUNNING=DEPLOYMENTS),
        SLIPWAY_OPERATORS=OPERATOR,
        SLIPWAY_LOG_LEVEL="warning",
    )
    try:
        eventually(lambda: server.status("/readyz") == 200)
        yield server
    finally:
        server.stop()


def _looked(server: Server, somebody: Somebody, client: Client, spaces: list[str]) -> dict[str, float]:
    with requests.Session() as browser:
        browser.post(f"{server.url}/sign-in", data={"token": token(OPERATOR)}, timeout=30, allow_redirects=False)
        before = _calls(somebody)
        first = _look(browser, server)
        unchanged = [_look(browser, server) for _ in range(ROUNDS)]
        with _changing(client, spaces) as changed:
            changing = [_look(browser, server, after=REST_SECONDS) for _ in range(ROUNDS)]
        after = _calls(somebody)
    assert before, "the audit log tells nothing of the server"
    assert changed, "no pod has changed"
    mib = sum(_peak_mib(pid) for pid in (server.process.pid, *server.workers))
    times = {"first": first, "next": statistics.median(unchanged), "changing": statistics.median(changing)}
    return {**times, "calls": after - before, "mib": mib}


def _look(browser: requests.Session, server: Server, *, after: float = 0.0) -> float:
    """Return the milliseconds until the whole page was there; all deployments and all nodes have to stand on it."""
    time.sleep(after)
    start = time.perf_counter()
    page = browser.get(f"{server.url}/", timeout=60)
    taken = (time.perf_counter() - start) * 1000
    shown = (page.status_code, page.text.count("<tr data-key="), page.text.count('<i class="pip '))
    assert shown == (200, DEPLOYMENTS, DEPLOYMENTS * NODES), shown
    return taken


@contextmanager
def _changing(client: Client, spaces: list[str]) -> Iterator[list[str]]:
    """Change a pod of one deployment after the other, as fast as the API server takes it."""
    over, changed = threading.Event(), list[str]()

    def change() -> None:
        for space in cycle(spaces):
            if over.is_set():
                return
            client.patch(Pod, "node-0", {"metadata": {"labels": {"changed": str(len(changed))}}}, namespace=space)
            changed.append(space)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield changed
    finally:
        over.set()
        thread.join()


def _calls(somebody: Somebody) -> int:
    """Count what was asked so far, but for what goes on whether or not anybody looks: watches, and the lease."""
    asked = somebody.requests()
    return len([request for request in asked if not request.startswith("watch ") and "/leases" not in request])


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


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
    made = _named("v1", "Namespace", space, name, **{words.DEPLOYMENT: space})
    made["metadata"]["annotations"] = {words.RECORD: record.encode(_record(space))}
    client.create(codecs.from_dict(made))
    for number in range(NODES):
        for made in _node(name, space, f"node-{number}", f"{name}-{number % fake_nodes.NODES}"):
            client.create(codecs.from_dict(made))


def _record(space: str) -> Record:
    """Return the record of a deployment that runs as it is wanted, so that nothing is to be done about it."""
    now = time.time()
    owner = KeptOwner(f"owner-of-{space}@example.org", None, is_operator=False)
    revision = KeptRevision(number=1, solution_id=space, revision_id="1", digest="0" * 64, pushed_at=now, packs=())
    return Record(
        key=space,
        owner=owner,
        solution_name="A solution with an ordinary name",
        created_at=now,
        used_at=now,
        admitted_at=now,
        applied=1,
        has_objects=True,
        checked=1,
        current=1,
        next_number=2,
        revisions=(revision,),
    )


def _remove(client: Client, space: str) -> None:
    with suppress(ApiError):
        client.delete(Namespace, space)


def _named(version: str, kind: str, named: str, name: str, space: str = "", **labels: str) -> dict[str, Any]:
    metadata = {"name": named, "labels": {words.INSTALLATION: name, **labels}}
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
        words.DEPLOYMENT: space,
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = _named("apps/v1", "Deployment", node, name, space, **labels)
    yield {**deployment, "spec": {"paused": True, "selector": {"matchLabels": {"app": node}}, "template": template}}
    tolerations = [{"operator": "Exists"}]
    pod = _named("v1", "Pod", node, name, space, **labels)
    yield {**pod, "spec": {"nodeName": machine, "containers": [container], "tolerations": tolerations, **_AT_ONCE}}
