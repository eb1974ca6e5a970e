"""A pipeline of a hundred nodes, applied by the finishing script: what that costs the machine and the API server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.bundles import built, manifests, unpack, whole
from support.cluster import Kubectl
from support.costs import Cost, as_somebody, counting_calls, measured
from support.fake_nodes import FakeNodes
from support.finishing import command

from tests.bench import pipelines

NODES = 100
SECONDS = "200"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One run of the script."""

    cost: Cost
    calls: list[str]
    """The arguments of every kubectl that it started."""
    requests: list[str]


@pytest.fixture
def audit_log() -> Path:
    """Return the log of the API server."""
    log = Path(os.environ.get("SLIPWAY_AUDIT_LOG", "/nonexistent"))
    if not log.is_file():
        message = (
            "no audit log to count requests with: set SLIPWAY_AUDIT_LOG, or use the cluster of tests/cluster/start"
        )
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return log


@pytest.fixture
def folder(fake_nodes: FakeNodes, tmp_path: Path) -> Path:
    """Return the unpacked bundle of the pipeline."""
    return unpack(built(pipelines.files(NODES), fake_nodes.options({}), static=whole()), tmp_path / "bundle")


def _deployed(unmade: Kubectl, folder: Path, audit_log: Path, desk: Path) -> Deployment:
    """Run the script once, as somebody who has never asked this cluster anything."""
    desk.mkdir()
    with as_somebody(unmade, audit_log, desk) as (kubectl, somebody):
        counted, calls = counting_calls(kubectl, desk)
        cost = measured(command(counted, folder, "--timeout", SECONDS), counted, desk)
        assert cost.status == 0, cost.output
        return Deployment(cost, calls.read_text(encoding="utf-8").splitlines(), somebody.requests())


def test_a_hundred_nodes_take_few_calls_few_requests_and_little_work(
    unmade: Kubectl, folder: Path, audit_log: Path, tmp_path: Path
) -> None:
    objects = len(manifests(folder))

    first = _deployed(unmade, folder, audit_log, tmp_path / "first")
    again = _deployed(unmade, folder, audit_log, tmp_path / "again")

    assert objects > 300
    assert max(len(first.calls), len(again.calls)) <= 10, (first.calls, again.calls)
    assert objects < min(len(first.requests), len(again.requests))
    assert max(len(first.requests), len(again.requests)) <= 2 * objects
    assert max(first.cost.own_seconds, again.cost.own_seconds) < 2
    # Three seconds on a quiet machine, five where others work, too. A kubectl for each of the files takes many times that.
    assert max(first.cost.all_seconds, again.cost.all_seconds) < 10
