"""The manifests of deploy/playground, as an operator applies them: the API server takes them, and the server runs in a pod."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from support import images as node_images
from support import playground_cluster
from support.bundles import built
from support.cluster import Kubectl
from support.images import ORCHESTRATOR, naming
from support.playground import KEY, SECRET, ZIP, bearer
from support.playground_cluster import MANIFESTS, Account
from support.playground_server import eventually
from support.reaching import forwarded
from support.solutions import ROOT, read

from shared import archive
from shared.deployer import Assets, Images
from shared.solution import Ids, RevisionId, SolutionId

SECONDS = 90.0
SAMPLE = "sensor-stream"


@pytest.fixture(scope="module")
def account(cluster: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with playground_cluster.account(cluster, Path(tmp_path_factory.mktemp("account"))) as made:
        yield made


@pytest.fixture
def here(cluster: Kubectl, account: Account) -> Kubectl:
    """Return a kubectl in the namespace of the server."""
    return replace(cluster, namespace=account.name)


def written(cluster: Kubectl, account: Account) -> list[dict[str, Any]]:
    """Return what an operator applies, for a server of another name."""
    files = [cluster("kustomize", str(MANIFESTS)), (MANIFESTS / "ingress.yaml").read_text(encoding="utf-8")]
    return [each for text in files for each in yaml.safe_load_all(text.replace("slipway-playground", account.name))]


def test_the_api_server_takes_every_field(here: Kubectl, account: Account) -> None:
    objects = written(here, account)

    answer = here(
        *("apply", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-"),
        given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}),
    )

    assert [each["kind"] for each in json.loads(answer)["items"]] == [each["kind"] for each in objects]
    assert {"Deployment", "Service", "Ingress", "ConfigMap"} <= {each["kind"] for each in objects}


@pytest.fixture
def installed(here: Kubectl, account: Account, images: Mapping[str, str], real_node: None) -> str:  # noqa: ARG001
    """Run the server in the cluster; return its address on this machine."""
    image = node_images.service("playground")
    objects = [each for each in written(here, account) if each["kind"] in {"ConfigMap", "Deployment", "Service"}]
    for each in objects:
        if each["kind"] == "Deployment":
            (container,) = each["spec"]["template"]["spec"]["containers"]
            container["image"] = image
        if each["kind"] == "ConfigMap":
            each["data"] |= account.environment(HELPER_IMAGE=images[ORCHESTRATOR])
            del each["data"]["SLIPWAY_PLAYGROUND_KUBECONFIG"], each["data"]["SLIPWAY_PLAYGROUND_INSIDE"]
    secrets = {"jwt-secret": SECRET, "push-key": KEY, "session-key": SECRET}
    literals = [f"--from-literal={name}={value}" for name, value in secrets.items()]
    here("create", "secret", "generic", account.name, *literals)
    here("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    here("rollout", "status", f"deployment/{account.name}", f"--timeout={SECONDS:.0f}s")
    return account.name


def test_a_server_in_the_cluster_runs_a_pipeline_and_reaches_it(
    installed: str, here: Kubectl, images: Mapping[str, str]
) -> None:
    files = naming(read(ROOT / "samples" / SAMPLE, ids=Ids(SolutionId(SAMPLE), RevisionId("1"))), images)
    bundle = built(files, {}, static=Assets({}, Images(orchestrator=images[ORCHESTRATOR])))
    with forwarded(here, installed, 80) as address:
        pushed = requests.post(
            f"http://{address}/v1/deployments",
            data=archive.write(bundle.sealed),
            headers={**bearer(), **ZIP},
            timeout=SECONDS,
        )
        path = f"http://{address}{pushed.headers['Location']}"

        def rates() -> list[float]:
            answer = requests.get(f"{path}/statistics", headers=bearer(), timeout=SECONDS).json()
            return [edge["messagesPerSecond"] for edge in answer["edges"]]

        flowing = eventually(lambda: (found := rates()) and all(found) and found, SECONDS)
        deleted = requests.delete(path, headers=bearer(), timeout=SECONDS)

    assert (pushed.status_code, len(flowing), deleted.status_code) == (202, 2, 202)
