"""Every object that we emit, against the strict schemas of the oldest and the newest Kubernetes that we support."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from support.lint import problems
from support.solutions import objects

from shared.bundle import Bundle

VERSIONS = ("1.30", "1.37")
VALIDATE_SECONDS = 900

Tools = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def emitted(all_bundles: dict[str, Bundle]) -> dict[str, dict[str, dict[str, Any]]]:
    return {name: objects(bundle) for name, bundle in all_bundles.items()}


def _validated(tools: Tools, entries: Iterable[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return what the validator prints: a line per problem, and one with the count of objects."""
    lines = "".join(json.dumps({"source": source, "manifest": manifest}) + "\n" for source, manifest in entries)
    script = Path(__file__).with_name("validate.py")
    python = tools("manifests", "requirements.txt") / "python"
    done = subprocess.run(
        [python, script, *VERSIONS], input=lines, capture_output=True, text=True, check=True, timeout=VALIDATE_SECONDS
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_object_is_valid(emitted: dict[str, dict[str, dict[str, Any]]], tools: Tools) -> None:
    entries = [(f"{name}/{path}", made) for name, found in emitted.items() for path, made in found.items()]

    *wrong, summary = _validated(tools, entries)

    assert wrong == []
    assert summary == {"validated": len(entries)}
    assert len(entries) > 5_000


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"spec": {"ports": [{"port": "8556"}]}}, "spec.ports.0.port"),
        ({"metadata": {"name": 8}}, "metadata.name"),
        ({"spec": {"externalIP": "1.2.3.4"}}, "externalIP"),
    ],
    ids=["a text for a number", "a number for a text", "an unknown field"],
)
def test_the_validator_notices_what_is_wrong(change: dict[str, Any], told: str, tools: Tools) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}}

    *wrong, _ = _validated(tools, [("a", service | change)])

    assert [entry["version"] for entry in wrong] == list(VERSIONS)
    assert told in wrong[0]["problem"]


def test_every_bundle_is_sound_beyond_its_schema(emitted: dict[str, dict[str, dict[str, Any]]]) -> None:
    found = {name: problems(list(made.values())) for name, made in emitted.items()}

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
