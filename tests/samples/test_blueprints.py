"""Every sample's blueprint against its protos: what a marketplace would check before it publishes a solution."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor

SAMPLES = Path(__file__).parents[2] / "samples"
PIPELINES = ["calculator", "code-breaker", "sensor-stream", "word-count"]
WITHOUT_CONTAINER = {"Splitter", "Collator", "SharedFolder"}


def nodes(sample: str) -> list[dict[str, Any]]:
    return json.loads((SAMPLES / sample / "blueprint.json").read_bytes())["nodes"]


def containers(sample: str) -> list[dict[str, Any]]:
    return [node for node in nodes(sample) if node["node_type"] not in WITHOUT_CONTAINER]


def operations(node: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the operations by name, without those that stand for a mount."""
    signatures = (entry["operation_signature"] for entry in node["operation_signature_list"])
    return {entry["operation_name"]: entry for entry in signatures if entry["operation_name"] != "mountVolume"}


def edges(sample: str) -> Iterator[tuple[str, str, str, str]]:
    for node in nodes(sample):
        for entry in node["operation_signature_list"]:
            for target in entry["connected_to"]:
                source = (node["container_name"], entry["operation_signature"]["operation_name"])
                yield (*source, target["container_name"], target["operation_signature"]["operation_name"])


def shape(message: descriptor.Descriptor) -> dict[int, tuple[object, ...]]:
    """Return what decides about the bytes of a message: its fields by number."""
    return {
        field.number: (field.type, field.is_repeated, field.message_type and tuple(shape(field.message_type).items()))
        for field in message.fields
    }


def test_there_are_these_samples_and_no_others() -> None:
    found = sorted(
        path.parent.name for path in SAMPLES.glob("*/*.json") if path.name in {"blueprint.json", "model.json"}
    )

    assert found == ["calculator", "code-breaker", "sensor-stream", "sentiment", "word-count"]


def test_the_model_names_its_only_proto(proto_of) -> None:
    model = json.loads((SAMPLES / "sentiment/model.json").read_bytes())

    assert model == {"name": "sentiment", "image": "slipway/sample-sentiment:1", "version": "1"}
    assert [path.name for path in (SAMPLES / "sentiment/microservice").iterdir()] == ["sentiment.proto"]
    assert list(proto_of("sentiment/sentiment").service.methods_by_name) == ["classify"]


@pytest.mark.parametrize("sample", PIPELINES)
def test_the_blueprint_carries_the_name_of_its_folder(sample) -> None:
    assert json.loads((SAMPLES / sample / "blueprint.json").read_bytes())["name"] == sample


@pytest.mark.parametrize("sample", PIPELINES)
def test_every_container_has_a_program_and_an_image_of_its_name(sample) -> None:
    names = {node["container_name"]: node["image"] for node in containers(sample)}

    assert sorted(names) == sorted(path.parent.name for path in (SAMPLES / sample).glob("nodes/*/node.py"))
    assert names == {name: f"slipway/sample-{name}:1" for name in names}


def test_image_names_are_unique_over_all_samples() -> None:
    images = [node["image"] for sample in PIPELINES for node in containers(sample)]

    assert len(images) == len(set(images)) == 14


@pytest.mark.parametrize("sample", PIPELINES)
def test_the_protos_are_those_of_the_containers_with_operations(sample) -> None:
    expected = {f"{node['container_name']}.proto" for node in containers(sample) if operations(node)}

    assert {path.name for path in (SAMPLES / sample / "microservice").iterdir()} == expected


@pytest.mark.parametrize("sample", PIPELINES)
def test_operations_messages_and_streams_are_those_of_the_proto(sample, proto_of) -> None:
    for node in containers(sample):
        proto = proto_of(f"{sample}/{node['container_name']}")
        methods = proto.service.methods if proto else []

        assert operations(node) == {
            method.name: {
                "operation_name": method.name,
                "input_message_name": method.input_type.name,
                "output_message_name": method.output_type.name,
                # Blueprints before 2021 have no stream flags: absent means false.
                **({} if sample == "calculator" else flags(method)),
            }
            for method in methods
        }
        assert sample != "calculator" or not any(flag for method in methods for flag in flags(method).values())


def flags(method: descriptor.MethodDescriptor) -> dict[str, bool]:
    return {"input_message_stream": method.client_streaming, "output_message_stream": method.server_streaming}


@pytest.mark.parametrize("sample", PIPELINES)
def test_every_edge_leads_to_an_operation_that_exists(sample) -> None:
    known = {
        (node["container_name"], entry["operation_signature"]["operation_name"])
        for node in nodes(sample)
        for entry in node["operation_signature_list"]
    }

    assert [edge for edge in edges(sample) if edge[2:] not in known] == []


@pytest.mark.parametrize("sample", PIPELINES)
def test_both_ends_of_an_edge_have_messages_of_the_same_shape(sample, proto_of) -> None:
    names = {node["container_name"] for node in containers(sample)}
    compared = 0
    for source, output, target, given in edges(sample):
        if {source, target} <= names:
            sent = proto_of(f"{sample}/{source}").service.methods_by_name[output].output_type
            taken = proto_of(f"{sample}/{target}").service.methods_by_name[given].input_type

            assert (sent.name, shape(sent)) == (taken.name, shape(taken))
            compared += 1

    assert compared == {"calculator": 0, "code-breaker": 4, "sensor-stream": 2, "word-count": 2}[sample]


def test_splitter_and_collator_say_the_messages_of_their_neighbours(proto_of) -> None:
    by_name = {node["container_name"]: node for node in nodes("calculator")}
    given = json.loads(by_name["Splitter1"]["splitter_map"]["input_message_signature"])
    made = json.loads(by_name["Collator1"]["collator_map"]["output_message_signature"])
    (array,) = made["messageargumentList"]

    assert signature(proto_of("calculator/numbers").message("Pair").DESCRIPTOR) == given
    assert signature(proto_of("calculator/adder").message("Pair").DESCRIPTOR) == given
    assert signature(proto_of("calculator/multiplier").message("Pair").DESCRIPTOR) == given
    assert made["messageName"] == "Results"
    assert array["role"] == "repeated"
    for node in ("calculator/adder", "calculator/multiplier", "calculator/printer"):
        assert signature(proto_of(node).message("Result").DESCRIPTOR, "1.") == array["complexType"]


def signature(message: descriptor.Descriptor, prefix: str = "") -> dict[str, Any]:
    kinds = (
        {field.TYPE_INT64: "int64", field.TYPE_DOUBLE: "double", field.TYPE_STRING: "string"}
        if (field := message.fields[0])
        else {}
    )
    arguments = [
        {"role": "", "name": field.name, "tag": f"{prefix}{field.number}", "type": kinds[field.type]}
        for field in message.fields
    ]
    return {"messageName": message.name, "messageargumentList": arguments}


def test_the_generations_of_the_format_differ() -> None:
    keys = {sample: set(json.loads((SAMPLES / sample / "blueprint.json").read_bytes())) for sample in PIPELINES}

    assert keys["sensor-stream"] == {"nodes", "name", "pipeline_id", "creation_date", "type", "version"}
    assert keys["code-breaker"] == {"name", "version", "input_ports", "nodes", "probeIndicator"}


def test_packages_enums_and_imports_are_in_one_sample_only() -> None:
    protos = {path.relative_to(SAMPLES).as_posix(): path.read_text() for path in SAMPLES.glob("*/microservice/*.proto")}
    special = {name for name, text in protos.items() if any(word in text for word in ("package ", "enum ", "import "))}

    assert special == {f"code-breaker/microservice/{name}.proto" for name in ("player", "place-judge", "digit-judge")}


@pytest.mark.parametrize("sample", [*PIPELINES, "sentiment"])
def test_every_sample_has_a_description_and_a_place_in_the_readme(sample) -> None:
    readme = (SAMPLES / "README.md").read_text()

    assert (SAMPLES / sample / "solution_description.html").read_text().startswith("<p>")
    assert f"## {sample}\n" in readme
    for path in (SAMPLES / sample).glob("nodes/*/node.py"):
        assert path.parent.name in readme.partition(f"## {sample}\n")[2].partition("\n## ")[0]
