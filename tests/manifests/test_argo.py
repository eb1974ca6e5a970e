"""Every Argo bundle, in every mode that applies: the strict schemas of Argo's kinds, and those of Kubernetes for the rest."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.workflows import OPTIONS, every_bundle, objects

from shared.errors import InvalidOptionsError

GRAPHS = 100
OF_ARGO = ("Workflow", "WorkflowTemplate", "CronWorkflow")
Emitted = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def emitted(test_data: Path) -> Emitted:
    """Return the objects of every bundle, by solution and mode."""
    return {
        f"{name} {mode}": objects(made)
        for name, mode, made in every_bundle(test_data, GRAPHS, OPTIONS)
        if not isinstance(made, InvalidOptionsError)
    }


@pytest.fixture(scope="module")
def schemas(test_data: Path) -> dict[str, jsonschema.Draft7Validator]:
    """Return a validator for each of Argo's kinds."""
    folder = test_data / "schemas" / "compact"
    read = {kind: (folder / f"argoproj.io_v1alpha1_{kind.lower()}.schema.json").read_bytes() for kind in OF_ARGO}
    return {kind: jsonschema.Draft7Validator(json.loads(data)) for kind, data in read.items()}


def told(emitted: Emitted, schemas: dict[str, jsonschema.Draft7Validator]) -> Iterator[str]:
    for name, made in emitted.items():
        for path, each in made.items():
            for problem in schemas[each["kind"]].iter_errors(each) if each["kind"] in schemas else ():
                yield f"{name} {path} {problem.json_path}: {problem.message[:200]}"


def test_every_workflow_fulfils_the_strict_schema_of_argo(
    emitted: Emitted, schemas: dict[str, jsonschema.Draft7Validator]
):
    assert list(told(emitted, schemas)) == []
    assert len(emitted) > 200
    assert {name.rpartition(" ")[2] for name in emitted} == {"steps", "services", "persistent", "jobs"}


@pytest.mark.parametrize(
    "change",
    [
        {"entrypoint": 1},
        {"arguments": {"parameters": [{"name": "a", "value": 1, "type": "int"}]}},
        {"templates": [{"name": "a", "container": {"image": "a", "volumeMounts": [{"name": "b"}]}}]},
        {"templates": [{"name": "a", "memoize": {"key": "k", "cache": {"configMap": {"name": "c"}}}}]},
    ],
    ids=["a number for a text", "an unknown field", "a mount without a path", "a cache without an age"],
)
def test_the_schema_notices_what_is_wrong(change: dict[str, Any], schemas: dict[str, jsonschema.Draft7Validator]):
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {}, "spec": change}

    assert list(schemas["Workflow"].iter_errors(workflow)) != []


def test_every_other_object_is_valid(
    emitted: Emitted, validated: Callable[[Iterable[tuple[str, dict[str, Any]]]], list[dict[str, Any]]]
):
    entries = [
        (f"{name} {path}", each)
        for name, made in emitted.items()
        for path, each in made.items()
        if each["kind"] not in OF_ARGO
    ]

    *wrong, summary = validated(entries)

    assert wrong == []
    assert summary == {"validated": len(entries)}


def test_hera_reads_every_workflow_and_writes_it_back_unchanged(emitted: Emitted, tools: Callable[[str, str], Path]):
    entries = [
        {"source": f"{name} {path}", "manifest": each}
        for name, made in emitted.items()
        for path, each in made.items()
        if each["kind"] in OF_ARGO
    ]
    program = Path(__file__).with_name("hera_round_trip.py")
    lines = "".join(json.dumps(entry) + "\n" for entry in entries)
    python = tools("hera", "hera-requirements.txt") / "python"
    done = subprocess.run([python, program], input=lines, capture_output=True, text=True, check=True, timeout=900)

    *changed, summary = [json.loads(line) for line in done.stdout.splitlines()]

    assert changed == []
    assert summary == {"read": len(entries)}
