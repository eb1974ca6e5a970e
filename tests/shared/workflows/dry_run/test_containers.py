"""Where volumes and artifacts are in a container, and what may not be such a place."""

from __future__ import annotations

import pytest
from support.dry_runs import container, workflow

from shared.workflows.dry_run.outcome import PackageError


@pytest.mark.parametrize("place", ["/../../programs/good_1/a", "/x/./a", "x", "/", "//", "/x/.."])
def test_nothing_is_mounted_where_it_could_lead_elsewhere(bench, place):
    mounts = [{"name": "files", "mountPath": place}, {"name": "files", "mountPath": place + "b"}]
    body = {"image": "good:1", "volumeMounts": mounts}

    with pytest.raises(PackageError, match="mountPath: expected a path such as /data"):
        bench.run(workflow({"name": "main", "container": body}, volumes=[{"name": "files", "emptyDir": {}}]))


def test_an_artifact_has_a_path_of_its_own(bench):
    made = {"artifacts": [{"name": "a", "path": "/x/../../y"}]}

    with pytest.raises(PackageError, match="path: expected a path such as /data"):
        bench.run(workflow(container("main", outputs=made)))
