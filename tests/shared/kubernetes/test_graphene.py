"""Bundles in the hands of Graphene's finishing script and playground."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support import graphene
from support.graphs import graph
from support.solutions import ROOT, assets, read

from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle
from shared.solution import SolutionFiles
from shared.solution_folder import from_files

GOLDEN = ROOT / "tests" / "golden"
PIPELINES = ["pipeline", "shared-folders", "restricted", "probe", "splitter-collator", "hostile-names", "one-node"]


def _golden(case: str) -> Bundle:
    options = DEPLOYER.parse_options(json.loads((GOLDEN / case / "options.json").read_bytes()))
    return DEPLOYER.build(read(GOLDEN / case), options, assets())


def _built(files: SolutionFiles, options: Mapping[str, Any] | None = None) -> dict[str, bytes]:
    return dict(DEPLOYER.build(files, DEPLOYER.parse_options(options or {}), assets()).sealed)


@pytest.mark.parametrize("case", PIPELINES)
def test_the_script_runs_through_a_pipeline_and_finds_a_port_for_every_node(case: str) -> None:
    script = graphene.Script(dict(_golden(case).sealed))

    script.run()

    entries = json.loads(script.files["dockerinfo.json"])["docker_info_list"]
    assert [entry["port"] for entry in entries] == [script.ports[entry["container_name"]] for entry in entries]
    assert entries[-1]["container_name"] == "orchestrator"


def test_the_script_runs_through_a_model() -> None:
    script = graphene.Script(dict(_golden("model").sealed))

    script.run()

    names = [manifest["metadata"]["name"] for manifest in script.applied if manifest["kind"] == "Service"]
    assert len(names) == 2
    assert names[0] == f"{names[1]}webui"


@pytest.mark.parametrize("case", ["pipeline", "shared-folders", "hostile-names", "model"])
def test_the_web_ui_service_is_the_one_that_the_script_derives(case: str) -> None:
    ours = dict(_golden(case).sealed)
    script = graphene.Script(dict(ours))

    script.run()

    web_uis = [path for path in ours if path.endswith("_webui.yaml")]
    assert web_uis
    for path in web_uis:
        expected, derived = graphene.load(ours[path]), graphene.load(script.files[path])
        del derived["spec"]["ports"][0]["nodePort"]
        derived["spec"]["ports"][0]["port"] = 8062
        assert derived == expected


def test_every_container_takes_the_pull_policy_and_the_variables_of_the_script() -> None:
    script = graphene.Script(dict(_golden("shared-folders").sealed), pull_policy="Always")

    script.run()

    pods = [m["spec"]["template"]["spec"] for m in script.applied if m["kind"] == "Deployment"]
    assert len(pods) == 3
    for pod in pods:
        assert [container["imagePullPolicy"] for container in pod["containers"]] == ["Always"]
        assert [variable["name"] for variable in pod["containers"][0]["env"]][-1] == "ADDED"


def test_the_script_never_applies_a_config_map_whose_ports_it_has_just_made_wrong() -> None:
    script = graphene.Script(dict(_golden("one-node").sealed))

    script.run()

    assert {manifest["kind"] for manifest in script.applied} == {"Deployment", "Service", "NetworkPolicy"}


def test_the_orchestrator_starts_without_the_config_maps_that_the_script_does_not_apply() -> None:
    script = graphene.Script(dict(_golden("pipeline").sealed))

    script.run()

    pods = {m["metadata"]["name"]: m["spec"]["template"]["spec"] for m in script.applied if m["kind"] == "Deployment"}
    volumes = {volume["name"]: volume for volume in pods["orchestrator"]["volumes"]}
    assert [source["configMap"]["optional"] for source in volumes["pipeline"]["projected"]["sources"]] == [True]


def test_the_script_applies_the_account_that_restricted_pods_run_under() -> None:
    script = graphene.Script(dict(_golden("restricted").sealed))

    script.run()

    accounts = {m["metadata"]["name"] for m in script.applied if m["kind"] == "ServiceAccount"}
    pods = [m["spec"]["template"]["spec"] for m in script.applied if m["kind"] == "Deployment"]
    assert {pod["serviceAccountName"] for pod in pods} == accounts


@pytest.mark.parametrize("case", PIPELINES)
def test_the_playground_takes_a_pipeline_for_one(case: str) -> None:
    assert not graphene.is_model(_golden(case).sealed)


@pytest.mark.parametrize("options", [{}, {"webui": False}, {"profile": "restricted"}])
@pytest.mark.parametrize("folders", [(), ("/data/shared",), ("/data/a", "/data/b", "/data/c")])
def test_the_playground_takes_a_model_for_one(options: dict[str, Any], folders: tuple[str, ...]) -> None:
    files = SolutionFiles(name="alone", model_image="example/alone:1", shared_folder_paths=folders)

    assert graphene.is_model(_built(files, options))


def test_the_playground_pulls_the_image_of_each_node_not_the_one_that_prepares_its_folder() -> None:
    assert graphene.pulled_images(_golden("shared-folders").sealed) == [
        "registry.example.org:5000/golden/loader:1.0",
        "registry.example.org:5000/slipway/orchestrator:1.0",
        "registry.example.org:5000/golden/trainer:1.0",
    ]


def test_the_playground_finds_the_shared_folder() -> None:
    assert graphene.shared_folder_path(_golden("shared-folders").sealed) == "/data/shared"


def test_the_name_of_a_model_has_no_line_end_because_a_namespace_is_made_of_it() -> None:
    assert _golden("model").sealed["modelname.txt"] == _golden("model").sealed["modelname.txt"].strip()


@pytest.mark.parametrize("seed", range(12))
def test_a_bundle_that_the_script_has_changed_is_read_as_the_same_solution(seed: int) -> None:
    made = graph(seed)
    first = _built(made.files)
    script = graphene.Script(dict(first))

    script.run()

    assert _objects(_built(from_files(script.files))) == _objects(first)


@pytest.mark.parametrize("seed", range(12, 24))
def test_no_service_of_any_bundle_has_more_than_the_one_port_that_the_script_sets(seed: int) -> None:
    made = graph(seed)
    services = [m for m in map(graphene.load, _objects(_built(made.files)).values()) if m["kind"] == "Service"]

    assert [len(service["spec"]["ports"]) for service in services] == [1] * len(services)
    assert not [service for service in services if "nodePort" in service["spec"]["ports"][0]]


def _objects(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if Path(path).parent.name in {"deployments", "policies"}}
