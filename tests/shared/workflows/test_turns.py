"""Turns of jobs: read off manifests, whoever wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.workflows import turns


def job(name: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": "Job", "metadata": {"name": name, **metadata}}


def test_a_turn_stands_beside_the_other_annotations():
    made = turns.annotated(job("seed", annotations={"a": "b"}), 1)

    assert made["metadata"]["annotations"] == {"a": "b", "slipway.dev/turn": "0001"}


def test_jobs_come_in_the_order_of_their_turns_and_what_has_none_is_left_out():
    tenth, second = turns.annotated(job("a"), 10), turns.annotated(job("b"), 2)
    deployment = turns.annotated({"kind": "Deployment", "metadata": {"name": "c"}}, 1)

    assert turns.in_turn([tenth, job("d"), deployment, second]) == [second, tenth]


@pytest.mark.parametrize("annotations", [None, [], "x", {turns.ANNOTATION: ""}])
def test_what_is_no_turn_is_none(annotations: Any):
    assert turns.in_turn([job("a", annotations=annotations)]) == []
