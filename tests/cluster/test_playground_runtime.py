"""The kubernetes runtime where a server is killed, is one of two, or has a poisoned neighbour; its pods never start."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import playground_cluster
from support.cluster import Kubectl, content, identity
from support.playground_cluster import Account

from playground.runtime.deployment import DeploymentId, Push, State
from playground.runtime.kubernetes import opening, record
from playground.runtime.kubernetes.api import Api
from playground.runtime.kubernetes.applying import NotYetError
from playground.runtime.kubernetes.cluster import Cluster
from playground.runtime.kubernetes.reconciler import needs_work
from playground.runtime.kubernetes.runtime import KubernetesRuntime
from shared.errors import ConflictError, RateLimitedError
from shared.principal import Principal
from shared.solution import Ids, RevisionId, SolutionId

SECONDS = 60.0
MOST_CHANGES = 60
KINDS = (
    "deployments,jobs,services,configmaps,secrets,persistentvolumeclaims,networkpolicies,resourcequotas,limitranges,"
    "rolebindings"
)


class KilledError(BaseException):
    """The server is dead: nothing catches this."""


class MortalCluster(Cluster):
    """Dies after one of the calls that change something, before the answer is read.

    After a call that changes nothing it would die where it died before.
    """

    dies_at = 0
    changes = 0

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._seen: dict[str, object] = {}

    def _call(
        self, method: str, path: str, parameters: Mapping[str, str] | None = None, *arguments: Any, **more: Any
    ) -> Any:
        found = super()._call(method, path, parameters, *arguments, **more)
        if method != "GET" and "dryRun" not in (parameters or {}) and self._is_news(method, path, found):
            self.changes += 1
            if self.changes == self.dies_at:
                raise KilledError
        return found

    def _is_news(self, method: str, path: str, found: dict[str, Any]) -> bool:
        if method != "PATCH":
            self._seen.pop(path, None)
            return True
        before, self._seen[path] = self._seen.get(path), content(found)
        return before != self._seen[path]

    def live(self, dies_at: int = 0) -> None:
        """Begin another life."""
        self.changes, self.dies_at = 0, dies_at


def manifest(kind: str, name: str, version: str = "v1", **more: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}, **more}


def pods(name: str) -> dict[str, Any]:
    container = {"name": name, "image": "docker.io/slipway/none:1"}
    # No machine has this label: the pods wait for ever, and go at once.
    spec = {"containers": [container], "nodeSelector": {"example.org/none": "x"}}
    if name != "orchestrator":
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return {"metadata": {"labels": {"app": name}}, "spec": spec}


def push(*nodes: str, owner: str = "", revision: str = "1", note: str = "") -> Push:
    """Return the push of a small bundle: for each node a Deployment and a Service, one Job, one claim."""
    job = pods("job")
    job["spec"]["restartPolicy"] = "Never"
    size = {"requests": {"storage": "1Mi"}}
    objects = [
        manifest("PersistentVolumeClaim", "data", spec={"accessModes": ["ReadWriteMany"], "resources": size}),
        manifest("ConfigMap", "texts", data={"note": note}),
        manifest("Job", "job", "batch/v1", spec={"template": job}),
    ]
    for name in (*nodes, "orchestrator"):
        spec = {"selector": {"matchLabels": {"app": name}}, "template": pods(name)}
        objects.append(manifest("Deployment", name, "apps/v1", spec=spec))
        objects.append(manifest("Service", name, spec={"selector": {"app": name}, "ports": [{"port": 8556}]}))
    files = {f"deployments/{at:02}.yaml": yaml.safe_dump(each).encode() for at, each in enumerate(objects)}
    principal = Principal(owner or new_owner())
    ids = Ids(SolutionId("solution"), RevisionId(revision))
    return Push(principal, "Killed", ids, f"{revision}-{'-'.join(nodes)}-{note}", files)


def new_owner() -> str:
    """Return somebody who has nothing, wherever else in the cluster such tests run."""
    return f"{uuid.uuid4().hex}@example.org"


@pytest.fixture(scope="module")
def account(cluster: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with playground_cluster.account(cluster, Path(tmp_path_factory.mktemp("account"))) as made:
        yield made


@pytest.fixture(scope="module")
def still(account: Account) -> Iterator[KubernetesRuntime]:
    """Return a runtime that does nothing by itself: a test takes each step."""
    runtime = opening.made(account.settings(KEPT_PER_USER=3), cluster_of=MortalCluster)
    runtime.parts.cache.start()
    yield runtime
    runtime.close()


def mortal(runtime: KubernetesRuntime) -> MortalCluster:
    assert isinstance(runtime.parts.cluster, MortalCluster)
    return runtime.parts.cluster


def settle(runtime: KubernetesRuntime, deployment: DeploymentId) -> None:
    """Do what the reconciler does for one deployment until it has nothing to do."""
    end = time.monotonic() + SECONDS
    while True:
        assert time.monotonic() < end
        kept = runtime.parts.records.live(deployment)
        if kept is None or kept.is_ending:
            return
        if kept.record.wants_turn:
            runtime.parts.reconciler.give_turns([kept])
        elif needs_work(kept):
            try:
                runtime.parts.reconciler.step(deployment)
            except NotYetError:
                time.sleep(0.3)
        else:
            return


def objects(cluster: Kubectl, deployment: str) -> dict[str, Any]:
    """Return what is in the namespace of a deployment, without what differs by chance."""
    found = json.loads(cluster("get", KINDS, "-n", deployment, "-l", "slipway.dev/deployment", "-o", "json"))["items"]
    made = {identity(each): content(each) for each in found}
    for name, each in made.items():
        if name == "Secret/slipway-orchestrator-token":
            each["data"] = "random"
    text = json.dumps(made, sort_keys=True).replace(deployment, "DEPLOYMENT")
    same: dict[str, Any] = json.loads(text)
    return same


def life(runtime: KubernetesRuntime, wish: Callable[[], object], deployment: DeploymentId) -> None:
    wish()
    settle(runtime, deployment)


def killed_everywhere(
    runtime: KubernetesRuntime, prepare: Callable[[], tuple[DeploymentId, Callable[[], object]]], *, ways: int = 1
) -> Iterator[DeploymentId]:
    """Kill the server after its first change, its second, … and let another one go on; yield each deployment then.

    `prepare` returns so many things to do in turn; each of them is killed everywhere.
    """
    for dies_at in range(1, MOST_CHANGES):
        survived = 0
        for _ in range(ways):
            mortal(runtime).live()
            deployment, wish = prepare()
            mortal(runtime).live(dies_at)
            try:
                life(runtime, wish, deployment)
                survived += 1
            except KilledError:
                mortal(runtime).live()
                life(runtime, wish, deployment)
            mortal(runtime).live()
            yield deployment
        if survived == ways:
            return
    pytest.fail(f"more than {MOST_CHANGES} changes")


@pytest.mark.timeout(900)
def test_a_push_is_one_deployment_wherever_the_server_is_killed(
    still: KubernetesRuntime, account: Account, cluster: Kubectl
) -> None:
    def prepare() -> tuple[DeploymentId, Callable[[], object]]:
        pushed = push("a")
        return record.named(pushed, account.name), lambda: still.create(pushed)

    found = []
    for deployment in killed_everywhere(still, prepare):
        found.append((objects(cluster, deployment), [one.number for one in still.get(deployment).revisions]))
        life(still, lambda: still.delete(deployment), deployment)  # noqa: B023 - called at once

    whole, _ = found[-1]
    assert len(found) > len(whole)
    assert {name.split("/")[0] for name in whole} >= {"Deployment", "Job", "Secret", "ResourceQuota", "RoleBinding"}
    assert found == [(whole, [1])] * len(found)


@pytest.mark.parametrize("name", ["update", "sleep", "reset with data"])
@pytest.mark.timeout(900)
def test_a_wish_is_fulfilled_wherever_the_server_is_killed(
    still: KubernetesRuntime, cluster: Kubectl, name: str
) -> None:
    first = push("a", "b")
    second = push("a", "c", owner=first.owner.id, revision="2", note="changed")
    deployment = still.create(first)[0].id
    settle(still, deployment)
    there_and_back: dict[str, list[Callable[[], object]]] = {
        "update": [lambda: still.update(deployment, second), lambda: still.update(deployment, first)],
        "sleep": [lambda: still.sleep(deployment), lambda: still.wake(deployment)],
        "reset with data": [lambda: still.reset(deployment, data=True)],
    }
    ways = there_and_back[name]
    wishes = cycle(ways)

    killed = killed_everywhere(still, lambda: (deployment, next(wishes)), ways=len(ways))
    found = [shape(cluster, each) for each in killed]
    life(still, lambda: still.delete(deployment), deployment)

    assert len(found) > LEAST_KILLS * len(ways)
    assert found[len(ways) :] == found[: -len(ways)]
    assert [("b", 1) in each for each in found[: len(ways)]] == EXPECTED[name]


LEAST_KILLS = 4
EXPECTED = {"update": [False, True], "sleep": [False, True], "reset with data": [True]}
"""Whether node b runs after the wish, and after the one that takes it back."""


def shape(cluster: Kubectl, deployment: str) -> list[tuple[str, int]]:
    """Return every Deployment with its replicas, and how many objects there are of each other kind."""
    found = json.loads(cluster("get", KINDS, "-n", deployment, "-l", "slipway.dev/deployment", "-o", "json"))["items"]
    kinds = Counter(each["kind"] for each in found if each["kind"] not in {"Deployment", "Secret"})
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in found if each["kind"] == "Deployment"}
    return sorted({**kinds, **replicas}.items())


def uid(cluster: Kubectl, deployment: str) -> str:
    return cluster("get", "pvc", "data", "-n", deployment, "-o", "jsonpath={.metadata.uid}")


def test_claims_survive_everything_but_the_explicit_choice(still: KubernetesRuntime, cluster: Kubectl) -> None:
    pushed = push("a")
    deployment = still.create(pushed)[0].id
    settle(still, deployment)
    before = uid(cluster, deployment)
    without = {path: text for path, text in pushed.files.items() if b"PersistentVolumeClaim" not in text}

    for wish in (
        lambda: still.restart(deployment),
        lambda: still.reset(deployment, data=False),
        lambda: still.sleep(deployment),
        lambda: still.wake(deployment),
        lambda: still.update(deployment, replace(pushed, digest="other", files=without)),
        lambda: still.rollback(deployment, 1),
    ):
        life(still, wish, deployment)
    after = uid(cluster, deployment)
    life(still, lambda: still.reset(deployment, data=True), deployment)

    assert after == before
    assert uid(cluster, deployment) != before
    life(still, lambda: still.delete(deployment), deployment)


def test_what_somebody_else_put_there_survives_the_deployment(still: KubernetesRuntime, cluster: Kubectl) -> None:
    deployment = still.create(push("a"))[0].id
    settle(still, deployment)
    cluster("create", "configmap", "mine", "-n", deployment)

    still.delete(deployment)
    still.parts.reconciler.step(deployment)

    left = cluster("get", KINDS, "-n", deployment, "-o", "name").split()
    assert sorted(left) == ["configmap/kube-root-ca.crt", "configmap/mine"]
    cluster("delete", "namespace", deployment, "--wait=false")
    eventually(lambda: deployment not in [one.id for one in still.all()])


def test_every_namespace_has_its_limits(still: KubernetesRuntime, cluster: Kubectl) -> None:
    deployment = still.create(push("a"))[0].id
    settle(still, deployment)
    found = objects(cluster, deployment)
    namespace = json.loads(cluster("get", "namespace", deployment, "-o", "json"))["metadata"]

    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert found["ResourceQuota/slipway-guard"]["spec"]["hard"]["pods"] == "60"
    assert found["LimitRange/slipway-guard"]["spec"]["limits"][0]["default"] == {"memory": "1Gi"}
    assert found["NetworkPolicy/slipway-deny-all"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    life(still, lambda: still.delete(deployment), deployment)


def test_an_object_that_the_cluster_refuses_changes_nothing(still: KubernetesRuntime, cluster: Kubectl) -> None:
    pushed = push("a")
    deployment = still.create(pushed)[0].id
    settle(still, deployment)
    before = objects(cluster, deployment)
    broken = manifest("Service", "broken", spec={"ports": [{"port": 99999}]})
    files = {**pushed.files, "deployments/00a.yaml": yaml.safe_dump(broken).encode()}

    life(still, lambda: still.update(deployment, replace(pushed, digest="broken", files=files)), deployment)

    found = still.get(deployment)
    after = objects(cluster, deployment)
    assert found.state is State.FAILED
    assert "Service/broken" in found.reason
    assert {name for name in after if not name.startswith("Secret/")} == {
        name for name in before if not name.startswith("Secret/")
    }
    life(still, lambda: still.rollback(deployment, 1), deployment)
    assert still.get(deployment).state is State.STARTING
    life(still, lambda: still.delete(deployment), deployment)


def test_more_deployments_than_an_owner_may_have_are_refused(still: KubernetesRuntime) -> None:
    owner = new_owner()
    made = [still.create(push("a", owner=owner, revision=str(number)))[0].id for number in range(3)]

    with pytest.raises(RateLimitedError):
        still.create(push("a", owner=owner, revision="more"))
    for deployment in made:
        life(still, lambda: still.delete(deployment), deployment)  # noqa: B023 - called at once


def test_a_namespace_of_somebody_else_is_not_taken_over(
    still: KubernetesRuntime, account: Account, cluster: Kubectl
) -> None:
    pushed = push("a")
    name = record.named(pushed, account.name)
    cluster("create", "namespace", name)

    with pytest.raises(ConflictError):
        still.create(pushed)

    assert cluster("get", "all", "-n", name, "-o", "name") == ""
    cluster("delete", "namespace", name, "--wait=false")


@pytest.fixture
def two(account: Account) -> Iterator[tuple[KubernetesRuntime, KubernetesRuntime]]:
    settings = account.settings(INSTALLATION=account.name, RUNNING_PER_USER=2)
    servers = tuple(opening.made(settings) for _ in range(2))
    for server in servers:
        server.start()
    yield servers[0], servers[1]
    for server in servers:
        server.close()


def eventually(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return value


def is_applied(server: KubernetesRuntime, deployment: DeploymentId) -> bool:
    kept = server.parts.records.get(deployment).record
    return kept.applied == kept.wish


def test_of_two_servers_one_works_and_the_other_goes_on(two: tuple[KubernetesRuntime, KubernetesRuntime]) -> None:
    eventually(lambda: any(server.leads() for server in two))
    pushes = [push("a") for _ in range(4)]
    made = [two[at % 2].create(pushed)[0].id for at, pushed in enumerate(pushes)]
    again = [two[(at + 1) % 2].create(pushed) for at, pushed in enumerate(pushes)]
    for deployment in made:
        eventually(lambda: all(is_applied(server, deployment) for server in two))  # noqa: B023 - called at once
    leads = [server.leads() for server in two]
    first, second = (two[0], two[1]) if leads[0] else (two[1], two[0])
    first.close()
    eventually(second.leads)
    last = second.create(push("a"))[0].id
    eventually(lambda: is_applied(second, last))

    assert sorted(leads) == [False, True]
    assert [(deployment.id, is_new) for deployment, is_new in again] == [(deployment, False) for deployment in made]
    for deployment in (*made, last):
        second.delete(deployment)


def test_poison_stops_nobody_and_each_owner_has_a_turn(
    two: tuple[KubernetesRuntime, KubernetesRuntime], cluster: Kubectl
) -> None:
    server = two[0]
    unreadable, damaged = (server.create(push("a"))[0].id for _ in range(2))
    for deployment in (unreadable, damaged):
        eventually(lambda: is_applied(server, deployment))  # noqa: B023 - called at once
    cluster("annotate", "namespace", unreadable, "slipway.dev/record={", "--overwrite")
    cluster("delete", "secret", "-n", damaged, "-l", "slipway.dev/playground-part=history")
    server.restart(damaged)
    owner = new_owner()
    greedy = [server.create(push("a", owner=owner, revision=str(number)))[0].id for number in range(3)]
    modest = server.create(push("a"))[0].id
    for deployment in (*greedy[:2], modest):
        eventually(lambda: is_applied(server, deployment))  # noqa: B023 - called at once

    waiting = [one for one in server.all() if one.state is State.QUEUED]

    assert [one.owner.id for one in waiting] == [owner]
    assert "waits until one of its owner's 2 running" in waiting[0].reason
    assert unreadable not in [one.id for one in server.all()]
    assert server.get(damaged).state is State.STARTING
    for deployment in (damaged, modest, *greedy):
        server.delete(deployment)
    cluster("delete", "namespace", unreadable, "--wait=false")


@pytest.mark.parametrize(
    "arguments",
    [
        ("get", "secrets", "-n", "default"),
        ("get", "configmaps", "-n", "default"),
        ("get", "secrets", "--all-namespaces"),
        ("create", "rolebinding", "x", "-n", "default", "--clusterrole=cluster-admin", "--serviceaccount=default:x"),
        ("create", "clusterrolebinding", "x", "--clusterrole=cluster-admin", "--serviceaccount=default:x"),
        ("create", "namespace", "not-of-the-playground", "--dry-run=server"),
        ("delete", "namespace", "kube-public"),
        ("label", "namespace", "kube-public", "slipway.dev/playground=x"),
        ("create", "deployment", "x", "-n", "default", "--image=x"),
        ("get", "pods", "-n", "default", "--as=system:admin"),
    ],
    ids=" ".join,
)
def test_the_server_may_do_nothing_else(account: Account, cluster: Kubectl, arguments: tuple[str, ...]) -> None:
    server = replace(cluster, environment={**cluster.environment, "KUBECONFIG": str(account.kubeconfig)})

    ended = server.run(*arguments)

    assert ended.status != 0
    assert "orbidden" in ended.err or "only namespaces" in ended.err


def test_the_server_may_bind_its_role_only_in_its_own_namespaces(account: Account, cluster: Kubectl) -> None:
    server = replace(cluster, environment={**cluster.environment, "KUBECONFIG": str(account.kubeconfig)})
    role = f"--clusterrole={account.name}-deployment"

    ended = server.run(
        "create", "rolebinding", "x", "-n", "default", role, f"--serviceaccount={account.name}:{account.name}"
    )

    assert ended.status != 0
    assert "binds its role only in namespaces that it has made" in ended.err
