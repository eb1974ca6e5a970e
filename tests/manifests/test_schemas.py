"""Every object that we emit, against the strict schemas of the oldest and the newest Kubernetes that we support."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support.lint import problems
from support.solutions import objects

from shared.bundle import Bundle

Validate = Callable[[Iterable[tuple[str, dict[str, Any]]]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def emitted(all_bundles: dict[str, Bundle]) -> dict[str, dict[str, dict[str, Any]]]:
    return {name: objects(bundle) for name, bundle in all_bundles.items()}


def test_every_object_is_valid(emitted: dict[str, dict[str, dict[str, Any]]], validated: Validate) -> None:
    entries = [(f"{name}/{path}", made) for name, found in emitted.items() for path, made in found.items()]

    *wrong, summary = validated(entries)

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
def test_the_validator_notices_what_is_wrong(change: dict[str, Any], told: str, validated: Validate) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}}

    *wrong, _ = validated([("a", service | change)])

    assert [entry["version"] for entry in wrong] == ["1.30", "1.37"]
    assert told in wrong[0]["problem"]


def test_every_bundle_is_sound_beyond_its_schema(emitted: dict[str, dict[str, dict[str, Any]]]) -> None:
    found = {name: problems(list(made.values())) for name, made in emitted.items()}

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
