"""The graph per operation: what starts, what is reached, what loops, and how tasks are called."""

from __future__ import annotations

import pytest
from support.solutions import node, pipeline
from support.workflows import chain, edge, operation, source

from shared.naming import is_label
from shared.solution import Role, Solution
from shared.workflows import operations


def talk() -> Solution:
    """Return two nodes that call each other in turn, while their operations form no loop."""
    page = node("page", operations=(operation("ask", "Empty"), operation("tell", made="Empty")))
    return pipeline(page, "solver", edges=(edge("page.ask", "solver.run"), edge("solver.run", "page.tell")))


def test_an_operation_with_an_empty_input_and_no_edge_into_it_starts_a_run():
    assert [task.key for task in operations.graph(chain("a", "b", "c")).sources] == ["a.run"]


def test_an_operation_whose_input_nobody_knows_starts_a_run_where_nothing_feeds_it():
    graph = operations.graph(
        pipeline(node("a", operations=(operation("run", ""),)), "b", edges=(edge("a.run", "b.run"),))
    )

    assert [task.key for task in graph.sources] == ["a.run"]


def test_the_last_operation_is_a_sink():
    assert [task.key for task in operations.graph(chain("a", "b", "c")).sinks] == ["c.run"]


def test_nodes_that_call_each_other_in_turn_are_a_loop_of_nodes_and_none_of_operations():
    graph = operations.graph(talk())

    assert graph.cycle == ()
    assert set(graph.node_cycle) == {"page", "solver"}


def test_a_loop_of_operations_is_told_from_its_beginning_to_its_beginning():
    solution = pipeline("a", "b", edges=(edge("a.run", "b.run"), edge("b.run", "a.run")))

    loop = operations.graph(solution).cycle

    assert loop[0] == loop[-1]
    assert set(loop) == {"a.run", "b.run"}


def test_a_node_that_feeds_itself_is_a_loop_of_operations_and_none_of_different_nodes():
    graph = operations.graph(pipeline("a", edges=(edge("a.run", "a.run"),)))

    assert (graph.cycle, graph.node_cycle) == (("a.run", "a.run"), ())


def test_what_no_run_reaches_is_left_out_of_what_runs():
    solution = pipeline(source("a"), "b", "idle", "c", edges=(edge("a.run", "b.run"), edge("idle.run", "c.run")))

    running = operations.graph(solution).running

    assert [task.key for task in running.tasks] == ["a.run", "b.run"]
    assert [each.target for each in running.edges] == ["b.run"]


def test_an_edge_that_stands_twice_is_one():
    assert len(operations.graph(pipeline("a", "b", edges=(edge("a.run", "b.run"),) * 2)).edges) == 1


def test_a_node_with_two_operations_may_share_state_between_them():
    assert list(operations.graph(talk()).sharing) == ["page"]


def test_the_probe_has_no_operations():
    probe = node("probe", role=Role.PROBE, image=None)

    assert operations.graph(pipeline(probe)).tasks == ()


def test_tasks_are_called_by_node_and_operation():
    names = operations.names(operations.graph(chain("a", "b")).tasks, reserved=frozenset())

    assert names == {"a.run": "a-run", "b.run": "b-run"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a-b", "c"), ("a", "b-c")),
        (("a", "Run"), ("a", "run")),
        (("a", "run_it"), ("a", "run-it")),
        (("x" * 52, "run"), ("x" * 52, "runs")),
        (("a", "{{workflow.name}}"), ("a", "$(id)")),
    ],
)
def test_tasks_that_read_alike_get_different_labels(first: tuple[str, str], second: tuple[str, str]):
    nodes = [node(name, operations=(operation(called),)) for name, called in (first, second)]
    tasks = operations.graph(pipeline(*nodes)).tasks

    names = operations.names(tasks, reserved=frozenset({"pipeline"}))

    assert len(set(names.values())) == 2
    assert all(is_label(name, 52) for name in names.values())


def test_names_do_not_depend_on_the_order():
    tasks = operations.graph(chain("a", "b", "c")).tasks
    taken = frozenset({"a-run"})

    assert operations.names(tasks, reserved=taken) == operations.names(tasks[::-1], reserved=taken)


def test_a_reserved_name_gets_a_hash():
    names = operations.distinct({"report": "report", "other": "other"}, reserved=frozenset({"report"}))

    assert names["other"] == "other"
    assert names["report"].startswith("report-")
