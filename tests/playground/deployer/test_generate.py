"""The bundle that is pushed: the same objects as for any cluster, and no files that the playground has no use for."""

from __future__ import annotations

import pytest
from support.bundles import sample_options
from support.solutions import ROOT, read

from kubernetes_client.generate import DEPLOYER as TO_DOWNLOAD
from playground.deployer.generate import DEPLOYER
from shared import deployer
from shared.bundle import Bundle
from shared.deployer import Assets, Deployer, Images
from shared.solution import Ids

IMAGES = Images(orchestrator="slipway/orchestrator:0.1.0")


def built(chosen: Deployer[object], sample: str = "word-count") -> Bundle:
    files = read(ROOT / "samples" / sample, ids=Ids.parse(sample, "r1"))
    return chosen.build(files, chosen.parse_options(sample_options(sample)), Assets(chosen.load_files(), IMAGES))


@pytest.mark.parametrize("sample", ["word-count", "sensor-stream", "sentiment"])
def test_what_is_applied_is_what_a_cluster_gets(sample: str) -> None:
    pushed, downloaded = built(DEPLOYER, sample), built(TO_DOWNLOAD, sample)

    left_out = {path for path in downloaded.files if path not in pushed.files}
    assert left_out <= {
        "kubernetes-client-script.py",
        "requirements.txt",
        "protobuf/orchestrator.proto",
        *(path for path in left_out if path.startswith("orchestrator_client/")),
    }
    kept = {path: data for path, data in downloaded.files.items() if path in pushed.files}
    assert {path for path in kept if kept[path] != pushed.files[path]} == {"deployment-readme.txt"}


def test_a_pushed_bundle_is_small() -> None:
    assert sum(map(len, built(DEPLOYER).sealed.values())) < 70_000


def test_a_bundle_says_who_made_it() -> None:
    assert built(DEPLOYER).about["deployer"] == "playground-deployer"


def test_the_command_line_finds_the_deployer() -> None:
    assert deployer.named("playground-deployer") is DEPLOYER
