"""What a deployment runs to completion before the nodes that are called, in the order that its manifests say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.workflows import turns

pytestmark = pytest.mark.conformance

BUNDLE = "/etc/slipway/bundle"
ENDPOINTS = "{{$.outputs.parameters['endpoints'].output_file}}"
LATE = "import time; time.sleep(0.5); print('done')"


def workload(kind: str, name: str, image: str, **container: Any) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": name, "image": image, **container}]}}}
    return {"kind": kind, "metadata": {"name": name}, "spec": {"backoffLimit": 0, **spec}}


def deployed(*manifests: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a package whose one task deploys the manifests."""
    arguments = ["deploy", f"--bundle={BUNDLE}", "--name=r", "--namespace=ml", f"--endpoint-file={ENDPOINTS}"]
    container = {"image": "driver:1", "command": ["slipway-driver"], "args": arguments}
    made = {"endpoints": {"parameterType": "STRING"}}
    spec = {
        "pipelineInfo": {"name": "tried"},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "root": {"dag": {"tasks": {"deploy": {"taskInfo": {"name": "deploy"}, "componentRef": {"name": "deploy"}}}}},
        "components": {"deploy": {"executorLabel": "deploy", "outputDefinitions": {"parameters": made}}},
        "deploymentSpec": {"executors": {"deploy": {"container": container}}},
    }
    mount = {"configMapAsVolume": [{"configMapName": "bundle", "mountPath": BUNDLE}]}
    files = {f"{number}.yaml": json.dumps(manifest) for number, manifest in enumerate(manifests)}
    return [
        spec,
        {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"deploy": mount}}}}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bundle"}, "data": files},
    ]


@pytest.fixture
def bench(bench):
    bench.program("late:1", LATE)
    return bench


def test_a_job_begins_when_the_one_before_has_ended_and_a_node_when_all_have(bench):
    jobs = [
        turns.annotated(workload("Job", "quick", "good:1"), 2),
        turns.annotated(workload("Job", "late", "late:1"), 1),
    ]
    probe = {"startupProbe": {"tcpSocket": {"port": 8061}, "periodSeconds": 1}}
    node = workload("Deployment", "node", "listens:1", ports=[{"containerPort": 8061}], **probe)

    found = bench.run(*deployed(*jobs, node))

    assert found.status == "Succeeded", bench.lines
    ended = [line for line in bench.lines if line.startswith("r.")]
    assert ended == ["r.late: Succeeded", "r.quick: Succeeded", "r.node: ready"]


def test_a_job_that_fails_leaves_the_others_out(bench):
    jobs = [
        turns.annotated(workload("Job", "first", "bad:1"), 1),
        turns.annotated(workload("Job", "next", "good:1"), 2),
    ]

    found = bench.run(*deployed(*jobs))

    assert found.status == "Failed"
    assert [line.partition(":")[0] for line in bench.lines if line.startswith("r.")] == ["r.first"]
