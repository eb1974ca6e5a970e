"""Labels, selectors and instances."""

from __future__ import annotations

from dataclasses import replace

from support.solutions import pipeline

from shared.kubernetes import labels
from shared.kubernetes.labels import Identity
from shared.solution import Ids, RevisionId, SolutionId

SOLUTION = pipeline("a", name="Sudoku Tutorial", ids=Ids(SolutionId("s-1"), RevisionId("r-1")))
IDENTITY = Identity.of(SOLUTION)


def test_an_object_says_what_it_belongs_to() -> None:
    assert IDENTITY.object_labels("a", labels.NODE) == {
        "app": "a",
        "app.kubernetes.io/name": "a",
        "app.kubernetes.io/instance": "sudoku-tutorial-6a840baf",
        "app.kubernetes.io/component": "node",
        "app.kubernetes.io/part-of": "sudoku-tutorial-0a9b93f8",
        "app.kubernetes.io/managed-by": "slipway",
        "slipway.dev/solution-id": "s-1",
        "slipway.dev/node": "a",
        "slipway.dev/revision-id": "r-1",
    }


def test_pods_do_not_name_the_revision_or_every_new_one_would_restart_them() -> None:
    assert "slipway.dev/revision-id" not in IDENTITY.pod_labels("a", labels.NODE)


def test_another_revision_has_the_same_selectors() -> None:
    later = Identity.of(replace(SOLUTION, ids=Ids(SolutionId("s-1"), RevisionId("r-2"))))

    assert later.selector("a") == IDENTITY.selector("a")


def test_another_solution_of_the_same_name_is_another_instance() -> None:
    other = Identity.of(replace(SOLUTION, ids=Ids(SolutionId("s-2"), RevisionId("r-1"))))

    assert other.instance != IDENTITY.instance


def test_unknown_ids_are_left_out() -> None:
    unknown = Identity.of(replace(SOLUTION, ids=None))

    made = unknown.object_labels("orchestrator", labels.ORCHESTRATOR)
    assert [key for key in made if key.startswith("slipway.dev/")] == []
    assert "" not in made.values()


def test_an_id_that_cannot_be_a_label_is_hashed() -> None:
    odd = Identity.of(replace(SOLUTION, ids=Ids(SolutionId("ends-with-dash-"), RevisionId("r"))))

    assert odd.solution_id == "ends-with-dash-8df05326"


def test_an_object_may_belong_to_another_one() -> None:
    metadata = IDENTITY.metadata("awebui", labels.NODE, app="a")

    assert (metadata["name"], metadata["labels"]["app"]) == ("awebui", "a")
