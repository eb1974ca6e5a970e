"""Graphene's probe: there with its images, else a finding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.solutions import IMAGES, assets, node, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.bundle import Bundle
from shared.deployer import Assets, Images
from shared.solution import Role, Solution

OWN = node("viewer", role=Role.PROBE, image=None, operations=())


def _built(solution: Solution, options: dict[str, Any] | None = None, images: Images = IMAGES) -> Bundle:
    return generate(solution, DEPLOYER.parse_options(options or {}), Assets(images=images))


def test_an_author_who_asks_for_it_gets_it_with_nginx_beside_it() -> None:
    made = objects(_built(pipeline("a", probe=True)))

    pod = made["deployments/probe_deployment.yaml"]["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["probe", "nginx"]
    assert [container["image"] for container in pod["containers"]] == [IMAGES.probe, IMAGES.nginx]
    assert made["deployments/probe_service.yaml"]["spec"]["ports"][0]["targetPort"] == 5006


def test_it_finds_the_protos_in_the_config_maps_not_on_the_machine() -> None:
    made = objects(_built(pipeline("a", probe=True)))

    pod = made["deployments/probe_deployment.yaml"]["spec"]["template"]["spec"]
    assert [sorted(volume) for volume in pod["volumes"]] == [["name", "projected"]]


def test_a_probe_node_keeps_its_name() -> None:
    bundle = _built(pipeline("a", OWN))

    assert "deployments/viewer_deployment.yaml" in bundle.files
    names = [entry["container_name"] for entry in json.loads(bundle.files["dockerinfo.json"])["docker_info_list"]]
    assert names == ["a", "viewer", "orchestrator"]


def test_nobody_gets_a_probe_that_was_not_asked_for() -> None:
    assert not [path for path in _built(pipeline("a")).files if "probe" in path]


@pytest.mark.parametrize(
    ("solution", "options", "images", "found"),
    [
        (pipeline("a", probe=True), {}, Images("o"), "no image configured for it"),
        (pipeline("a", OWN), {}, Images("o", probe="p"), "no image configured for its nginx"),
        (pipeline("a", probe=True), {"profile": "restricted"}, IMAGES, "profile restricted: its nginx runs as root"),
        (pipeline("probe", probe=True), {}, IMAGES, "a node that is called probe itself"),
    ],
    ids=["no image", "no nginx", "restricted", "name taken"],
)
def test_a_probe_that_cannot_be_had_is_a_warning(
    solution: Solution, options: dict[str, Any], images: Images, found: str
) -> None:
    bundle = _built(solution, options, images)

    assert [(finding.code, finding.found) for finding in bundle.findings.warnings] == [("probe-left-out", found)]
    workloads = [made for made in objects(bundle).values() if made["kind"] == "Deployment"]
    assert len(workloads) == 2


def test_variables_and_users_of_the_nodes_are_not_the_probe_s() -> None:
    options = {"environment": {"TOKEN": "x"}, "runAsUser": 1000, "gpu": {}}

    made = objects(generate(pipeline("a", probe=True), DEPLOYER.parse_options(options), assets()))

    pod = made["deployments/probe_deployment.yaml"]["spec"]["template"]["spec"]
    assert "TOKEN" not in str(pod)
    assert "runAsUser" not in pod["securityContext"]
    assert "nvidia.com/gpu" not in str(pod)
