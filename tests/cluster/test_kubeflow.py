"""What the Kubeflow deployer emits, shown to a real API server that knows Kubeflow's kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.bundles import sample_options, unpack
from support.cluster import RUN_LABEL, Kubectl
from support.definitions import defined
from support.kubeflow_bundles import OPTIONS, built, every_bundle, objects
from support.solutions import samples

from shared.errors import InvalidOptionsError

pytestmark = pytest.mark.xdist_group("kubeflow-definitions")

DRY_RUN = ("--dry-run=server", "--validate=strict")
APPLY = ("apply", "--server-side", *DRY_RUN)
GRAPHS = 100
AT_ONCE = 40  # bundles


@pytest.fixture(scope="module", autouse=True)
def known(cluster: Kubectl, test_run: str, test_data: Path) -> Iterator[None]:
    """Let the API server know Kubeflow's kinds until no namespace of this process holds any of them."""
    files = sorted((test_data / "schemas" / "crds").glob("pipeline*.pipelines.kubeflow.org.yaml"))
    with defined(cluster, files, "kubeflow"):
        yield
        cluster("delete", "namespace", "-l", f"{RUN_LABEL}={test_run}", "--timeout=180s", seconds=190)


def test_every_object_is_accepted_in_every_mode_without_a_warning(space: Kubectl, test_data: Path) -> None:
    every = every_bundle(test_data, GRAPHS, OPTIONS)
    bundles = [objects(made) for _, _, made in every if not isinstance(made, InvalidOptionsError)]

    for start in range(0, len(bundles), AT_ONCE):
        emitted = [each for bundle in bundles[start : start + AT_ONCE] for each in bundle.values()]
        ended = space.run(*APPLY, "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": emitted}))
        assert ended.err == ""
        assert len(ended.out.splitlines()) == len(emitted)
    kinds = {each["kind"] for bundle in bundles for each in bundle.values()}
    assert kinds >= {"Pipeline", "PipelineVersion", "ConfigMap", "Role", "RoleBinding", "PersistentVolumeClaim"}
    assert len(bundles) >= 250


@pytest.mark.parametrize("sample", ["code-breaker", "word-count"])
def test_a_stored_version_is_the_emitted_one(space: Kubectl, tmp_path: Path, sample: str) -> None:
    bundle = built(dict(samples())[sample], **sample_options(sample))
    folder = unpack(bundle, tmp_path / "bundle")

    space("apply", "--server-side", "-k", str(folder))
    space("apply", "--server-side", "-k", str(folder / "kubeflow" / "native"))

    (stored,) = json.loads(space("get", "pipelineversions", "-o", "json"))["items"]
    emitted: dict[str, Any] = objects(bundle)["kubeflow/native/pipeline-version.yaml"]
    assert stored["metadata"]["name"] == emitted["metadata"]["name"]
    assert stored["spec"] == emitted["spec"]
