"""What Argo takes again instead of running it: only what nothing has changed for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.solutions import node
from support.workflows import argo, chain, objects, templates

from shared.solution import ImageRef, Role, Solution


def key_of(solution: Solution, **options: Any) -> str:
    key: str = templates(argo(solution, caching={}, **options))["b-run"]["memoize"]["key"]
    return key


@pytest.mark.parametrize(
    "options",
    [
        {"environment": {"LEVEL": "2"}},
        {"environment": {"ODD": "{{workflow.name}}"}},
        {"nodes": {"b": {"command": ["run"]}}},
        {"secrets": {"KEY": {"secret": "vault", "key": "token"}}},
    ],
)
def test_what_a_step_s_output_depends_on_is_in_its_key(options: dict[str, Any]):
    solution = chain("a", "b", "c")

    assert key_of(solution, **options) != key_of(solution)
    assert key_of(solution, **options) == key_of(solution, **options)


def test_another_proto_or_another_graph_is_another_key():
    solution = chain("a", "b", "c")
    split = node("c", role=Role.SPLITTER, image=None, settings={"splitter_type": "Copy-based"})

    changed = replace(solution, protos={"b": b'syntax = "proto3"; message Text {}'})
    other = replace(solution, nodes=(*solution.nodes[:2], split))
    assert len({key_of(solution), key_of(changed), key_of(other)}) == 3


def test_the_image_of_another_node_leaves_a_key_as_it_is():
    solution = chain("a", "b", "c")
    newer = replace(solution, nodes=(*solution.nodes[:2], replace(solution.nodes[2], image=ImageRef("x:2"))))

    assert key_of(newer) == key_of(solution)


def test_parameters_of_a_run_are_in_the_digests_that_keys_are_made_of():
    made = templates(argo(chain("a", "b", "c"), caching={}, parameters={"LEVEL": 1}))

    assert "--digest-with=LEVEL={{workflow.parameters.LEVEL}}" in made["a-run"]["container"]["args"]


def test_the_cache_is_ours_and_goes_with_the_rest():
    made = argo(chain("a", "b", "c"), caching={})

    cache = objects(made)["argo/configmap-cache.yaml"]
    assert templates(made)["b-run"]["memoize"]["cache"] == {"configMap": {"name": cache["metadata"]["name"]}}
    assert cache["metadata"]["labels"]["workflows.argoproj.io/configmap-type"] == "Cache"
    assert cache["metadata"]["labels"]["app.kubernetes.io/component"] == "workflow-argo"
    assert "data" not in cache
