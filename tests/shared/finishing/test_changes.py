"""What became of an object, seen without what the cluster keeps for itself."""

from __future__ import annotations

from shared.finishing.changes import CHANGED, CREATED, UNCHANGED, Change, change_of, changes_between, tally

BEFORE = {
    "kind": "Deployment",
    "metadata": {
        "name": "a",
        "resourceVersion": "1",
        "generation": 1,
        "annotations": {"deployment.kubernetes.io/revision": "1"},
    },
    "spec": {"replicas": 1, "containers": [{"name": "a", "image": "a:1"}]},
    "status": {"replicas": 1},
}


def test_an_object_that_was_not_there_is_created():
    assert change_of(None, BEFORE) == Change("Deployment", "a", CREATED)


def test_status_and_bookkeeping_are_no_change():
    after = {**BEFORE, "metadata": {"name": "a", "resourceVersion": "2", "generation": 2}, "status": {"replicas": 0}}

    assert change_of(BEFORE, after) == Change("Deployment", "a", UNCHANGED)


def test_a_change_tells_the_fields():
    after = {**BEFORE, "spec": {"containers": [{"name": "a", "image": "a:2"}], "paused": True}}

    change = change_of(BEFORE, after)

    assert change == Change("Deployment", "a", CHANGED, ("spec.containers[0].image", "spec.paused", "spec.replicas"))
    assert change.title == "Deployment/a (spec.containers[0].image, spec.paused, spec.replicas)"


def test_lists_of_other_length_differ_as_a_whole():
    after = {**BEFORE, "spec": {"replicas": 1, "containers": []}}

    assert change_of(BEFORE, after).paths == ("spec.containers",)


def test_a_title_names_the_first_fields_only():
    change = Change("Job", "a", CHANGED, tuple("abcdef"))

    assert change.title == "Job/a (a, b, c, d and 2 more)"


def test_objects_are_matched_by_kind_and_name():
    service = {"kind": "Service", "metadata": {"name": "a"}}

    changes = changes_between([BEFORE], [BEFORE, service])

    assert [change.what for change in changes] == [UNCHANGED, CREATED]
    assert tally(changes) == "1 unchanged, 1 created"
