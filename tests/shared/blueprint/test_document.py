"""The blueprint that travels."""

from support.blueprints import document, found, link, node, operation, parse, solution


def test_unknown_keys_survive_everywhere_in_their_order() -> None:
    entry = operation("process", "b.process", x_operation=[1, {"deep": None}])
    entry["operation_signature"]["x_signature"] = 1.5
    entry["connected_to"][0]["x_link"] = "l"
    entry["connected_to"][0]["operation_signature"]["input_message_name"] = "Item"
    source = document(
        node("a", entry, x_node={"k": True}),
        node("b"),
        pipeline_id="graphene:1:2",
        creation_date="2024-02-19 21:18:44.303759",
        type="pipeline-topology/v2",
        input_ports=[link("a") | {"x_port": []}],
    )

    made = solution(source)

    assert made.document == source
    assert list(made.document) == list(source)
    assert list(made.document["nodes"][0]) == list(source["nodes"][0])


def test_the_source_is_not_changed() -> None:
    source = document(node("A", operation("process", "A.process")), input_ports=[link("A")] * 2)

    made = solution(source)

    assert made.document["nodes"][0]["container_name"] == "a"
    assert source["nodes"][0]["container_name"] == "A"
    assert len(source["input_ports"]) == 2


def test_equal_input_ports_are_written_once_without_a_finding() -> None:
    parsed = parse(document(node("a"), input_ports=[link("a"), link("a"), link("a") | {"again": True}]))

    assert found(parsed) == []
    assert parsed.solution is not None
    assert parsed.solution.document["input_ports"] == [link("a")]


def test_an_input_port_that_leads_nowhere_is_a_warning_and_stays() -> None:
    parsed = parse(document(node("a"), input_ports=[link("nobody"), link("a", "nothing"), {}]))

    assert found(parsed) == [
        ("warning", "input-port-dangling", "$.input_ports[0]"),
        ("warning", "input-port-dangling", "$.input_ports[1]"),
        ("warning", "input-port-dangling", "$.input_ports[2]"),
    ]
    assert parsed.solution is not None
    assert parsed.solution.document["input_ports"] == [link("nobody"), link("a", "nothing"), {}]


def test_input_ports_of_another_type_are_an_error() -> None:
    assert found(parse(document(node("a"), input_ports="a"))) == [("error", "wrong-type", "$.input_ports")]


def test_no_input_ports_stay_no_input_ports() -> None:
    assert "input_ports" not in solution(document(node("a"))).document
    assert solution(document(node("a"), input_ports=None)).document["input_ports"] is None
    assert solution(document(node("a"), input_ports=[])).document["input_ports"] == []


def test_splitters_and_collators_name_other_nodes_by_their_new_names() -> None:
    outputs = [{"output_field": {"target_name": "B", "x": 1}}, {"output_field": {"target_name": "?"}}, {"other": 1}, 7]
    inputs = [{"input_field": {"source_name": "B"}}, {"input_field": None}]
    source = document(
        node("s", node_type="Splitter", image="", splitter_map={"splitter_type": "t", "map_outputs": outputs}),
        node("c", node_type="Collator", image="", collator_map={"map_inputs": inputs}),
        node("d", node_type="Collator", image="", collator_map={"map_inputs": None}),
        node("B"),
    )

    splitter, collator, unmapped, _ = solution(source).document["nodes"]

    assert splitter["splitter_map"] == {
        "splitter_type": "t",
        "map_outputs": [{"output_field": {"target_name": "b", "x": 1}}, *outputs[1:]],
    }
    assert collator["collator_map"] == {"map_inputs": [{"input_field": {"source_name": "b"}}, inputs[1]]}
    assert unmapped["collator_map"] == {"map_inputs": None}


def test_references_of_data_sources_are_left_as_they_are() -> None:
    sources = [{"name": "A", "operation_signature": {"operation_name": "getData"}}]

    made = solution(document(node("A", data_sources=sources)))

    assert made.document["nodes"][0]["data_sources"] == sources
