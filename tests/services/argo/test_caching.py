"""What Argo takes again instead of running it: only what nothing has changed for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.solutions import folders, node
from support.workflows import argo, chain, objects, templates

from shared.bundle import Bundle
from shared.solution import ImageRef, Role, Solution


def key_of(solution: Solution, **options: Any) -> str:
    key: str = templates(argo(solution, caching={}, **options))["b-run-Kept"]["memoize"]["key"]
    return key


@pytest.mark.parametrize(
    "options",
    [
        {"environment": {"LEVEL": "2"}},
        {"environment": {"ODD": "{{workflow.name}}"}},
        {"nodes": {"b": {"command": ["run"]}}},
        {"secrets": {"KEY": {"secret": "vault", "key": "token"}}},
        {"artifacts": {"key": "minio"}},
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


def test_each_step_has_a_cache_of_its_own_for_each_namespace():
    made = argo(chain("a", "b", "c", "d"), caching={})

    instance = objects(made)["argo/workflow-template.yaml"]["metadata"]["name"]
    kept = [templates(made)[name]["memoize"] for name in ("b-run-Kept", "c-run-Kept")]
    assert [each["cache"]["configMap"]["name"] for each in kept] == [
        f"{{{{workflow.namespace}}}}.{instance}-cache-b-run",
        f"{{{{workflow.namespace}}}}.{instance}-cache-c-run",
    ]
    assert not any("cache" in path for path in made.files), "Argo makes them, where its controller is"


def codes(made: Bundle) -> dict[str, str]:
    return {finding.code: finding.path for finding in made.findings.warnings if "cache" in finding.code}


def test_what_argo_has_to_be_told_before_it_keeps_anything_is_said():
    (finding,) = [each for each in argo(chain("a", "b", "c"), caching={}).findings if each.code == "cache-kept-by-argo"]

    assert "CACHE_GC_PERIOD" in finding.hint
    assert codes(argo(chain("a", "b", "c"))) == {}


def test_a_step_that_is_cached_is_tried_again_within_what_is_kept():
    made = templates(argo(chain("a", "b", "c", "d"), caching={}))

    kept, step = made["b-run-Kept"], made["b-run"]
    assert {task["name"]: task["template"] for task in made["pipeline"]["dag"]["tasks"]} == {
        "a-run": "a-run",
        "b-run": "b-run-Kept",
        "c-run": "c-run-Kept",
        "d-run": "d-run",
    }
    assert ("retryStrategy" in kept, "retryStrategy" in step) == (False, True)
    assert ("memoize" in kept, "memoize" in step) == (True, False)
    assert kept["inputs"] == {"parameters": [{"name": "digest-1"}], "artifacts": [{"name": "a-run-to-b-run"}]}
    assert kept["outputs"] == {
        "artifacts": [{"name": "b-run-to-c-run", "from": "{{tasks.b-run.outputs.artifacts.b-run-to-c-run}}"}],
        "parameters": [{"name": "digest", "valueFrom": {"parameter": "{{tasks.b-run.outputs.parameters.digest}}"}}],
    }
    (task,) = kept["dag"]["tasks"]
    handed = [{"name": "a-run-to-b-run", "from": "{{inputs.artifacts.a-run-to-b-run}}"}]
    assert task == {"name": "b-run", "template": "b-run", "arguments": {"artifacts": handed}}


def test_a_cache_between_a_source_and_a_sink_is_told_to_hold_nothing():
    assert codes(argo(chain("a", "b"), caching={})) == {"step-not-cached": "options.caching"}
    assert codes(argo(chain("a", "b"))) == {}


def test_nodes_that_share_a_folder_are_not_cached():
    """What lies in the folder is in no message, and so in no key."""
    made = argo(chain("a", "b", "c", shared_folders=folders("/data")), caching={})

    assert "b-run-Kept" not in templates(made)
    assert not any("--digest" in argument for argument in templates(made)["a-run"]["container"]["args"])
    assert codes(made) == {"step-not-cached": "options.caching"}


DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "options", "is_cached"),
    [
        ("x", {}, False),
        ("x:latest", {}, False),
        ("x:latest" + DIGEST, {}, True),
        ("x:1", {}, True),
        ("x:1", {"imagePullPolicy": "Always"}, False),
        ("x:1" + DIGEST, {"imagePullPolicy": "Always"}, True),
        ("x:1", {"nodes": {"b": {"imagePullPolicy": "Always"}}}, False),
    ],
)
def test_an_image_that_may_be_another_one_tomorrow_is_not_cached(
    image: str, options: dict[str, Any], *, is_cached: bool
):
    solution = chain("a", "b", "c")
    moved = replace(
        solution, nodes=(solution.nodes[0], replace(solution.nodes[1], image=ImageRef(image)), solution.nodes[2])
    )

    made = argo(moved, caching={}, **options)

    assert ("b-run-Kept" in templates(made)) is is_cached
    assert ("step-not-cached" in codes(made)) is not is_cached
