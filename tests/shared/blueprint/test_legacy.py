"""The generation that names the successors of a node: operations and edges follow from that."""

from typing import Any

import pytest
from support.blueprints import edges, found, links, node, operation, operations, parse, solution

CALL = "$.nodes[0].depends_on[0]"


def legacy(name: str, *successors: str, image: str = "x:1") -> Any:
    """Return a node; a successor is `node.operation`."""
    ends = [successor.split(".") for successor in successors]
    depends_on = [{"name": name, "operation_signature": {"operation": called}} for name, called in ends]
    return {"container_name": name, "image": image, "depends_on": depends_on}


def pipeline(*nodes: Any, entries: tuple[str, ...] = ("start",), **more: Any) -> Any:
    signatures = [{"operation": entry} for entry in entries]
    return {"name": "old", "version": "1", "input_operation_signatures": signatures, "nodes": list(nodes), **more}


def errors(source: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in parse(source).findings.errors]


def test_operations_follow_from_the_calls_and_the_entry() -> None:
    made = solution(pipeline(legacy("a", "b.x", "c.y"), legacy("b", "c.y"), legacy("c")))

    assert operations(made) == {"a": ["start"], "b": ["x"], "c": ["y"]}
    assert edges(made) == ["a.start -> b.x", "a.start -> c.y", "b.x -> c.y"]


def test_an_empty_list_of_operations_hides_no_successors() -> None:
    first, *rest = legacy("a", "b.x"), legacy("b")
    made = solution(pipeline({**first, "operation_signature_list": []}, *rest))

    assert edges(made) == ["a.start -> b.x"]


def test_the_document_gains_the_operations_and_keeps_the_successors() -> None:
    source = pipeline(legacy("A", "b.x"), legacy("b"))

    nodes = solution(source).document["nodes"]

    assert nodes[0]["depends_on"] == source["nodes"][0]["depends_on"]
    assert nodes[0]["container_name"] == "a"
    assert nodes[0]["operation_signature_list"] == [
        {
            "operation_signature": {"operation_name": "start"},
            "connected_to": [{"container_name": "b", "operation_signature": {"operation_name": "x"}}],
        }
    ]
    assert nodes[1]["operation_signature_list"] == [
        {"operation_signature": {"operation_name": "x"}, "connected_to": []}
    ]


def test_renamed_nodes_are_renamed_among_the_successors() -> None:
    made = solution(pipeline(legacy("a", "Two.x"), legacy("Two")))

    assert made.document["nodes"][0]["depends_on"][0]["name"] == "two"
    assert links(made.document["nodes"][0]["operation_signature_list"][0]) == ["two.x"]


def test_unknown_message_names_are_a_warning_where_the_operation_is_named() -> None:
    parsed = parse(pipeline(legacy("a", "b.x"), legacy("b")))

    assert found(parsed) == [
        ("warning", "message-name-missing", "$.input_operation_signatures[0].operation"),
        ("warning", "message-name-missing", f"{CALL}.operation_signature.operation"),
    ]


@pytest.mark.parametrize(
    "signature",
    [{"operation": "start"}, {"operation_name": "start"}, {"operation_signature": {"operation_name": "start"}}],
)
def test_the_entry_is_named_in_several_forms(signature: object) -> None:
    source = pipeline(legacy("a")) | {"input_operation_signatures": [signature]}

    assert operations(solution(source)) == {"a": ["start"]}


def test_the_only_entry_has_all_named_operations() -> None:
    parsed = parse(pipeline(legacy("a", "b.x"), legacy("b"), entries=("p", "q")))

    assert parsed.solution is not None
    assert operations(parsed.solution) == {"a": ["p", "q"], "b": ["x"]}
    assert edges(parsed.solution) == ["a.p -> b.x", "a.q -> b.x"]
    assert ("warning", "operation-ambiguous", "$.nodes[0].depends_on") in found(parsed)


def test_as_many_entries_as_names_are_paired_in_order() -> None:
    made = solution(pipeline(legacy("a", "c.x"), legacy("b", "c.x"), legacy("c"), entries=("p", "q")))

    assert operations(made) == {"a": ["p"], "b": ["q"], "c": ["x"]}


def test_an_entry_without_a_name_cannot_be_connected() -> None:
    source = pipeline(legacy("a", "c.x"), legacy("b", "c.x"), legacy("c"), entries=("p",))

    assert errors(source) == [
        ("operation-unknown", "$.nodes[0].depends_on"),
        ("operation-unknown", "$.nodes[1].depends_on"),
    ]


def test_an_entry_without_successors_needs_no_name() -> None:
    parsed = parse(pipeline(legacy("a"), entries=()))

    assert found(parsed) == [("warning", "operations-missing", "$.nodes[0]")]


def test_a_cycle_has_no_entry() -> None:
    made = solution(pipeline(legacy("a", "b.x"), legacy("b", "a.y")))

    assert edges(made) == ["a.y -> b.x", "b.x -> a.y"]


def test_a_successor_that_does_not_exist_is_an_error_at_its_name() -> None:
    assert errors(pipeline(legacy("a", "nobody.x"))) == [("edge-dangling", f"{CALL}.name")]


def test_a_successor_of_an_unconnected_node_is_checked_too() -> None:
    source = pipeline(legacy("a", "nobody.x"), entries=())

    assert errors(source) == [("operation-unknown", "$.nodes[0].depends_on"), ("edge-dangling", f"{CALL}.name")]


@pytest.mark.parametrize(
    ("entry", "code", "path"),
    [
        ({}, "container-name-missing", ".name"),
        ({"name": "b"}, "operation-name-missing", ".operation_signature"),
        ({"name": "b", "operation_signature": "JSON representation"}, "wrong-type", ".operation_signature"),
        ({"name": "b", "operation_signature": {}}, "operation-name-missing", ".operation_signature.operation"),
        ({"name": ["b"], "operation_signature": {"operation": "x"}}, "wrong-type", ".name"),
        (5, "wrong-type", ""),
    ],
)
def test_a_successor_that_cannot_be_read_is_an_error(entry: object, code: str, path: str) -> None:
    first = legacy("a") | {"depends_on": [entry]}

    assert (code, f"{CALL}{path}") in errors(pipeline(first, legacy("b")))


def test_successors_of_another_type_are_an_error() -> None:
    source = pipeline(legacy("a") | {"depends_on": {"name": "b"}})

    assert errors(source) == [("wrong-type", "$.nodes[0].depends_on")]


def test_successors_of_an_unknown_kind_stay_in_the_document() -> None:
    parsed = parse(pipeline(legacy("a") | {"depends_on": [5]}))

    assert parsed.solution is not None
    assert parsed.solution.document["nodes"][0]["depends_on"] == [5]


def test_a_folder_leaves_the_successors() -> None:
    shared = {"container_name": "/data", "node_type": "SharedFolder", "image": "x:1"}

    made = solution(pipeline(legacy("a", "/data.mount", "b.x"), legacy("b"), shared))

    assert edges(made) == ["a.start -> b.x"]
    assert [entry["name"] for entry in made.document["nodes"][0]["depends_on"]] == ["b"]


def test_a_mount_is_no_entry() -> None:
    made = solution(pipeline(legacy("a"), entries=("mountVolume", "p")))

    assert operations(made) == {"a": ["p"]}


def test_both_generations_in_one_blueprint_fit_together() -> None:
    made = solution(pipeline(node("new", operation("p", "old.x")), legacy("old", "new.p")))

    assert edges(made) == ["new.p -> old.x", "old.x -> new.p"]


def test_a_node_with_operations_keeps_them_whatever_else_it_says() -> None:
    made = solution(pipeline(node("a", operation("p")) | {"depends_on": [{"name": "ignored"}]}))

    assert operations(made) == {"a": ["p"]}
    assert edges(made) == []


def test_the_product_of_operations_and_successors_is_limited() -> None:
    callers = [legacy(f"c{n}", f"hub.op{n}") for n in range(80)]
    hub = legacy("hub", *(f"c{n}.back" for n in range(80)))

    parsed = parse(pipeline(hub, *callers))

    assert ("error", "too-many-edges", "$.nodes[0].depends_on") in found(parsed)
    assert parsed.solution is not None
    assert len(parsed.solution.edges) == 80
