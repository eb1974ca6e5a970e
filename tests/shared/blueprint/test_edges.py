"""Where links lead."""

import pytest
from support.blueprints import document, edges, found, links, node, operation, parse, solution

LINK = "$.nodes[0].operation_signature_list[0].connected_to"


def test_edges_come_in_the_order_of_the_source() -> None:
    source = document(
        node("b", operation("p", "a.q", "b.p"), operation("q")), node("a", operation("q", "b.q"), operation("r"))
    )

    assert edges(solution(source)) == ["b.p -> a.q", "b.p -> b.p", "a.q -> b.q"]


def test_an_edge_to_an_unknown_node_is_an_error_at_its_name() -> None:
    parsed = parse(document(node("a", operation("p", "a.p", "nobody.p"))))

    assert found(parsed) == [("error", "edge-dangling", f"{LINK}[1].container_name")]
    assert parsed.solution is not None
    assert edges(parsed.solution) == ["a.p -> a.p"]


def test_an_edge_to_an_unknown_operation_is_an_error_at_its_name() -> None:
    parsed = parse(document(node("a", operation("p", "b.Process")), node("b")))

    assert found(parsed) == [("error", "edge-dangling", f"{LINK}[0].operation_signature.operation_name")]


def test_a_name_in_other_case_is_another_name() -> None:
    parsed = parse(document(node("a", operation("p", "B.process")), node("b")))

    assert found(parsed) == [("error", "edge-dangling", f"{LINK}[0].container_name")]


def test_the_same_edge_twice_is_merged_with_a_note() -> None:
    parsed = parse(document(node("a", operation("p", "b.process", "b.process")), node("b")))

    assert found(parsed) == [("note", "edge-merged", f"{LINK}[1].container_name")]
    assert parsed.solution is not None
    assert edges(parsed.solution) == ["a.p -> b.process"]
    assert links(parsed.solution.document["nodes"][0]["operation_signature_list"][0]) == ["b.process"]


@pytest.mark.parametrize(
    ("entry", "code", "path"),
    [
        ({}, "container-name-missing", "container_name"),
        ({"container_name": ""}, "container-name-missing", "container_name"),
        ({"container_name": 3}, "wrong-type", "container_name"),
        ({"container_name": "b"}, "operation-name-missing", "operation_signature"),
        ({"container_name": "b", "operation_signature": []}, "wrong-type", "operation_signature"),
        (
            {"container_name": "b", "operation_signature": {}},
            "operation-name-missing",
            "operation_signature.operation_name",
        ),
        (
            {"container_name": "b", "operation_signature": {"operation_name": 1}},
            "wrong-type",
            "operation_signature.operation_name",
        ),
    ],
)
def test_a_link_that_does_not_say_where_it_leads_is_an_error(entry: object, code: str, path: str) -> None:
    parsed = parse(document(node("a", operation() | {"connected_to": [entry]}), node("b")))

    assert found(parsed) == [("error", code, f"{LINK}[0].{path}")]


def test_where_a_link_without_an_operation_leads_is_checked_too() -> None:
    parsed = parse(document(node("a", operation() | {"connected_to": [{"container_name": "nobody"}] * 2})))

    assert [(code, path) for _, code, path in found(parsed)] == [
        ("operation-name-missing", f"{LINK}[0].operation_signature"),
        ("operation-name-missing", f"{LINK}[1].operation_signature"),
        ("edge-dangling", f"{LINK}[0].container_name"),
    ]


@pytest.mark.parametrize("value", [None, []])
def test_no_links_are_no_finding(value: object) -> None:
    parsed = parse(document(node("a", operation() | {"connected_to": value})))

    assert found(parsed) == []
    assert parsed.solution is not None
    assert parsed.solution.document["nodes"][0]["operation_signature_list"][0]["connected_to"] == []


@pytest.mark.parametrize("value", ["b", 1, {"container_name": "b"}])
def test_links_of_another_type_are_an_error(value: object) -> None:
    parsed = parse(document(node("a", operation() | {"connected_to": value})))

    assert found(parsed) == [("error", "wrong-type", LINK)]


@pytest.mark.parametrize(
    ("gives", "takes", "codes"),
    [
        ("Item", "Item", []),
        ("Item", "Thing", ["message-names-differ"]),
        ("pkg.Item", "Item", []),
        ("google.protobuf.Empty", "Empty", []),
        ("ANY", "Thing", []),
        ("Item", "any", []),
        ("", "Thing", ["message-name-missing"]),
        ("Item", "", ["message-name-missing"]),
    ],
)
def test_other_message_names_at_both_ends_are_noted(gives: str, takes: str, codes: list[str]) -> None:
    parsed = parse(document(node("a", operation("p", "b.q", gives=gives)), node("b", operation("q", takes=takes))))

    assert [finding.code for finding in parsed.findings] == codes


def test_the_names_at_a_splitter_are_not_compared() -> None:
    splitter = node("s", operation("split", "b.process", gives="Parts"), node_type="Splitter", image="")

    assert found(parse(document(splitter, node("b")))) == []
