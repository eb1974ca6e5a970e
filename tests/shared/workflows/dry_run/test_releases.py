"""`deploy` on this machine: what its bundle and its arguments may be, and where names of the bundle lead."""

from __future__ import annotations

import pytest
from support.dry_runs import bundle, deploys, job

from shared.workflows.dry_run.outcome import PackageError

FILES = {"name": "files", "configMap": {"name": "code"}}
MOUNT = {"name": "files", "mountPath": "/files"}


@pytest.mark.parametrize(("release", "name"), [("x", "../../../../up"), ("../../up", "node")])
def test_names_of_what_is_deployed_name_no_files_elsewhere(bench, release, name):
    node = job(name, {"name": name, "image": "good:1", "volumeMounts": [MOUNT]}, FILES)
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": {"node.py": "x"}}

    found = bench.run(deploys(name=release), bundle(code, node))

    assert found.status == "Succeeded", found
    assert sorted(path.name for path in bench.folder.iterdir()) == ["images.json", "programs", "run-1"]


def test_what_is_deployed_deploys_nothing(bench):
    body = {"name": "a", "image": "x", "command": ["slipway-driver", "deploy"], "args": ["--bundle=/bundle"]}

    with pytest.raises(PackageError, match="Job/a: expected a pod that deploys nothing itself"):
        bench.run(deploys(), bundle(job("a", body)))


@pytest.mark.parametrize("timeout", ["abc", "-1", "nan", "inf"])
def test_a_time_of_deploy_that_is_none_is_refused(bench, timeout):
    with pytest.raises(PackageError, match="timeout: expected a number"):
        bench.run(deploys(timeout=timeout), bundle(job("a", {"image": "good:1"})))


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (None, "expected one container, found 0"),
        (5, "Job/a.spec: expected a mapping, found 5"),
        ({}, "expected one container, found 0"),
        ({"template": "x"}, 'Job/a.spec.template: expected a mapping, found "x"'),
        ({"template": {"spec": [5]}}, "Job/a.spec.template.spec: expected a mapping"),
    ],
)
def test_a_manifest_without_a_pod_is_refused(bench, spec, word):
    with pytest.raises(PackageError, match=word):
        bench.run(deploys(), bundle({"kind": "Job", "metadata": {"name": "a"}, "spec": spec}))
