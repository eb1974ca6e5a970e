"""Whatever stands in a blueprint: the objects have the fields that we chose, and text stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import graph
from support.lint import problems
from support.solutions import assets, corpus, objects, samples

from kubernetes_client.generate import DEPLOYER
from shared.bundle import Bundle
from shared.errors import InvalidRequestError, InvalidSolutionError
from shared.findings import Findings
from shared.solution import Ids, SolutionFiles

# Every place in an object that any input can fill: lists as `[]`, keys that the caller chooses as `*`.
_FIELDS_FILE = Path(__file__).with_name("fields.txt")
FIELDS = frozenset(_FIELDS_FILE.read_text(encoding="utf-8").splitlines())
SEEDS = range(50)
_FREE_KEYS = ("nodeSelector", "data", "requests", "limits")

_ANNOTATION = re.compile(r"sha256:[0-9a-f]{64}|Delete=false,Prune=false|disabled|Replace=true,Force=true|enabled")

HOSTILE = (
    "a\n---\nkind: ClusterRoleBinding",
    "&a *a",
    "!!python/object/apply:os.system",
    "{{ .Values.x }}",
    "$(id)`id`${IFS}",
    "\x1b[2J\r\n",
    "' || true #",
    "y",
    "1e3",
    "08",
    "~",
    "<script>",
    "hostPath: /",
    "é\u2028\u0085",
)

_texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30), st.sampled_from(("a", "b", "node-1", "A_b")))
_signatures = st.fixed_dictionaries(
    {"operation_name": _texts}, optional={"input_message_name": _texts, "output_message_name": _texts}
)
_nodes = st.fixed_dictionaries(
    {"container_name": _texts},
    optional={
        "image": st.one_of(st.just("example/image:1"), _texts),
        "node_type": st.one_of(st.sampled_from(("MLModel", "DataBroker", "SharedFolder", "Splitter", "Probe")), _texts),
        "proto_uri": _texts,
        "operation_signature_list": st.lists(
            st.fixed_dictionaries({"operation_signature": _signatures, "connected_to": st.just([])}), max_size=2
        ),
        # What an author might hope to smuggle in.
        "hostPath": _texts,
        "privileged": st.booleans(),
        "serviceAccountName": _texts,
        "externalIPs": st.lists(_texts, max_size=1),
        "env": st.just([{"name": "X", "value": "y"}]),
    },
)
_blueprints = st.fixed_dictionaries(
    {"nodes": st.lists(_nodes, min_size=1, max_size=4)}, optional={"name": _texts, "version": _texts}
)


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every leaf."""
    if isinstance(value, dict) and value:
        free = path.rpartition(".")[2] in _FREE_KEYS
        for key, inner in value.items():
            yield from _paths(inner, f"{path}.{'*' if free else key}")
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _paths(inner, f"{path}[]")
    else:
        yield path


def _fields(bundle: Bundle) -> set[str]:
    return {f"{made['kind']}{path}" for made in objects(bundle).values() for path in _paths(made)}


@settings(max_examples=80, deadline=None)
@given(_blueprints, st.dictionaries(_texts, st.binary(max_size=40), max_size=2))
def test_no_blueprint_brings_a_field_of_its_own(blueprint: dict[str, Any], protos: dict[str, bytes]) -> None:
    files = SolutionFiles(name="x", blueprint=json.dumps(blueprint).encode(), protos=protos)

    try:
        bundle = DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())
    except InvalidSolutionError:
        return

    assert _fields(bundle) <= FIELDS
    assert problems(list(objects(bundle).values())) == []
    assert [text for text in _annotations(bundle) if not _ANNOTATION.fullmatch(text)] == []


def _annotations(bundle: Bundle) -> list[str]:
    owners = [owner for made in objects(bundle).values() for owner in (made, made.get("spec", {}).get("template", {}))]
    return [text for owner in owners for text in owner.get("metadata", {}).get("annotations", {}).values()]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_name_of_a_model_becomes_names_that_kubernetes_takes(text: str) -> None:
    files = SolutionFiles(name=text, model_image="example/image:1", protos={text: b"x"})

    try:
        bundle = DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())
    except InvalidSolutionError:
        return

    assert problems(list(objects(bundle).values())) == []
    assert _fields(bundle) <= FIELDS


@cache
def _random(seed: int) -> tuple[list[str], set[str]]:
    """Return the problems and the fields of a random bundle."""
    made = graph(seed, nodes=1 + seed % 7)
    bundle = DEPLOYER.build(made.files, DEPLOYER.parse_options(made.options), assets())
    return problems(list(objects(bundle).values())), _fields(bundle)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_graphs_with_random_options_are_sound(seed: int) -> None:
    found, fields = _random(seed)

    assert found == []
    assert fields <= FIELDS


def test_every_field_on_the_list_is_used(request: pytest.FixtureRequest) -> None:
    used = {field for seed in SEEDS for field in _random(seed)[1]}
    if request.config.getoption("--regenerate"):
        _FIELDS_FILE.write_text("".join(f"{field}\n" for field in sorted(used)), encoding="utf-8")

    assert used >= set(_FIELDS_FILE.read_text(encoding="utf-8").splitlines())


def test_samples_are_sound() -> None:
    for name, files in samples():
        bundle = DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())

        assert (name, problems(list(objects(bundle).values()))) == (name, [])


def test_every_real_solution_ends_in_a_sound_bundle_or_in_precise_findings(test_data: Path) -> None:
    results = {name: _bundle_or_findings(files) for name, files in corpus(test_data)}

    bundles = {name: result for name, result in results.items() if isinstance(result, Bundle)}
    refused = [finding for result in results.values() if isinstance(result, Findings) for finding in result.errors]
    assert {name: problems(list(objects(bundle).values())) for name, bundle in bundles.items()} == {
        name: [] for name in bundles
    }
    assert [finding for finding in refused if not finding.path.startswith("$.")] == []
    assert len(bundles) >= 7


def _bundle_or_findings(files: SolutionFiles) -> Bundle | Findings:
    try:
        return DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())
    except InvalidSolutionError as refused:
        return refused.findings


@settings(max_examples=30, deadline=None)
@given(st.text(min_size=1, max_size=63), st.text(min_size=1, max_size=63))
def test_ids_that_are_accepted_become_labels(solution_id: str, revision_id: str) -> None:
    try:
        ids = Ids.parse(solution_id, revision_id)
    except InvalidRequestError:
        return
    files = SolutionFiles(name="x", model_image="example/image:1", ids=ids)

    bundle = DEPLOYER.build(files, DEPLOYER.parse_options({}), assets())

    assert problems(list(objects(bundle).values())) == []
