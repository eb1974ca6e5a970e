"""The cluster that `KUBECONFIG` names, namespaces in it, fake nodes, and unpacked bundles.

Every test works in namespaces of its own (`space`, `unmade`, `new_namespace`), which go when it ends; it touches nothing else.
So tests may run at the same time, in several processes, and in a cluster that others use.

Fake nodes and real ones are there together. Fake ones carry a taint, so that pods of a bundle with ordinary options run
on the real node, where there is one. A bundle that was built with `fake_nodes.options(...)` runs on the fake ones alone.
No node is cordoned: nobody has to wait until a test that needs the other sort of node is over.

Tests are dealt out to several processes one by one; those of samples in `pods/` go to one process, which deploys each sample
once, and each file of the playground and of Argo there goes to one.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from support import cluster as clusters
from support import fake_nodes as nodes
from support.bundles import built, sample_options, unpack, whole
from support.cluster import RUN_LABEL, Kubectl
from support.fake_nodes import FakeNodes
from support.graphs import graph
from support.solutions import ROOT, corpus, samples
from xdist.scheduler import LoadScopeScheduling

from shared.solution import SolutionFiles

GONE_SECONDS = 180
PODS = Path(__file__).parent / "pods"
OWN_HEAPS = ("test_argo", "test_playground")
SAMPLES = sorted(path.parent.name for name in ("blueprint", "model") for path in ROOT.glob(f"samples/*/{name}.json"))
CORPUS = (
    "acumos--addmulti",
    "acumos--rcs",
    "ai4eu--simplepipeline",
    "ai4eu-graphene--sudoku-stream",
    "cloudferro--news-training-pi",
    "cloudferro--sudoku-tutorial",
)
# Between them: claims, Ingresses, a Job, accelerators, several replicas, profile restricted, tolerations, odd names.
SEEDS = (2, 5, 9, 10, 18, 36)
CYCLES = (
    *(f"sample {name}" for name in SAMPLES),
    *(f"corpus {name}" for name in CORPUS),
    *(f"graph {seed}" for seed in SEEDS),
)

NewNamespace = Callable[..., Kubectl]


class Dealing(LoadScopeScheduling):
    """Deals tests out one by one; those of samples in pods as one heap, and each file with an engine or a playground of its own."""

    def _split_scope(self, nodeid: str) -> str:
        file = ROOT / nodeid.partition("::")[0]
        if PODS not in file.parents:
            return nodeid
        return file.name if file.name.startswith(OWN_HEAPS) else PODS.name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealing:
    """Take it in place of `--dist loadgroup`, which loses its groups under pytest 9.2 (pytest-xdist 3.8)."""
    return Dealing(config, log)


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def test_run() -> str:
    """Return what marks the objects of this process."""
    return f"fake-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def cluster(test_run: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """Return the cluster; in the end wait until every namespace of this process has gone."""
    try:
        kubectl = clusters.found(tmp_path_factory.mktemp("kubectl"))
    except LookupError as missing:
        _cannot(str(missing))
    yield kubectl
    _wait_until_gone(kubectl, test_run)


def _wait_until_gone(kubectl: Kubectl, test_run: str) -> None:
    selector = f"{RUN_LABEL}={test_run}"
    kubectl("delete", "namespace", "-l", selector, f"--timeout={GONE_SECONDS}s", seconds=GONE_SECONDS + 10)


@pytest.fixture
def new_namespace(cluster: Kubectl, test_run: str) -> Iterator[NewNamespace]:
    """Return what makes a namespace with the labels given as keywords."""
    made: list[Kubectl] = []

    def make(**labels: str) -> Kubectl:
        made.append(cluster.new_namespace({RUN_LABEL: test_run, **labels}))
        return made[-1]

    yield make
    for each in made:
        cluster("delete", "namespace", each.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def unmade(cluster: Kubectl, test_run: str) -> Iterator[Kubectl]:
    """Return a kubectl in a namespace that is not there yet; it goes if the test makes it."""
    kubectl = replace(cluster, namespace=clusters.new_name())
    yield kubectl
    # With the label, so that the end of this process waits for it.
    kubectl.run("label", "namespace", kubectl.namespace, f"{RUN_LABEL}={test_run}")
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def editor(space: Kubectl, tmp_path: Path) -> Kubectl:
    """Return a kubectl with which somebody works who may edit the namespace and nothing else in the cluster."""
    space("create", "serviceaccount", "editor")
    space("create", "rolebinding", "editor", "--clusterrole=edit", f"--serviceaccount={space.namespace}:editor")
    config = json.loads(space("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    config["users"][0]["user"] = {"token": space("create", "token", "editor", "--duration=1h")}
    file = tmp_path / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    return replace(space, environment={**space.environment, "KUBECONFIG": str(file)})


@pytest.fixture
def space(new_namespace: NewNamespace) -> Kubectl:
    """Return a kubectl in a fresh namespace."""
    return new_namespace()


@pytest.fixture(scope="session")
def fake_nodes(cluster: Kubectl, test_run: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeNodes]:
    """Return fake nodes for this process alone. They stay until the pods on them have gone."""
    log = tmp_path_factory.mktemp("kwok") / "log"
    try:
        with nodes.started(cluster, test_run, log) as ready:
            yield ready
            _wait_until_gone(cluster, test_run)
    except LookupError as missing:
        _cannot(str(missing))


@pytest.fixture(params=CYCLES)
def bundle_folder(request: pytest.FixtureRequest, fake_nodes: FakeNodes, tmp_path: Path) -> Path:
    """Return an unpacked bundle for the fake nodes: each sample, six real solutions, six random graphs."""
    source, _, name = request.param.partition(" ")
    files, options = _solution(request, source, name)
    return unpack(built(files, fake_nodes.options(options), static=whole()), tmp_path / "bundle")


def _solution(request: pytest.FixtureRequest, source: str, name: str) -> tuple[SolutionFiles, dict[str, object]]:
    if source == "graph":
        made = graph(int(name))
        return made.files, made.options
    if source == "sample":
        return dict(samples())[name], sample_options(name)
    return dict(corpus(request.getfixturevalue("test_data")))[name], {}
