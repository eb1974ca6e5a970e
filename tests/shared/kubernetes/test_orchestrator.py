"""The orchestrator's pod."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.solutions import assets, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.deployer import Assets
from shared.orchestration.pipeline_files import join
from shared.solution import Solution


def _objects(options: dict[str, Any], solution: Solution | None = None) -> dict[str, dict[str, Any]]:
    return objects(generate(solution or pipeline("a", "b"), DEPLOYER.parse_options(options), assets()))


def _container(made: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (container,) = made["deployments/orchestrator_deployment.yaml"]["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = container
    return found


def _digest(made: dict[str, dict[str, Any]]) -> str:
    template = made["deployments/orchestrator_deployment.yaml"]["spec"]["template"]
    return str(template["metadata"]["annotations"]["slipway.dev/pipeline-digest"])


def test_it_is_told_where_its_pipeline_is_and_to_start_it() -> None:
    container = _container(_objects({}))

    assert container["env"] == [
        {"name": "SLIPWAY_PIPELINE_DIRECTORY", "value": "/etc/slipway/pipeline"},
        {"name": "SLIPWAY_AUTOSTART", "value": "true"},
    ]
    assert {"name": "pipeline", "mountPath": "/etc/slipway/pipeline", "readOnly": True} in container["volumeMounts"]


def test_it_waits_for_a_client_when_it_is_not_to_start_by_itself() -> None:
    assert {"name": "SLIPWAY_AUTOSTART", "value": "false"} in _container(_objects({"autostart": False}))["env"]


def test_it_finds_the_same_files_that_lie_in_the_bundle() -> None:
    bundle = generate(pipeline("a", "b"), DEPLOYER.parse_options({}), assets())

    maps = [made for made in objects(bundle).values() if made["kind"] == "ConfigMap"]
    found = join({name: text.encode() for made in maps for name, text in made["data"].items()})
    assert found == {
        "blueprint.json": bundle.files["blueprint.json"],
        "dockerinfo.json": bundle.files["dockerinfo.json"],
        "a.proto": bundle.files["microservice/a.proto"],
        "b.proto": bundle.files["microservice/b.proto"],
    }


def test_a_large_pipeline_has_several_config_maps_and_one_volume() -> None:
    solution = pipeline(*(f"n{number}" for number in range(30)))
    large = replace(solution, protos={node.name: b"//" + b"x" * 20_000 for node in solution.nodes})

    made = _objects({}, large)

    names = [m["metadata"]["name"] for m in made.values() if m["kind"] == "ConfigMap"]
    pod = made["deployments/orchestrator_deployment.yaml"]["spec"]["template"]["spec"]
    (volume,) = [volume for volume in pod["volumes"] if "projected" in volume]
    assert [source["configMap"]["name"] for source in volume["projected"]["sources"]] == names
    assert len(names) == 4


def test_a_changed_pipeline_restarts_it() -> None:
    changed = pipeline("a", "b", protos={"a": b"// changed\n"})

    assert _digest(_objects({})) == _digest(_objects({}))
    assert _digest(_objects({}, changed)) != _digest(_objects({}))


def test_there_is_never_more_than_one() -> None:
    spec = _objects({"replicas": 3})["deployments/orchestrator_deployment.yaml"]["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_it_is_hardened_whatever_the_profile() -> None:
    made = _objects({})

    pod = made["deployments/orchestrator_deployment.yaml"]["spec"]["template"]["spec"]
    assert pod["securityContext"] == {
        "seccompProfile": {"type": "RuntimeDefault"},
        "runAsNonRoot": True,
        "runAsUser": 10001,
    }
    assert _container(made)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "temporary", "emptyDir": {"sizeLimit": "1Gi"}} in pod["volumes"]


def test_without_a_configured_image_it_is_ours_with_a_warning() -> None:
    bundle = generate(pipeline("a"), DEPLOYER.parse_options({}), Assets())

    assert _container(objects(bundle))["image"] == "slipway/orchestrator:0.1.0"
    assert [finding.code for finding in bundle.findings.warnings] == ["orchestrator-image-missing"]
