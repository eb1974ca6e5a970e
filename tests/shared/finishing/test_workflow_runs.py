"""Runs of a workflow, read off what Argo writes into its object."""

from __future__ import annotations

from typing import Any

import pytest

from shared.finishing import workflow_runs as runs

WORKFLOW: dict[str, Any] = {
    "metadata": {"generateName": "w-", "labels": {"a": "b"}},
    "spec": {
        "arguments": {"parameters": [{"name": "run-seconds", "value": "60"}]},
    },
}


def test_a_run_that_argo_has_not_seen_is_pending():
    assert (runs.phase_of({}), runs.has_ended({}), runs.is_seen({})) == ("Pending", False, False)


def test_a_run_that_waits_for_others_is_seen():
    assert runs.is_seen({"status": {"phase": "Pending"}})


@pytest.mark.parametrize(
    ("phase", "ended"), [("Running", False), ("Succeeded", True), ("Failed", True), ("Error", True)]
)
def test_a_run_has_ended_in_three_ways(phase: str, *, ended: bool):
    assert runs.has_ended({"status": {"phase": phase}}) is ended


def test_tasks_are_told_with_what_argo_says_and_groups_are_not():
    nodes = {
        "1": {"type": "DAG", "displayName": "w", "phase": "Running"},
        "2": {"type": "Pod", "displayName": "a", "phase": "Failed", "message": "exit code 1"},
        "3": {"type": "Pod", "displayName": "b"},
        "4": {"type": "DAG", "displayName": "c", "phase": "Running", "memoizationStatus": {"hit": False}},
        "5": {"type": "DAG", "displayName": "d", "phase": "Succeeded", "memoizationStatus": {"hit": True}},
    }

    assert runs.tasks_of({"status": {"nodes": nodes}}) == {
        "a": "Failed: exit code 1",
        "b": "Pending",
        "d": "Succeeded, from the cache",
    }


def test_a_submission_has_its_own_name_and_values():
    made = runs.submission_of(WORKFLOW, "w-1", {"run-seconds": "5"})

    assert made["metadata"] == {"name": "w-1", "labels": {"a": "b"}}
    assert made["spec"]["arguments"]["parameters"] == [{"name": "run-seconds", "value": "5"}]
    assert WORKFLOW["spec"]["arguments"]["parameters"][0]["value"] == "60"


def test_a_parameter_that_is_none_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match="--parameter speed: this workflow has run-seconds"):
        runs.submission_of(WORKFLOW, "w-1", {"speed": "5"})


def test_the_latest_run_is_the_youngest():
    found = [
        {"metadata": {"name": name, "creationTimestamp": time}} for name, time in (("b", "2026-1"), ("a", "2026-2"))
    ]

    assert runs.latest_of(found)["metadata"]["name"] == "a"
    with pytest.raises(ValueError, match="no run of this workflow"):
        runs.latest_of([])
