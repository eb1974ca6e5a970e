"""Samples in real pods: images of this checkout, and each sample deployed once per process, when its first test asks."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from support import images as node_images
from support.bundles import built, sample_options, unpack
from support.cluster import RUN_LABEL, Kubectl
from support.containers import wait_until
from support.images import ORCHESTRATOR, naming
from support.running import Apply, Deploy, Running, by_kubectl, by_script, end
from support.solutions import samples

from kubernetes_client.generate import DEPLOYER
from shared.deployer import Assets, Images
from shared.solution import SolutionFiles

NODE_SECONDS = 300
# By default every node asks for a tenth of a processor; a small machine has no room for all samples at once.
SMALL = {"resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}}
SMALL_ORCHESTRATOR = {"resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}}
ENFORCED = {"pod-security.kubernetes.io/enforce": "restricted"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give the first test time for building and loading the images."""
    item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def real_node(cluster: Kubectl) -> None:
    """Wait until a node takes ordinary pods: other tests may use the cluster at the same time."""
    wait_until(lambda: _takes_pods(cluster), what="a ready node without taints", seconds=NODE_SECONDS)


def _takes_pods(cluster: Kubectl) -> bool:
    nodes = json.loads(cluster("get", "nodes", "-o", "json"))["items"]
    return any(not node["spec"].get("taints") and _is_ready(node) for node in nodes)


def _is_ready(node: Mapping[str, Any]) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in node["status"]["conditions"])


@pytest.fixture(scope="session")
def images(
    cluster: Kubectl,  # noqa: ARG001 - a cluster that is missing is told first
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, str]:
    """Build the images and bring them to the cluster; return by which names its nodes find them.

    One process does so for all that test at once: they have the folder above their own in common.
    """
    problem = node_images.engine_problem()
    try:
        node_images.loader()
    except LookupError as missing:
        problem = str(missing)
    if problem:
        message = f"no images for the pods: {problem}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    own = tmp_path_factory.getbasetemp()
    desk = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (desk / "images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = desk / "images.json"
        if not done.exists():
            references = node_images.build()
            node_images.load(references)
            done.write_text(json.dumps(references), encoding="utf-8")
    found: dict[str, str] = json.loads(done.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def deploy(
    cluster: Kubectl,
    test_run: str,
    images: Mapping[str, str],
    real_node: None,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deploy]:
    """Return what deploys a sample in a namespace of its own and waits until it is ready."""
    found = dict(samples())
    spaces: list[Kubectl] = []

    def deploy(
        name: str,
        *,
        apply: Apply = by_script,
        options: Mapping[str, Any] | None = None,
        policies: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Running:
        chosen = {**SMALL, "orchestrator": SMALL_ORCHESTRATOR, **sample_options(name), **(options or {})}
        static = Assets(DEPLOYER.load_files(), Images(orchestrator=images[ORCHESTRATOR]))
        bundle = built(_with(naming(found[name], images), policies or {}), chosen, static=static)
        folder = unpack(bundle, tmp_path_factory.mktemp("bundle") / name)
        spaces.append(cluster.new_namespace({RUN_LABEL: test_run, **(labels or {})}))
        running = Running(spaces[-1], folder)
        apply(running)
        return running

    yield deploy
    for space in spaces:
        end(space)


def _with(files: SolutionFiles, policies: Mapping[str, Any]) -> SolutionFiles:
    """Add the orchestrator's policies to a blueprint."""
    if not policies:
        return files
    document = {**json.loads(files.blueprint or b"{}"), "orchestration": policies}
    return replace(files, blueprint=json.dumps(document).encode())


@pytest.fixture(scope="session")
def calculator(deploy: Deploy) -> Running:
    """Deploy a diamond with a Splitter and a Collator."""
    return deploy("calculator")


@pytest.fixture(scope="session")
def code_breaker(deploy: Deploy) -> Running:
    """Deploy a circle where the namespace refuses every pod that is not of the Pod Security Standard `restricted`."""
    return deploy("code-breaker", options={"profile": "restricted"}, labels=ENFORCED)


@pytest.fixture(scope="session")
def sensor_stream(deploy: Deploy) -> Running:
    """Deploy streams that never end, and a web page, without the script."""
    return deploy("sensor-stream", apply=by_kubectl)


@pytest.fixture(scope="session")
def word_count(deploy: Deploy) -> Running:
    """Deploy a pipeline around a shared folder, whose nodes are different users."""
    users = {name: {"runAsUser": user} for name, user in (("writer", 20001), ("counter", 20002), ("reporter", 20003))}
    return deploy("word-count", options={"nodes": {"seed": {"kind": "job"}, **users}})


@pytest.fixture(scope="session")
def sentiment(deploy: Deploy) -> Running:
    """Deploy a model."""
    return deploy("sentiment")
