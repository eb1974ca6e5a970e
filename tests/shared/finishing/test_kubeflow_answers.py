"""Answers of an API that may hold anything."""

from __future__ import annotations

from typing import Any

import pytest

from shared.finishing import kubeflow_answers as answers


@pytest.mark.parametrize("value", [None, "", 5, [], "..", "a/b", "-a", "a" * 65, "a\n"])
def test_what_is_no_id_becomes_no_part_of_a_path(value: Any):
    with pytest.raises(ValueError, match=r"the API answers without a run_id: found .*; is --url the address"):
        answers.identity_of({"run_id": value}, "run_id")


def test_an_id_is_taken_as_it_is():
    assert answers.identity_of({"run_id": "7f4e-A1"}, "run_id") == "7f4e-A1"


@pytest.mark.parametrize("value", [None, 5, ["a"], {"a": 1}])
def test_texts_are_texts(value: Any):
    assert answers.text_of({"a": value}, "a") == ""
    assert answers.text_of({"a": "b"}, "a") == "b"


@pytest.mark.parametrize("value", [None, 5, ["a"], "a"])
def test_parts_are_objects(value: Any):
    assert answers.part_of({"a": value}, "a") == {}
    assert answers.part_of({"a": {"b": 1}}, "a") == {"b": 1}


@pytest.mark.parametrize("value", [5, "abc", {"a": {}}, ["abc"], [{}, None]])
def test_a_list_holds_objects_alone(value: Any):
    with pytest.raises(ValueError, match="something else than objects in runs"):
        answers.parts_of({"runs": value}, "runs")


@pytest.mark.parametrize("value", [None, []])
def test_a_list_may_be_empty_or_left_out(value: Any):
    assert answers.parts_of({"runs": value}, "runs") == []
