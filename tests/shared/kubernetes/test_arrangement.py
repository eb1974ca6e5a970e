"""Which folder an object is in: the number of files that Graphene's playground counts."""

from __future__ import annotations

from typing import Any

import pytest
from support.solutions import assets, folders, model, node, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.kubernetes import arrangement
from shared.solution import Role, Solution


def _paths(solution: Solution, options: dict[str, Any] | None = None) -> list[str]:
    return sorted(objects(generate(solution, DEPLOYER.parse_options(options or {}), assets())))


def test_a_model_has_graphene_s_file_names() -> None:
    assert _paths(model()) == [
        "deployments/deployment.yaml",
        "deployments/service.yaml",
        "deployments/service_webui.yaml",
        "policies/networkpolicy-egress.yaml",
        "policies/networkpolicy-model.yaml",
    ]


def test_of_a_model_with_many_objects_the_web_ui_moves_first() -> None:
    solution = model(shared_folders=folders("/data/shared"))

    assert [path for path in _paths(solution, {"profile": "restricted"}) if "policy" not in path] == [
        "deployments/deployment.yaml",
        "deployments/pvc.yaml",
        "deployments/service.yaml",
        "deployments/serviceaccount.yaml",
        "policies/service_webui.yaml",
    ]


def test_a_pipeline_keeps_everything_but_policies_and_configuration_together() -> None:
    assert _paths(pipeline("a")) == [
        "deployments/a_deployment.yaml",
        "deployments/a_service.yaml",
        "deployments/a_service_webui.yaml",
        "deployments/orchestrator_deployment.yaml",
        "deployments/orchestrator_service.yaml",
        "policies/configmap-pipeline-1.yaml",
        "policies/networkpolicy-egress.yaml",
        "policies/networkpolicy-nodes.yaml",
        "policies/networkpolicy-orchestrator.yaml",
        "policies/networkpolicy-web-uis.yaml",
    ]


@pytest.mark.parametrize(
    ("solution", "moved"),
    [
        (pipeline("a"), ["networkpolicy-egress.yaml"]),
        (
            pipeline(node("split", role=Role.SPLITTER, image=None)),
            ["networkpolicy-egress.yaml", "networkpolicy-nodes.yaml", "networkpolicy-orchestrator.yaml"],
        ),
    ],
    ids=["one node", "no workload"],
)
def test_a_very_small_pipeline_reaches_five_files_with_policies(solution: Solution, moved: list[str]) -> None:
    deployments = [path for path in _paths(solution, {"webui": False}) if path.startswith("deployments/")]

    assert len(deployments) == 5
    assert [path.removeprefix("deployments/") for path in deployments if "networkpolicy" in path] == moved


def test_config_maps_never_move_to_where_graphene_applies_them() -> None:
    config_map: dict[str, Any] = {"kind": "ConfigMap"}

    assert list(arrangement.pipeline({}, {"configmap-1.yaml": config_map})) == ["policies/configmap-1.yaml"]


def test_splitter_and_collator_have_no_objects() -> None:
    solution = pipeline(
        "a", node("split", role=Role.SPLITTER, image=None), node("join", role=Role.COLLATOR, image=None)
    )

    assert not [path for path in _paths(solution) if "split" in path or "join" in path]
