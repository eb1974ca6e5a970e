"""ConfigMaps: cutting, joining, sizes."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lint import problems
from support.solutions import pipeline

from shared.kubernetes.configuration import MAX_PIECE_BYTES, config_map, digest, join, projected_volume, split
from shared.kubernetes.labels import Identity

IDENTITY = Identity.of(pipeline("a"))


def test_small_files_share_one_config_map() -> None:
    assert split({"blueprint.json": b"{}", "a.proto": b"message A {}"}) == [
        {"blueprint.json": b"{}", "a.proto": b"message A {}"}
    ]


def test_files_that_do_not_fit_together_get_a_config_map_each() -> None:
    groups = split({"a.proto": b"x" * 100_000, "b.proto": b"y" * 100_000})

    assert [list(group) for group in groups] == [["a.proto"], ["b.proto"]]


def test_a_file_that_does_not_fit_is_cut_into_numbered_pieces() -> None:
    groups = split({"blueprint.json": b"x" * 400_000})

    names = [name for group in groups for name in group]
    assert names == ["blueprint.json.000", "blueprint.json.001", "blueprint.json.002", "blueprint.json.003"]


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


def test_pieces_may_come_in_any_order() -> None:
    assert join({"a.001": b"b", "x.proto": b"x", "a.000": b"a"}) == {"x.proto": b"x", "a": b"ab"}


def test_a_missing_piece_is_noticed() -> None:
    with pytest.raises(ValueError, match=r"a: expected the pieces \.000 to \.002, found 2 of them"):
        join({"a.000": b"a", "a.002": b"c"})


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}\.(proto|json)", fullmatch=True),
        st.builds(lambda unit, times: unit * times, st.binary(min_size=1, max_size=12), st.integers(0, 40_000)),
        max_size=5,
    )
)
def test_what_is_cut_is_put_together_again(files: dict[str, bytes]) -> None:
    pieces = {name: data for group in split(files) for name, data in group.items()}

    assert join(pieces) == files


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


def test_bytes_that_are_no_text_are_cut_anywhere() -> None:
    files = {"a.proto": b"\x80" * 300_000}

    groups = split(files)

    assert join({name: data for group in groups for name, data in group.items()}) == files
    assert len(groups) == 3
