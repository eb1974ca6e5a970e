"""The kubernetes runtime does what every runtime does, with the rights that its manifests give it and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support import playground_cluster
from support.cluster import Kubectl
from support.images import ORCHESTRATOR
from support.playground_cluster import Account, WithImages
from support.runtime_contract import RuntimeContract


@pytest.fixture(scope="module")
def account(cluster: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with playground_cluster.account(cluster, Path(tmp_path_factory.mktemp("account"))) as made:
        yield made


@pytest.fixture(scope="module")
def runtime(account: Account, images: Mapping[str, str], real_node: None) -> Iterator[WithImages]:  # noqa: ARG001
    settings = account.settings(HELPER_IMAGE=images[ORCHESTRATOR], KEPT_PER_USER=50, RUNNING=50)
    opened = playground_cluster.opened(settings, images)
    yield opened
    opened.runtime.close()


class TestKubernetesRuntime(RuntimeContract):
    """All in `support.runtime_contract`."""
