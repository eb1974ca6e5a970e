"""What Argo keeps of cached steps, and the script: removed before it is full, and with everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.argo_desk import calls, cluster, lay_out, run, write
from support.workflows import argo, chain

from shared.finishing.argo_caches import bytes_in

pytestmark = pytest.mark.conformance

KIB = 1024
ENTRY = "x" * (4 * KIB - 4)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Unpack a bundle with a step that is cached, and put a kubectl beside it."""
    folder = lay_out(tmp_path)
    for file in (folder / "argo").iterdir():
        file.unlink()
    write(folder, argo(chain("a", "b", "c"), caching={}))
    return folder


def cache(folder: Path, step: str, *, kib: int = 4, namespace: str = "argo", of: str = "flows") -> dict[str, Any]:
    """Return what Argo has made for a step of this workflow, in the namespace of its controller."""
    template = yaml.safe_load((folder / "argo" / "workflow-template.yaml").read_bytes())
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{of}.{template['metadata']['name']}-cache-{step}",
            "namespace": namespace,
            "labels": {"workflows.argoproj.io/configmap-type": "Cache"},
        },
        "data": {f"k{number:03}": ENTRY for number in range(kib // 4)},
    }


def there(folder: Path) -> list[str]:
    """Return the caches that are there."""
    names = [each["metadata"]["name"] for each in cluster(folder)["objects"] if each["kind"] == "ConfigMap"]
    return sorted(name.partition("-cache-")[2] for name in names if "-cache-" in name)


def with_caches(folder: Path, *caches: dict[str, Any], **changes: Any) -> None:
    cluster(folder, objects=[*cluster(folder)["objects"], *caches], **changes)


def test_keys_and_values_count():
    assert bytes_in({"data": {"k001": ENTRY}}) == 4 * KIB
    assert bytes_in({"data": {"k": "é"}}) == 3
    assert bytes_in({}) == 0


def test_a_submission_removes_a_cache_that_is_nearly_full(bundle: Path):
    with_caches(bundle, cache(bundle, "small", kib=768), cache(bundle, "large", kib=772))

    ended = run(bundle, "submit")

    assert (ended.returncode, ended.stderr, there(bundle)) == (0, "", ["small"])
    assert "-cache-large was nearly full (772 KiB of 1024) and is removed" in ended.stdout


def test_caches_of_others_stay(bundle: Path):
    foreign = cache(bundle, "large", kib=800, of="other")
    unlabelled = cache(bundle, "own", kib=800)
    unlabelled["metadata"]["labels"] = {}
    with_caches(bundle, foreign, unlabelled)

    run(bundle, "submit")
    run(bundle, "delete")

    assert there(bundle) == ["large", "own"]


def test_who_may_not_look_elsewhere_looks_in_the_namespace(bundle: Path):
    with_caches(
        bundle, cache(bundle, "here", kib=800, namespace="flows"), cache(bundle, "there", kib=800), confined=True
    )

    ended = run(bundle, "submit")

    assert (ended.returncode, ended.stderr, there(bundle)) == (0, "", ["there"])


def test_who_may_look_and_not_delete_is_told_who_can(bundle: Path):
    with_caches(bundle, cache(bundle, "large", kib=800), watching=True)

    ended = run(bundle, "submit")

    assert (ended.returncode, there(bundle)) == (0, ["large"])
    assert "-cache-large stays: you may not delete ConfigMaps in namespace argo" in ended.stderr


def test_a_workflow_that_caches_nothing_is_not_asked_about(tmp_path: Path):
    folder = lay_out(tmp_path)

    run(folder, "submit")

    assert not any("--all-namespaces" in call for call in calls(folder))


def test_deleting_removes_the_caches_of_earlier_revisions_too(bundle: Path):
    with_caches(bundle, cache(bundle, "step-of-before"))

    ended = run(bundle, "delete")

    assert (ended.returncode, there(bundle)) == (0, [])
    assert "1 objects deleted" in ended.stdout
