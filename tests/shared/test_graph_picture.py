"""Pictures of graphs: complete, safe in a page, the same every time, quick."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import within

from shared import blueprint
from shared.graph.live import Flow, Lamp, Light, Live
from shared.graph.style import STYLE
from shared.graph_picture import svg
from shared.solution import Edge, ImageRef, Message, Node, Operation, Role, SharedFolder, Solution, SolutionFiles

SVG = "{http://www.w3.org/2000/svg}"


def node(name: str, *operations: Operation, role: Role = Role.WORKLOAD, node_type: str = "MLModel") -> Node:
    return Node(name, name, role, node_type, ImageRef("r/i:1"), "", operations or (operation("run"),))


def operation(name: str, taken: str = "A", given: str = "A", *, stream: bool = False) -> Operation:
    return Operation(name, Message(taken), Message(given, stream))


def pipeline(*nodes: Node, edges: tuple[Edge, ...] = (), folders: tuple[SharedFolder, ...] = ()) -> Solution:
    return Solution("demo", "1", is_pipeline=True, nodes=nodes, edges=edges, shared_folders=folders)


def drawn(solution: Solution, *, standalone: bool = False, operations: bool = True) -> ET.Element:
    return ET.fromstring(svg(solution, standalone=standalone, operations=operations))  # noqa: S314 - our own text


def of_class(picture: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in picture.iter() if name in element.get("class", "").split()]


def texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def corpus(folder: Path, name: str) -> Solution:
    data = (folder / "corpus" / "solutions" / name / "blueprint.json").read_bytes()
    solution = blueprint.parse(SolutionFiles(name=name, blueprint=data)).solution
    assert solution is not None
    return solution


def random_graph(count: int, *, seed: int = 1) -> Solution:
    choice = random.Random(seed)  # noqa: S311 - a picture, no secret
    nodes = [node(f"node-{n}", *(operation(f"step{o}") for o in range(choice.randint(1, 3)))) for n in range(count)]
    edges = [
        Edge(nodes[max(0, n - choice.randint(1, 5))].name, "step0", nodes[n].name, "step0") for n in range(1, count)
    ]
    edges += [
        Edge(nodes[a].name, "step0", nodes[b].name, "step0")
        for a, b in (sorted(choice.sample(range(count), 2), reverse=choice.random() < 0.2) for _ in range(count // 3))
        if abs(a - b) < 12
    ]
    return pipeline(*nodes, edges=tuple(dict.fromkeys(edges)))


def test_every_node_is_a_card_with_its_operations() -> None:
    picture = drawn(pipeline(node("camera", operation("grab")), node("view", operation("show"), operation("save"))))

    assert [card.get("data-node") for card in of_class(picture, "g-node")] == ["camera", "view"]
    assert texts(picture) == ["camera", "grab", "view", "show", "save"]


def test_every_edge_is_a_line_between_operations() -> None:
    picture = drawn(pipeline(node("a"), node("b"), edges=(Edge("a", "run", "b", "run"),)))

    (line,) = of_class(picture, "g-edge")
    assert line.get("data-edge") == "a.run>b.run"
    assert line.findtext(f"{SVG}title") == "a.run → b.run: A"


def test_streams_are_drawn_apart_and_explained() -> None:
    picture = drawn(
        pipeline(node("a", operation("run", stream=True)), node("b"), edges=(Edge("a", "run", "b", "run"),))
    )

    assert len([e for e in of_class(picture, "g-stream") if e.get("data-edge")]) == 1
    assert texts(picture)[-2:] == ["message", "stream"]


def test_an_operation_that_starts_by_itself_is_marked() -> None:
    picture = drawn(pipeline(node("a", operation("tick", "google.protobuf.Empty", "Tick"))))

    assert len(of_class(picture, "g-start")) == 2  # at the row, and in the legend
    assert texts(picture)[-1] == "starts by itself"


def test_splitter_and_collator_have_shapes_of_their_own() -> None:
    shapes = [
        of_class(drawn(pipeline(node("n", role=role))), "g-card")[0]
        for role in (Role.WORKLOAD, Role.SPLITTER, Role.COLLATOR)
    ]

    assert [shape.tag for shape in shapes] == [f"{SVG}rect", f"{SVG}path", f"{SVG}path"]
    assert shapes[1].get("d") != shapes[2].get("d")


def test_a_shared_folder_lies_beneath_all_nodes() -> None:
    picture = drawn(pipeline(node("a"), folders=(SharedFolder(1, "/data/shared"), SharedFolder(2, "/models"))))

    assert len(of_class(picture, "g-shared-folder")) == 2
    assert "/models · mounted by every node" in texts(picture)


def test_another_type_than_the_usual_one_is_written_under_the_name() -> None:
    assert "DataBroker" in texts(drawn(pipeline(node("a", node_type="DataBroker"))))


def test_a_name_of_fifty_two_characters_is_whole_on_two_lines() -> None:
    name = "sudoku-design-evaluator-with-a-very-long-description"

    assert "".join(texts(drawn(pipeline(node(name))))[:2]) == name


def test_without_operations_there_is_one_line_for_a_pair_of_nodes() -> None:
    both = (Edge("a", "run", "b", "run"), Edge("a", "go", "b", "run"))
    nodes = node("a", operation("run"), operation("go")), node("b")

    picture = drawn(pipeline(*nodes, edges=both), operations=False)

    assert texts(picture) == ["a", "b"]
    assert [e.findtext(f"{SVG}title") for e in of_class(picture, "g-edge")] == ["a.run → b.run: A\na.go → b.run: A"]


def test_the_picture_says_in_words_what_it_shows() -> None:
    picture = drawn(pipeline(node("a"), node("b"), edges=(Edge("a", "run", "b", "run"),)))

    assert picture.get("role") == "img"
    assert picture.findtext(f"{SVG}title") == "demo"
    assert picture.findtext(f"{SVG}desc") == "2 nodes, 1 edge. a.run → b.run: A"


def test_a_file_of_its_own_carries_its_colours_and_a_part_of_a_page_does_not() -> None:
    solution = pipeline(node("a"))

    assert STYLE in svg(solution)
    assert "<style" not in svg(solution, standalone=False)


def test_colours_follow_the_reader_s_choice_of_dark_or_light() -> None:
    assert "@media (prefers-color-scheme:dark)" in STYLE


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", '"><svg onload=x>', "a\x00\x1b[2Jb", "\u202egnp", "]]>"])
def test_hostile_text_stays_text(bad: str) -> None:
    hostile = node("a", Operation(bad, Message(bad), Message(bad)), node_type=bad)
    edges = (Edge("a", bad, "a", bad), Edge("a", bad, bad, bad))

    text = svg(
        Solution(bad, bad, is_pipeline=True, nodes=(hostile,), edges=edges, shared_folders=(SharedFolder(1, bad),))
    )

    tags = {element.tag for element in ET.fromstring(text).iter()}  # noqa: S314 - our own text
    assert tags <= {f"{SVG}{name}" for name in ("svg", "title", "desc", "style", "rect", "g", "path", "circle", "text")}
    assert not {"\x00", "\x1b", "\u202e"} & set(text)


def test_nothing_in_the_picture_runs_or_is_fetched() -> None:
    text = svg(pipeline(node("a"), node("b"), edges=(Edge("a", "run", "b", "run"),)))

    assert [word for word in ("<script", "href", "url(", "@import", " id=", " style=", " on") if word in text] == []


def test_a_long_line_is_level_in_one_piece() -> None:
    steps = [Edge(f"n{n}", "run", f"n{n + 1}", "run") for n in range(5)]
    nodes = [node("n0", operation("run"), operation("far")), *(node(f"n{n}") for n in range(1, 5))]
    last = node("n5", operation("run"), operation("far"))

    picture = drawn(pipeline(*nodes, last, edges=(*steps, Edge("n0", "far", "n5", "far"))))

    (line,) = (e for e in of_class(picture, "g-edge") if e.get("data-edge") == "n0.far>n5.far")
    assert of_class(line, "g-line")[0].get("d", "").count("L") == 1


def test_an_edge_to_nowhere_is_left_out() -> None:
    picture = drawn(pipeline(node("a"), edges=(Edge("a", "run", "gone", "run"), Edge("a", "no-such", "a", "run"))))

    assert [line.get("data-edge") for line in of_class(picture, "g-edge")] == ["a.no-such>a.run"]


def test_a_solution_without_nodes_is_an_empty_picture() -> None:
    assert of_class(drawn(pipeline()), "g-node") == []


def test_the_same_solution_gives_the_same_text() -> None:
    assert svg(random_graph(40)) == svg(random_graph(40))


def test_a_real_pipeline_with_a_cycle_is_drawn_whole(test_data: Path) -> None:
    picture = drawn(corpus(test_data, "ai4eu-graphene--sudoku-stream"))

    assert len(of_class(picture, "g-node")) == 3
    assert len([e for e in of_class(picture, "g-edge") if e.get("data-edge")]) == 4


def test_a_real_pipeline_with_a_shared_folder_shows_it(test_data: Path) -> None:
    picture = drawn(corpus(test_data, "cloudferro--news-training-pi"))

    assert "/data/shared · mounted by every node" in texts(picture)


@pytest.mark.parametrize("seed", range(5))
def test_thirty_nodes_take_little_more_than_a_screen(seed: int) -> None:
    picture = drawn(random_graph(30, seed=seed))

    assert float(picture.get("width", "inf")) < 2700
    assert float(picture.get("height", "inf")) < 1500


def test_three_hundred_nodes_are_drawn_at_once() -> None:
    solution = random_graph(300)

    with within(0.5):  # five times what it takes where nobody else computes
        text = svg(solution)

    assert text.count('class="g-node') == 300


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_well_formed_xml(name: str, path: str) -> None:
    solution = pipeline(node(name, operation(path)), folders=(SharedFolder(1, path),))

    assert drawn(solution, standalone=True).tag == f"{SVG}svg"


def test_what_nodes_do_stands_at_the_foot_of_their_cards() -> None:
    told = Live(nodes={"a": Lamp(Light.BAD, "crashed <again> and again and again", "↻ 3")})

    picture = ET.fromstring(svg(pipeline(node("a"), node("b")), live=told))  # noqa: S314 - our own text

    (now,) = of_class(picture, "g-now")
    assert now.get("class") == "g-now g-bad"
    assert texts(now) == ["crashed <again> and…", "↻ 3"]


def test_what_goes_along_an_edge_stands_at_its_middle() -> None:
    there, back = Edge("a", "run", "b", "run"), Edge("b", "run", "a", "run")
    solution = pipeline(node("a"), node("b"), edges=(there, back))

    told = Live(edges={there: Flow("4.2/s", "7 waiting", is_moving=True), back: Flow()})
    picture = ET.fromstring(svg(solution, live=told))  # noqa: S314 - our own text

    assert [edge.get("class") for edge in of_class(picture, "g-edge")] == ["g-edge g-moving", "g-edge"]
    assert [figure.text or "" for figure in of_class(picture, "g-figure")] == ["4.2/s", "7 waiting", "", ""]


def test_a_picture_without_news_is_the_picture_as_ever() -> None:
    solution = pipeline(node("a"), node("b"), edges=(Edge("a", "run", "b", "run"),))

    assert svg(solution, live=Live()) == svg(solution)
