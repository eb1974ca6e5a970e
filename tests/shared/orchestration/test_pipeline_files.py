"""The folder of a pipeline is read flat, and pieces are put together."""

from __future__ import annotations

import pytest

from shared.orchestration import pipeline_files


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
