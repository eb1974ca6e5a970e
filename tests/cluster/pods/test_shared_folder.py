"""Nodes that are different users share a folder, on a volume that at first belongs to root alone."""

from __future__ import annotations

import json

from support.cluster import Kubectl
from support.running import Running

CLAIM = "roots-own"


def python(running: Running, node: str, program: str) -> str:
    """Run a Python program in the container of a node, as its user."""
    return running.kubectl("exec", f"deployment/{node}", f"--container={node}", "--", "python", "-c", program).strip()


def test_what_a_node_writes_another_user_reads(word_count: Running) -> None:
    word_count.eventually("reporter", "report_written", 4)

    users = [python(word_count, node, "import os; print(os.getuid())") for node in ("writer", "counter", "reporter")]
    text = python(word_count, "counter", "print(open('/data/shared/report.json').read())")

    assert users == ["20001", "20002", "20003"]
    assert json.loads(text) == {
        "files": {"texts/001.txt": 54, "texts/002.txt": 61, "texts/003.txt": 38, "texts/004.txt": 39},
        "words": 192,
    }


def test_every_file_belongs_to_the_user_who_wrote_it_and_to_the_group(word_count: Running) -> None:
    word_count.eventually("reporter", "report_written", 4)

    listed = python(
        word_count,
        "counter",
        "import os; paths = ['seed.txt', 'texts/001.txt', 'report.json'];"
        "found = [os.stat('/data/shared/' + path) for path in paths];"
        "print(*[(each.st_uid, each.st_gid, oct(each.st_mode & 0o777)) for each in found])",
    )

    assert listed == "(10001, 10001, '0o664') (20001, 10001, '0o664') (20003, 10001, '0o664')"


def test_the_folder_stays_closed_to_everybody_else(word_count: Running) -> None:
    mode = python(
        word_count, "writer", "import os; found = os.stat('/data/shared'); print(found.st_gid, oct(found.st_mode))"
    )

    assert mode == "10001 0o42770"


def test_a_volume_of_this_cluster_is_closed_to_nodes_without_preparation(
    word_count: Running, space: Kubectl, images: dict[str, str]
) -> None:
    """Without this, the tests above would say nothing: the group alone does not open the volume."""
    claim = json.loads(word_count.kubectl("get", "pvc", "shared-folder", "-o", "json"))
    volume = {"name": "folder", "persistentVolumeClaim": {"claimName": CLAIM}}
    container = {
        "name": "writer",
        "image": images["slipway/sample-writer:1"],
        "command": ["python", "-c", "open('/folder/a', 'w')"],
        "volumeMounts": [{"name": "folder", "mountPath": "/folder"}],
    }
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [volume],
        "securityContext": {"fsGroup": 10001},
    }
    space.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM},
            "spec": {key: claim["spec"][key] for key in ("accessModes", "resources", "storageClassName")},
        },
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone"}, "spec": spec},
    )

    space("wait", "pod/alone", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s")

    assert "PermissionError: [Errno 13] Permission denied: '/folder/a'" in space("logs", "alone")
