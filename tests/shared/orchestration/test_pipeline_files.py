"""The files of a pipeline are cut to fit into ConfigMaps; their folder is read flat, and pieces are put together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.orchestration import pipeline_files


def test_small_files_share_one_config_map():
    assert pipeline_files.split({"blueprint.json": b"{}", "a.proto": b"message A {}"}) == [
        {"blueprint.json": b"{}", "a.proto": b"message A {}"}
    ]


def test_files_that_do_not_fit_together_get_a_config_map_each():
    groups = pipeline_files.split({"a.proto": b"x" * 100_000, "b.proto": b"y" * 100_000})

    assert [list(group) for group in groups] == [["a.proto"], ["b.proto"]]


def test_a_file_that_does_not_fit_is_cut_into_numbered_pieces():
    groups = pipeline_files.split({"blueprint.json": b"x" * 400_000})

    names = [name for group in groups for name in group]
    assert names == ["blueprint.json.000", "blueprint.json.001", "blueprint.json.002", "blueprint.json.003"]


def test_bytes_that_are_no_text_are_cut_anywhere():
    files = {"a.proto": b"\x80" * 300_000}

    groups = pipeline_files.split(files)

    assert pipeline_files.join({name: data for group in groups for name, data in group.items()}) == files
    assert len(groups) == 3


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}\.(proto|json)", fullmatch=True),
        st.builds(lambda unit, times: unit * times, st.binary(min_size=1, max_size=12), st.integers(0, 40_000)),
        max_size=5,
    )
)
def test_what_is_cut_is_put_together_again(files: dict[str, bytes]):
    pieces = {name: data for group in pipeline_files.split(files) for name, data in group.items()}

    assert pipeline_files.join(pieces) == files


def test_pieces_become_the_file_in_their_order():
    files = {"b.json.001": b"cd", "a.proto": b"x", "b.json.000": b"ab", "b.json.002": b"e"}

    assert pipeline_files.join(files) == {"a.proto": b"x", "b.json": b"abcde"}


@pytest.mark.parametrize("names", [["a.001"], ["a.000", "a.002"], ["a", "a.000"]])
def test_a_missing_piece_and_a_doubled_file_are_errors(names):
    with pytest.raises(ValueError, match=r"^a: expected the file, or its pieces"):
        pipeline_files.join(dict.fromkeys(names, b""))


def test_the_hidden_folders_of_a_mounted_config_map_are_left_out(tmp_path):
    (tmp_path / "..2026_01_01").mkdir()
    (tmp_path / "..2026_01_01" / "a.proto").write_bytes(b"x")
    (tmp_path / "..data").symlink_to("..2026_01_01")
    (tmp_path / "a.proto").symlink_to("..data/a.proto")

    assert pipeline_files.read(tmp_path) == {"a.proto": b"x"}


def test_config_maps_in_numbered_folders_are_read_as_one(tmp_path: Path):
    for number, data in enumerate(pipeline_files.split({"large": b"x" * 400_000, "small": b"y"}), start=1):
        (tmp_path / str(number)).mkdir()
        for name, content in data.items():
            (tmp_path / str(number) / name).write_bytes(content)

    assert pipeline_files.read(tmp_path) == {"large": b"x" * 400_000, "small": b"y"}
