"""Which mode fits which graph, and what is said when a wanted one cannot work."""

from __future__ import annotations

import pytest
from support.solutions import model, node, pipeline
from support.workflows import chain, edge, operation, source

from shared.errors import InvalidOptionsError
from shared.solution import Role, Solution
from shared.workflows import modes, operations
from shared.workflows.modes import Mode

NOTHING: frozenset[str] = frozenset()


def chosen(solution: Solution, wanted: str = "auto", jobs: frozenset[str] = NOTHING) -> modes.Chosen:
    return modes.choose(solution, operations.graph(solution), jobs, wanted)


def streaming() -> Solution:
    first = node("a", operations=(operation("run", "Empty", streams=True),))
    return pipeline(first, "b", edges=(edge("a.run", "b.run"),))


def turning() -> Solution:
    page = node("page", operations=(operation("ask", "Empty"), operation("tell", made="Empty")))
    return pipeline(page, "solver", edges=(edge("page.ask", "solver.run"), edge("solver.run", "page.tell")))


def legacy() -> Solution:
    nodes = [node(name, operations=(operation("run", "", ""),)) for name in "ab"]
    return pipeline(*nodes, edges=(edge("a.run", "b.run"),), protos={})


@pytest.mark.parametrize(
    ("solution", "mode"),
    [
        (chain("a", "b"), Mode.STEPS),
        (streaming(), Mode.SERVICES),
        (turning(), Mode.SERVICES),
        (pipeline("a", "b"), Mode.SERVICES),
        (model(), Mode.SERVICES),
        (legacy(), Mode.JOBS),
    ],
    ids=["chain", "stream", "nodes in turn", "nothing starts", "model", "legacy"],
)
def test_the_graph_says_which_mode_fits(solution: Solution, mode: Mode):
    assert chosen(solution).mode is mode


def test_nodes_without_operations_are_jobs():
    nodes = [node(name, operations=()) for name in "ab"]

    assert chosen(pipeline(*nodes), jobs=frozenset("ab")).mode is Mode.JOBS


def test_the_reason_is_a_note():
    (note,) = chosen(streaming()).findings

    assert (note.code, note.severity) == ("workflow-mode", "note")
    assert note.found == "services: a.run streams, and an artifact is there only when its task has ended"


@pytest.mark.parametrize(
    ("solution", "wanted", "words"),
    [
        (streaming(), "steps", "a.run streams"),
        (pipeline("a", "b", edges=(edge("a.run", "b.run"), edge("b.run", "a.run"))), "steps", "form a loop"),
        (pipeline("a"), "steps", "nothing starts a run"),
        (model(), "steps", "a model has no edges"),
        (pipeline(node("a", operations=(operation("{{x}}", "Empty"),))), "steps", "no rpc can be called"),
        (turning(), "jobs", "the nodes .* form a loop"),
        (model(), "jobs", "a model serves"),
        (pipeline(source("a"), node("s", role=Role.SPLITTER, image=None)), "jobs", "s is a splitter"),
    ],
)
def test_a_mode_that_cannot_work_is_refused_with_the_reason(solution: Solution, wanted: str, words: str):
    with pytest.raises(InvalidOptionsError, match=f"options: mode: .* found {wanted}: .*{words}"):
        chosen(solution, wanted)


@pytest.mark.parametrize("wanted", ["steps", "services"])
def test_a_job_that_others_call_is_refused(wanted: str):
    with pytest.raises(InvalidOptionsError, match="b is a job, and has operations that would be called"):
        chosen(chain("a", "b"), wanted, jobs=frozenset("b"))


def test_services_without_anything_to_call_are_refused():
    with pytest.raises(InvalidOptionsError, match="every node runs to completion"):
        chosen(pipeline(node("a", operations=())), "services", jobs=frozenset("a"))


def test_steps_warn_of_state_that_operations_of_one_node_may_share():
    (warning,) = chosen(turning(), "steps").findings

    assert (warning.code, warning.path) == ("operations-share-state", "$.nodes[page]")


def test_steps_warn_of_operations_that_no_run_reaches():
    solution = pipeline(source("a"), "idle")

    (warning,) = chosen(solution, "steps").findings

    assert (warning.code, warning.path) == ("operation-idle", "$.nodes[idle]")


def test_jobs_warn_that_nothing_is_called():
    assert [finding.code for finding in chosen(chain("a", "b"), "jobs").findings] == ["operations-not-called"]


def test_persistent_always_works():
    assert {chosen(each, "persistent").mode for each in (model(), streaming(), legacy())} == {Mode.PERSISTENT}


def test_a_node_without_operations_is_taken_for_a_service_where_others_are_called():
    page = node("page", operations=())

    assert modes.kinds(pipeline(source("a"), page)) == {"a": "service", "page": "service"}
    assert modes.kinds(pipeline(page)) == {"page": "job"}


def test_a_node_that_speaks_http_is_never_taken_for_a_job():
    page = node("page", operations=(), node_type="REST")

    assert modes.kinds(pipeline(page)) == {"page": "service"}


def test_a_run_that_nothing_starts_is_told_of():
    found = chosen(pipeline("a", "b", edges=(edge("a.run", "b.run"),)), "services")

    assert "nothing-starts" in {finding.code for finding in found.findings.warnings}
    assert "nothing-starts" not in {finding.code for finding in chosen(chain("a", "b"), "services").findings}


def test_a_job_that_would_be_called_is_refused():
    with pytest.raises(InvalidOptionsError, match="expected jobs that nobody calls, found one: b is a job"):
        chosen(chain("a", "b"), jobs=frozenset({"b"}))


@pytest.mark.parametrize("wanted", ["auto", "persistent"])
def test_a_solution_in_which_nothing_runs_is_refused(wanted: str):
    with pytest.raises(InvalidOptionsError, match="no node has a program of its own"):
        chosen(pipeline(node("split", role=Role.SPLITTER, image=None)), wanted)
