"""The finishing script beside one kubectl per file, as Graphene's script works: a hundred nodes into a new namespace.

Neither waits for pods, and none run. Unmeasured where `KUBECONFIG` names no cluster.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from support.bundles import built, unpack, whole
from support.cluster import Kubectl, found, new_name
from support.costs import Cost, measured
from support.finishing import command

from tests.bench import pipelines
from tests.bench.rows import ROUNDS, Row

NODES = 100
# The nodes have no pods, and the orchestrator's finds no machine: only the writing is measured.
OPTIONS = {"replicas": 0, "nodeSelector": {"slipway.dev/fake-nodes": "none"}}
NAMES = (
    "finishing script, 100 nodes: until applied",
    "finishing script, 100 nodes: CPU with kubectl",
    "finishing script, 100 nodes: CPU of its own",
)
PEER = "one kubectl per file"
# In a process of its own, so that what its children cost is counted in the same way.
ONE_BY_ONE = """
import pathlib, subprocess, sys
kubectl, namespace, folder = sys.argv[1:]
subprocess.run([kubectl, "create", "namespace", namespace], check=True)
for part in ("deployments", "policies"):
    for file in sorted(pathlib.Path(folder, part).glob("*.yaml")):
        subprocess.run([kubectl, "apply", "-n", namespace, "-f", str(file)], check=True)
"""


def rows() -> Iterator[Row]:
    """Yield the time until everything is applied, and the processor's time."""
    with tempfile.TemporaryDirectory() as desk:
        try:
            kubectl = found(Path(desk))
        except LookupError:
            yield from (Row(name, None, "s") for name in NAMES)
            return
        ours, theirs = _measure(kubectl, Path(desk))
    wall, peers_wall = (median(cost.seconds for cost in costs) for costs in (ours, theirs))
    work, peers_work = (median(cost.all_seconds for cost in costs) for costs in (ours, theirs))
    yield Row(NAMES[0], wall, "s", peers_wall, PEER, most_ratio=0.5)
    yield Row(NAMES[1], work, "s", peers_work, PEER, most=5)
    yield Row(NAMES[2], median(cost.own_seconds for cost in ours), "s", most=2)


def _measure(kubectl: Kubectl, desk: Path) -> tuple[list[Cost], list[Cost]]:
    """Measure both in turn, after one round that does not count."""
    folder = unpack(built(pipelines.files(NODES), OPTIONS, static=whole()), desk / "bundle")

    def ours(space: Kubectl) -> list[str]:
        return command(space, folder, "--timeout", "0")

    def theirs(space: Kubectl) -> list[str]:
        return [sys.executable, "-c", ONE_BY_ONE, space.program, space.namespace, str(folder)]

    pairs = [(_once(kubectl, ours, desk), _once(kubectl, theirs, desk)) for _ in range(1 + ROUNDS)]
    return [first for first, _ in pairs[1:]], [second for _, second in pairs[1:]]


def _once(kubectl: Kubectl, program: Callable[[Kubectl], list[str]], desk: Path) -> Cost:
    """Run a program for a namespace that is not there yet and goes afterwards."""
    space = replace(kubectl, namespace=new_name())
    try:
        cost = measured(program(space), space, desk)
    finally:
        kubectl("delete", "namespace", space.namespace, "--ignore-not-found")
    if cost.status:
        raise AssertionError(cost.output)
    return cost
