"""The files of a bundle beside its objects, and what is found while they are made."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.solutions import IMAGES, assets, folders, model, node, objects, pipeline

from kubernetes_client.generate import DEPLOYER, generate
from shared.bundle import Bundle
from shared.deployer import Assets
from shared.kubernetes.options import Options, SharedFolders
from shared.solution import Attachments, Ids, RevisionId, Role, Solution, SolutionId

STATIC = {
    "orchestrator_client/orchestrator_client.py": b"client",
    "protobuf/orchestrator.proto": b"proto",
    "requirements.txt": b"grpcio",
    "kubernetes-client-script.py": b"script",
    "deployment-readme.txt": b"\nHow to deploy\n",
}


def _built(solution: Solution, options: Options | None = None) -> Bundle:
    return generate(solution, options or Options(), Assets(STATIC, IMAGES))


def _others(bundle: Bundle) -> list[str]:
    return sorted(path for path in bundle.files if not path.startswith(("deployments/", "policies/")))


def test_a_pipeline_has_every_file_that_graphene_s_has() -> None:
    assert _others(_built(pipeline("a"))) == [
        "blueprint.json",
        "deployment-readme.txt",
        "dockerinfo.json",
        "kubernetes-client-script.py",
        "kustomization.yaml",
        "microservice/a.proto",
        "orchestrator_client/orchestrator_client.py",
        "protobuf/orchestrator.proto",
        "requirements.txt",
    ]


def test_a_model_has_no_orchestrator_and_no_client_of_one() -> None:
    assert _others(_built(model())) == [
        "deployment-readme.txt",
        "kubernetes-client-script.py",
        "kustomization.yaml",
        "microservice/model.proto",
        "modelname.txt",
    ]


def test_dockerinfo_has_graphene_s_exact_shape() -> None:
    solution = pipeline("a", node("split", role=Role.SPLITTER, image=None))

    assert json.loads(_built(solution).files["dockerinfo.json"]) == {
        "docker_info_list": [
            {"container_name": "a", "ip_address": "a", "port": "8556"},
            {"container_name": "orchestrator", "ip_address": "orchestrator", "port": "8061"},
        ]
    }


def test_attachments_travel_under_graphene_s_names() -> None:
    attachments = Attachments(icon=b"\x89PNG", description="<p>ü</p>", source_url="https://example.org")

    files = _built(model(attachments=attachments)).files

    assert files["solution_icon.png"] == b"\x89PNG"
    assert files["solution_description.html"] == "<p>ü</p>".encode()
    assert files["source_system_url.txt"] == b"https://example.org"


def test_the_first_data_broker_with_settings_has_a_file_of_its_own() -> None:
    solution = pipeline(
        node("one", node_type="DataBroker"),
        node("two", node_type="DataBroker", settings={"data_broker_type": "csv"}),
        node("three", node_type="DataBroker", settings={"data_broker_type": "sql"}),
    )

    assert json.loads(_built(solution).files["databroker.json"]) == {"data_broker_type": "csv"}


def test_a_sibling_that_protos_import_travels_with_them() -> None:
    solution = pipeline("a", protos={"a": b'import "common.proto";\n', "common": b"// shared\n"})

    assert _built(solution).files["microservice/common.proto"] == b"// shared\n"


@pytest.mark.parametrize("stem", ["../../etc/cron", "..", "a/b", "x" * 300, "nul\x00", "A"])
def test_a_proto_whose_name_is_no_file_name_is_left_out_with_a_warning(stem: str) -> None:
    bundle = _built(pipeline("a", protos={"a": b"1", stem: b"2"}))

    assert [path for path in bundle.files if path.startswith("microservice/")] == ["microservice/a.proto"]
    assert [finding.code for finding in bundle.findings] == ["proto-left-out"]


def test_the_name_map_leads_back_to_the_blueprint() -> None:
    solution = pipeline(node("model-a", container_name="Model A"), node("split", role=Role.SPLITTER, image=None))

    assert _built(solution).names == {"model-a": "Model A", "split": "split"}


def test_the_same_input_makes_the_same_bundle() -> None:
    ids = Ids(SolutionId("s"), RevisionId("r"))
    solution = pipeline("a", "b", ids=ids, shared_folders=folders("/data"))

    assert _built(solution).digest == _built(replace(solution)).digest


def test_another_revision_changes_no_pod_of_a_node_that_did_not_change() -> None:
    first = pipeline("a", ids=Ids(SolutionId("s"), RevisionId("1")))
    second = replace(first, ids=Ids(SolutionId("s"), RevisionId("2")))

    templates = [
        {path: made["spec"].get("template") for path, made in objects(_built(solution)).items() if "spec" in made}
        for solution in (first, second)
    ]

    assert templates[0] == templates[1]


def test_what_the_restricted_profile_cannot_prepare_is_a_warning() -> None:
    solution = pipeline("a", shared_folders=folders("/data"))

    bundle = _built(solution, Options(profile="restricted"))

    assert [finding.code for finding in bundle.findings] == ["shared-folder-not-prepared"]


def test_nobody_is_warned_who_prepares_folders_himself() -> None:
    solution = pipeline("a", shared_folders=folders("/data"))

    bundle = _built(solution, Options(profile="restricted", shared_folder=SharedFolders(prepare="never")))

    assert list(bundle.findings) == []


def test_a_model_needs_the_orchestrator_s_image_only_to_prepare_a_folder() -> None:
    plain = generate(model(), Options(), Assets())
    shared = generate(model(shared_folders=folders("/data")), Options(), Assets())

    assert [finding.code for finding in plain.findings] == []
    assert [finding.code for finding in shared.findings] == ["orchestrator-image-missing"]


def test_the_readme_tells_names_addresses_and_folders_before_the_general_part() -> None:
    solution = pipeline(
        node("model-a", container_name="Model\nA"), "b", shared_folders=folders("/data"), name="My \x1b[2J pipeline"
    )
    options = DEPLOYER.parse_options(
        {"webuiIngress": {"host": "*.example.org"}, "nodes": {"b": {"kind": "job", "webui": True}}}
    )

    text = _built(solution, options).files["deployment-readme.txt"].decode()

    assert text.splitlines()[0] == 'The pipeline "My \\u001b[2J pipeline", version "1", for Kubernetes'
    assert '  model-a ("Model\\nA" in the blueprint): registry.example.org:5000/team/model-a:1.0\n' in text
    assert "  b: registry.example.org:5000/team/b:1.0, runs to completion\n" in text
    assert "  b:8556, web UI bwebui:8062, from outside b.example.org\n" in text
    assert "  kubectl delete job b --ignore-not-found -n NAMESPACE\n" in text
    assert "  /data (claim shared-folder, variable SHARED_FOLDER_PATH)\n" in text
    assert text.endswith("\nHow to deploy\n")


def test_the_readme_is_silent_about_jobs_where_there_is_none() -> None:
    text = _built(pipeline("a"), Options()).files["deployment-readme.txt"].decode()

    assert "job" not in text.lower()


def test_the_deployer_reads_its_static_files_the_same_on_every_call() -> None:
    files = DEPLOYER.load_files()

    assert files == DEPLOYER.load_files()
    assert sorted(files) == [
        "deployment-readme.txt",
        "kubernetes-client-script.py",
        "orchestrator_client/orchestrator_client.py",
        "orchestrator_client/orchestrator_pb2.py",
        "orchestrator_client/orchestrator_pb2_grpc.py",
        "orchestrator_client/status_client.py",
        "protobuf/orchestrator.proto",
        "requirements.txt",
    ]


def test_without_static_files_the_rest_is_there() -> None:
    assert "deployment-readme.txt" in generate(model(), Options(), assets()).files
