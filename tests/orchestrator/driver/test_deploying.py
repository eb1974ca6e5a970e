"""What a release applies and in which order, when others deploy at the same time and when jobs have to end before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.namespace_api import NamespaceApi, serving

from orchestrator.driver import bundle_folder, deploying, ownership
from orchestrator.driver.cluster import Cluster
from orchestrator.driver.errors import DeadlineError, RunFailedError
from shared.deadline import Deadline
from shared.errors import ConflictError, UpstreamError
from shared.workflows import turns

API_OF = {"Deployment": "apps/v1", "Job": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1"}
READY = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}
COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "message": "no luck with the seed"}]}


def made(kind: str, name: str, **labels: str) -> dict[str, Any]:
    """Return an object of the solution `calculator`."""
    metadata = {"name": name, "labels": {"app.kubernetes.io/instance": "calculator", **labels}}
    return {"apiVersion": API_OF.get(kind, "v1"), "kind": kind, "metadata": metadata}


def job(name: str, turn: int) -> dict[str, Any]:
    return turns.annotated(made("Job", name), turn)


def ended_well(manifest: dict[str, Any]) -> dict[str, Any]:
    return {"Deployment": READY, "Job": COMPLETE}.get(manifest["kind"], {})


@pytest.fixture
def api() -> Iterator[NamespaceApi]:
    with serving() as found:
        found.then = ended_well
        yield found


@pytest.fixture
def cluster(api: NamespaceApi, tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "token").write_text("token-of-this-pod")
    with Cluster(api.url, tmp_path, "ml", pause=0) as found:
        yield found


def deploy(cluster: Cluster, release: str, *manifests: dict[str, Any], seconds: float = 10) -> None:
    marked = [bundle_folder.marked(manifest, release, None) for manifest in manifests]
    deploying.apply(cluster, marked, release, Deadline.after(seconds))


def releases(api: NamespaceApi) -> dict[str, str]:
    return {place: found["metadata"]["labels"]["slipway.dev/release"] for place, found in api.objects.items()}


def test_of_two_releases_that_found_all_names_free_only_one_gets_them(api: NamespaceApi, cluster: Cluster) -> None:
    solution = [made("Service", "adder"), made("Deployment", "adder"), made("PersistentVolumeClaim", "data")]
    ownership.refuse_foreign(cluster, [bundle_folder.marked(each, "two", None) for each in solution], "two")
    deploy(cluster, "one", *solution)

    with pytest.raises(ConflictError, match="not of the release two, left untouched: Service/adder"):
        deploy(cluster, "two", *solution)

    assert releases(api) == {"services/adder": "one", "deployments/adder": "one", "persistentvolumeclaims/data": "one"}


def test_who_makes_an_object_between_a_look_and_a_call_keeps_it(api: NamespaceApi, cluster: Cluster) -> None:
    others = bundle_folder.marked(made("Service", "adder"), "one", None)

    def quicker(method: str, _path: str) -> None:
        if method == "POST":
            api.put("services", others)

    api.before = quicker

    with pytest.raises(ConflictError, match="not of the release two"):
        deploy(cluster, "two", made("Service", "adder"))

    assert releases(api) == {"services/adder": "one"}


def test_an_object_that_another_release_has_made_anew_meanwhile_is_left_untouched(
    api: NamespaceApi, cluster: Cluster
) -> None:
    deploy(cluster, "two", made("Service", "adder"))

    def anew(method: str, _path: str) -> None:
        if method == "PATCH":
            api.put("services", bundle_folder.marked(made("Service", "adder"), "one", None))

    api.before = anew

    with pytest.raises(UpstreamError, match="field is immutable"):
        deploy(cluster, "two", made("Service", "adder"))

    assert releases(api) == {"services/adder": "one"}


def test_a_release_that_is_deployed_again_takes_back_what_somebody_has_changed(
    api: NamespaceApi, cluster: Cluster
) -> None:
    deploy(cluster, "one", made("Service", "adder", tier="gold"))
    api.objects["services/adder"]["metadata"]["labels"]["tier"] = "silver"

    deploy(cluster, "one", made("Service", "adder", tier="gold"))

    assert api.objects["services/adder"]["metadata"]["labels"]["tier"] == "gold"
    assert api.objects["services/adder"]["metadata"]["uid"] == "uid-1"


def test_an_object_whose_making_was_told_by_nobody_is_our_own(api: NamespaceApi, cluster: Cluster) -> None:
    lost = bundle_folder.marked(made("Service", "adder"), "one", None)

    def answer_got_lost(method: str, _path: str) -> None:
        if method == "POST":
            api.put("services", lost)

    api.before = answer_got_lost

    deploy(cluster, "one", made("Service", "adder"))

    assert releases(api) == {"services/adder": "one"}


def test_a_claim_is_taken_over_from_an_earlier_release_once_all_else_is_ours(
    api: NamespaceApi, cluster: Cluster
) -> None:
    api.put("persistentvolumeclaims", bundle_folder.marked(made("PersistentVolumeClaim", "data"), "last-week", None))

    deploy(cluster, "one", made("PersistentVolumeClaim", "data"), made("Deployment", "adder"), made("Service", "adder"))

    assert api.written == ["services/adder", "persistentvolumeclaims/data", "deployments/adder"]
    assert api.objects["persistentvolumeclaims/data"]["metadata"]["uid"] == "uid-1"
    assert releases(api)["persistentvolumeclaims/data"] == "one"


def test_jobs_run_one_after_the_other_before_what_is_called(
    api: NamespaceApi, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploying, "_PAUSE_SECONDS", 0.01)
    looks: dict[str, int] = {}

    def ends_at_the_second_look(method: str, path: str) -> None:
        name = path.rpartition("/")[2]
        if method == "GET" and f"jobs/{name}" in api.objects:
            looks[name] = looks.get(name, 0) + 1
            api.objects[f"jobs/{name}"]["status"] = COMPLETE if looks[name] == 2 else {}

    api.then = lambda manifest: READY if manifest["kind"] == "Deployment" else {}
    api.before = ends_at_the_second_look

    deploy(
        cluster, "one", made("Deployment", "adder"), made("NetworkPolicy", "nodes"), job("seed-two", 2), job("seed", 1)
    )

    assert api.written == ["networkpolicies/nodes", "jobs/seed", "jobs/seed-two", "deployments/adder"]
    assert looks == {"seed": 2, "seed-two": 2}


def test_a_job_that_fails_fails_the_deployment_before_the_next_one_begins(api: NamespaceApi, cluster: Cluster) -> None:
    api.then = lambda _: FAILED

    with pytest.raises(RunFailedError, match="seed: no luck with the seed"):
        deploy(cluster, "one", job("seed", 1), job("seed-two", 2), made("Deployment", "adder"))

    assert api.written == ["jobs/seed"]


def test_the_time_to_deploy_is_that_of_the_jobs_too(api: NamespaceApi, cluster: Cluster) -> None:
    api.then = lambda _: {}

    with pytest.raises(DeadlineError, match="not ready in time: seed: running"):
        deploy(cluster, "one", job("seed", 1), made("Deployment", "adder"), seconds=0.01)

    assert api.written == ["jobs/seed"]


def test_a_job_without_a_turn_is_applied_with_the_nodes(api: NamespaceApi, cluster: Cluster) -> None:
    api.then = lambda manifest: COMPLETE if "deployments/adder" in api.objects else ended_well(manifest)

    deploy(cluster, "one", made("Deployment", "adder"), made("Job", "called"))

    assert api.written == ["deployments/adder", "jobs/called"]
