"""Nodes, operations and messages."""

import json

import pytest
from support.blueprints import document, edges, found, link, node, operation, operations, parse, solution

from shared.solution import Message, Role

SIGNATURE = "$.nodes[0].operation_signature_list[0].operation_signature"


@pytest.mark.parametrize(
    ("node_type", "role"),
    [
        ("MLModel", Role.WORKLOAD),
        ("mlmodel", Role.WORKLOAD),
        ("DataBroker", Role.WORKLOAD),
        ("DataSource", Role.WORKLOAD),
        ("DataSink", Role.WORKLOAD),
        ("DataMapper", Role.WORKLOAD),
        ("REST", Role.WORKLOAD),
        ("Splitter", Role.SPLITTER),
        ("SPLITTER", Role.SPLITTER),
        ("Collator", Role.COLLATOR),
        ("Probe", Role.PROBE),
    ],
)
def test_the_type_of_a_node_decides_its_role(node_type: str, role: Role) -> None:
    parsed = parse(document(node("a", node_type=node_type, image="x:1")))

    assert parsed.solution is not None
    assert (parsed.solution.nodes[0].role, parsed.solution.nodes[0].node_type) == (role, node_type)
    assert "node-type-unknown" not in {finding.code for finding in parsed.findings}


def test_an_unknown_type_is_a_workload_with_a_warning() -> None:
    parsed = parse(document(node("a", node_type="Splitter or Collator")))

    assert found(parsed) == [("warning", "node-type-unknown", "$.nodes[0].node_type")]
    assert parsed.solution is not None
    assert parsed.solution.nodes[0].is_workload


def test_a_missing_type_is_a_workload_with_a_note() -> None:
    parsed = parse(document(node("a", node_type=None)))

    assert found(parsed) == [("note", "node-type-missing", "$.nodes[0].node_type")]


@pytest.mark.parametrize(
    ("node_type", "key"),
    [("DataBroker", "data_broker_map"), ("Splitter", "splitter_map"), ("Collator", "collator_map")],
)
def test_the_settings_of_a_node_are_its_map(node_type: str, key: str) -> None:
    made = solution(document(node("a", node_type=node_type, **{key: {"anything": [1, None]}})))

    assert made.nodes[0].settings == {"anything": [1, None]}


@pytest.mark.parametrize("node_type", ["Splitter", "Collator", "Probe"])
@pytest.mark.parametrize("image", ["", None])
def test_some_roles_need_no_image(node_type: str, image: object) -> None:
    parsed = parse(document(node("a", node_type=node_type, image=image)))

    assert found(parsed) == []
    assert parsed.solution is not None
    assert parsed.solution.nodes[0].image is None


def test_an_image_that_nobody_runs_is_noted() -> None:
    parsed = parse(document(node("a", node_type="Splitter", image="should be empty")))

    assert found(parsed) == [("note", "image-ignored", "$.nodes[0].image")]


@pytest.mark.parametrize("image", ["", None])
def test_a_workload_without_an_image_is_an_error(image: object) -> None:
    assert found(parse(document(node("a", image=image)))) == [("error", "image-missing", "$.nodes[0].image")]


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("url of the docker image", "image-invalid"),
        ("registry.example/Upper:1", "image-invalid"),
        ("a:1\n  privileged: true", "text-unshowable"),
        (17, "wrong-type"),
        ("a" * 1025, "text-too-long"),
    ],
)
def test_an_image_that_is_no_reference_is_an_error(image: object, code: str) -> None:
    parsed = parse(document(node("a", image=image)))

    assert ("error", code, "$.nodes[0].image") in found(parsed)
    assert parsed.solution is not None
    assert parsed.solution.nodes[0].image is None


def test_an_image_whose_meaning_is_certain_is_mended_everywhere_with_a_warning() -> None:
    parsed = parse(document(node("a", image="https://hub.docker.com/r/user/image:1")))

    assert found(parsed) == [("warning", "image-mended", "$.nodes[0].image")]
    assert parsed.solution is not None
    assert parsed.solution.nodes[0].image == "docker.io/user/image:1"
    assert parsed.solution.document["nodes"][0]["image"] == "docker.io/user/image:1"


@pytest.mark.parametrize("image", ["square-node", "registry.example/a:latest"])
def test_an_image_that_may_change_is_noted(image: str) -> None:
    assert found(parse(document(node("a", image=image)))) == [("note", "image-moving", "$.nodes[0].image")]


@pytest.mark.parametrize("name", ["", None])
def test_a_node_without_a_name_is_an_error_and_the_others_are_read(name: object) -> None:
    parsed = parse(document(node("a") | {"container_name": name}, node("b")))

    assert found(parsed) == [("error", "container-name-missing", "$.nodes[0].container_name")]
    assert parsed.solution is not None
    assert [made.name for made in parsed.solution.nodes] == ["b"]


def test_two_nodes_of_one_name_are_an_error_and_the_first_is_kept() -> None:
    parsed = parse(document(node("a", image="first:1"), node("a", image="second:1")))

    assert found(parsed) == [("error", "container-duplicate", "$.nodes[1].container_name")]
    assert parsed.solution is not None
    assert [made.image for made in parsed.solution.nodes] == ["first:1"]


def test_names_that_differ_only_in_case_stay_two_nodes() -> None:
    parsed = parse(document(node("A"), node("a", operation("process", "A.process"))))

    assert found(parsed) == [("note", "container-renamed", "$.nodes[0].container_name")]
    assert parsed.solution is not None
    first, second = (made.name for made in parsed.solution.nodes)
    assert second == "a"
    assert edges(parsed.solution) == [f"a.process -> {first}.process"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a\0b", "text-unshowable"),
        ("a\u202eb", "text-unshowable"),
        ("a\u2028b", "text-unshowable"),
        ("a\x1b[2J", "text-unshowable"),
        ("x" * 513, "text-too-long"),
        (7, "wrong-type"),
    ],
)
def test_a_name_that_cannot_be_shown_is_an_error(name: object, code: str) -> None:
    parsed = parse(document(node("a") | {"container_name": name}), protos={})

    assert ("error", code, "$.nodes[0].container_name") in found(parsed)


@pytest.mark.parametrize("name", ["Sudoku\u00a0Tutorial", "👩\u200d💻", "\ue000", "日本語"])
def test_odd_characters_that_do_no_harm_are_the_authors_choice(name: str) -> None:
    made = solution(document(node(name, operation("process", f"{name}.process"))))

    assert [
        (n.container_name, e.source == e.target == n.name) for n, e in zip(made.nodes, made.edges, strict=True)
    ] == [(name, True)]


@pytest.mark.parametrize("entries", [None, []])
def test_a_node_without_operations_is_a_warning(entries: object) -> None:
    parsed = parse(document(node("a") | {"operation_signature_list": entries}))

    assert found(parsed) == [("warning", "operations-missing", "$.nodes[0]")]


def test_a_probe_needs_no_operations() -> None:
    parsed = parse(document(node("a"), node("p", node_type="Probe") | {"operation_signature_list": []}))

    assert "operations-missing" not in {finding.code for finding in parsed.findings}


def test_absent_stream_flags_mean_false() -> None:
    made = solution(document(node("a")))

    assert made.nodes[0].operations[0].input == Message("Item", stream=False)
    assert "input_message_stream" not in made.document["nodes"][0]["operation_signature_list"][0]["operation_signature"]


@pytest.mark.parametrize(("flag", "stream"), [("true", True), ("False", False)])
def test_stream_flags_as_text_are_understood_and_written_as_flags(flag: str, stream: bool) -> None:  # noqa: FBT001
    entry = operation()
    entry["operation_signature"]["input_message_stream"] = flag

    parsed = parse(document(node("a", entry)))

    assert found(parsed) == [("note", "flag-is-text", f"{SIGNATURE}.input_message_stream")]
    assert parsed.solution is not None
    assert parsed.solution.nodes[0].operations[0].input.stream is stream
    written = parsed.solution.document["nodes"][0]["operation_signature_list"][0]["operation_signature"]
    assert written["input_message_stream"] is stream


@pytest.mark.parametrize("flag", ["maybe", 1, [], {}])
def test_a_stream_flag_of_another_kind_is_an_error(flag: object) -> None:
    entry = operation()
    entry["operation_signature"]["output_message_stream"] = flag

    assert found(parse(document(node("a", entry)))) == [("error", "wrong-type", f"{SIGNATURE}.output_message_stream")]


@pytest.mark.parametrize("name", ["", None])
def test_an_operation_without_a_message_name_is_a_warning(name: object) -> None:
    entry = operation()
    entry["operation_signature"]["input_message_name"] = name

    assert found(parse(document(node("a", entry)))) == [
        ("warning", "message-name-missing", f"{SIGNATURE}.input_message_name")
    ]


def test_a_name_that_no_rpc_can_have_is_a_warning() -> None:
    parsed = parse(document(node("a", operation("pull-data"))))

    assert found(parsed) == [("warning", "operation-name-unusual", f"{SIGNATURE}.operation_name")]


@pytest.mark.parametrize("node_type", ["REST", "Splitter"])
def test_what_is_no_rpc_may_have_any_name(node_type: str) -> None:
    made = solution(document(node("a", operation("/v1/square"), node_type=node_type, image="a:1")))

    assert operations(made) == {"a": ["/v1/square"]}


@pytest.mark.parametrize(
    ("entry", "code", "path"),
    [
        ({}, "operation-name-missing", "operation_signature"),
        ({"operation_signature": None}, "operation-name-missing", "operation_signature"),
        ({"operation_signature": "process"}, "wrong-type", "operation_signature"),
        ({"operation_signature": {}}, "operation-name-missing", "operation_signature.operation_name"),
        ({"operation_signature": {"operation_name": 1}}, "wrong-type", "operation_signature.operation_name"),
    ],
)
def test_an_operation_without_a_name_is_an_error(entry: object, code: str, path: str) -> None:
    parsed = parse(document(node("a", operation(), entry)))

    assert found(parsed) == [("error", code, f"$.nodes[0].operation_signature_list[1].{path}")]


def test_equal_operations_are_merged_with_a_warning_and_keep_all_links() -> None:
    parsed = parse(document(node("a", operation("p", "b.process"), operation("p", "c.process")), node("b"), node("c")))

    path = "$.nodes[0].operation_signature_list[1].operation_signature.operation_name"
    assert found(parsed) == [("warning", "operation-merged", path)]
    assert parsed.solution is not None
    assert edges(parsed.solution) == ["a.p -> b.process", "a.p -> c.process"]
    assert len(parsed.solution.document["nodes"][0]["operation_signature_list"]) == 1


def test_two_different_operations_of_one_name_are_an_error() -> None:
    parsed = parse(document(node("a", operation("p", takes="A"), operation("p", takes="B"))))

    path = "$.nodes[0].operation_signature_list[1].operation_signature.operation_name"
    assert found(parsed) == [("error", "operation-duplicate", path)]


@pytest.mark.parametrize("value", ["text", 1, {}, True])
def test_a_list_of_another_type_is_an_error_at_its_path(value: object) -> None:
    parsed = parse(document(node("a") | {"operation_signature_list": value}))

    assert ("error", "wrong-type", "$.nodes[0].operation_signature_list") in found(parsed)


def test_an_entry_of_another_type_is_an_error_at_its_path() -> None:
    parsed = parse(json.dumps({"name": "a", "version": "1", "nodes": [node("a"), 17, node("b")]}).encode(), protos={})

    assert ("error", "wrong-type", "$.nodes[1]") in found(parsed)
    assert parsed.solution is not None
    assert [made.name for made in parsed.solution.nodes] == ["a", "b"]


def test_settings_of_another_type_are_an_error() -> None:
    parsed = parse(document(node("a", data_broker_map=[])))

    assert found(parsed) == [("error", "wrong-type", "$.nodes[0].data_broker_map")]


def test_all_findings_come_at_once() -> None:
    parsed = parse(document(node("a", operation("p", "nowhere.process"), image=""), node("a"), node("b", image="B b")))

    assert [finding.code for finding in parsed.findings.errors] == [
        "image-missing",
        "container-duplicate",
        "image-invalid",
        "edge-dangling",
    ]


def test_a_renamed_node_is_renamed_everywhere() -> None:
    source = document(
        node("My Model", operation("process", "Other_1.process"), proto_uri=""),
        node("Other_1"),
        input_ports=[link("My Model")],
    )

    made = solution(source)

    assert edges(made) == ["my-model-e84ac3f6.process -> other-1-284e1a94.process"]
    assert [n.container_name for n in made.nodes] == ["My Model", "Other_1"]
    assert sorted(made.protos) == ["my-model-e84ac3f6", "other-1-284e1a94"]
    assert "My Model" not in json.dumps(made.document["nodes"] + made.document["input_ports"])
