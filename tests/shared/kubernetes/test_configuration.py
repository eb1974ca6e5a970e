"""ConfigMaps: their data, their sizes, the volume over them."""

from __future__ import annotations

import base64
import json

import pytest
from support.lint import problems
from support.solutions import pipeline

from shared.kubernetes.configuration import config_map, digest, projected_volume
from shared.kubernetes.labels import Identity
from shared.orchestration.pipeline_files import MAX_PIECE_BYTES, join, split

IDENTITY = Identity.of(pipeline("a"))


@pytest.mark.parametrize(
    "text",
    ["x" * 900_000, "<&>" * 200_000, "\x00\x01" * 100_000, "é😀" * 100_000, '"\\\n' * 200_000],
    ids=["plain", "html", "control", "wide", "escaped"],
)
def test_no_config_map_is_too_large_for_kubectl_whatever_the_text(text: str) -> None:
    files = {"blueprint.json": text.encode(), "a.proto": text.encode()}

    groups = split(files)

    maps = [config_map(f"map-{number}", data, IDENTITY) for number, data in enumerate(groups)]
    assert problems(maps) == []
    assert max(len(json.dumps(made)) for made in maps) < MAX_PIECE_BYTES + 2_000
    assert join({name: data for group in groups for name, data in group.items()}) == files


def test_pieces_of_a_text_are_text() -> None:
    groups = split({"blueprint.json": "é😀".encode() * 60_000})

    assert [sorted(config_map("m", data, IDENTITY)) for data in groups] == [
        ["apiVersion", "data", "kind", "metadata"]
    ] * len(groups)


def test_bytes_that_are_no_text_are_kept() -> None:
    made = config_map("m", {"a.proto": b"\xff\xfe"}, IDENTITY)

    assert made["binaryData"] == {"a.proto": base64.b64encode(b"\xff\xfe").decode()}
    assert "data" not in made


def test_the_digest_changes_with_any_name_and_any_content() -> None:
    variants = [{"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1", "b": b""}, {"a": b"", "b": b"1"}, {}]

    assert len({digest(files) for files in variants}) == len(variants)


def test_the_digest_does_not_depend_on_the_order() -> None:
    assert digest({"a": b"1", "b": b"2"}) == digest({"b": b"2", "a": b"1"})


def test_every_source_of_the_volume_is_optional() -> None:
    assert projected_volume("pipeline", ["one", "two"]) == {
        "name": "pipeline",
        "projected": {
            "sources": [
                {"configMap": {"name": "one", "optional": True}},
                {"configMap": {"name": "two", "optional": True}},
            ]
        },
    }
