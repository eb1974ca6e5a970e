"""Paths in archives: only such as mean one and the same file everywhere."""

from __future__ import annotations

import pytest

from shared import archive_paths
from shared.errors import InvalidArchiveError


@pytest.mark.parametrize(
    "path",
    [
        "blueprint.json",
        "deployments/sudoku-gui_service_webui.yaml",
        ".hidden/.x",
        "a b/c (1).txt",
        "größe/日本.txt",
        "..a/b..",
        "ab:c",
        "d/" * 120 + "deep",
        "x" * 255,
    ],
)
def test_an_ordinary_path_passes(path: str) -> None:
    archive_paths.check([path])

    assert archive_paths.PATH_BYTES == 255


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("../evil", r'"\.\./evil": expected names between the slashes', id="parent"),
        pytest.param("a/../../evil", "expected names between the slashes", id="parent inside"),
        pytest.param("a/..", "expected names between the slashes", id="parent at the end"),
        pytest.param("./a", "expected names between the slashes", id="dot"),
        pytest.param("a//b", "expected names between the slashes", id="empty name"),
        pytest.param("a/", "expected names between the slashes", id="a slash at the end"),
        pytest.param("", "expected names between the slashes", id="empty path"),
        pytest.param(".. /evil", "expected names between the slashes", id="parent on Windows"),
        pytest.param("a/.../b", "expected names between the slashes", id="dots"),
        pytest.param(" ", "expected names between the slashes", id="space"),
        pytest.param("/etc/passwd", "expected a relative path", id="absolute"),
        pytest.param("C:/evil", "expected a relative path", id="drive"),
        pytest.param("c:evil", "expected a relative path", id="relative to a drive"),
        pytest.param("a\\..\\b", "expected a path without backslashes", id="backslash"),
        pytest.param("\\\\host\\share", "expected a path without backslashes", id="network share"),
        pytest.param("a\0.txt", r'"a\\u0000\.txt": expected printable characters', id="NUL"),
        pytest.param("a\nb", "expected printable characters", id="line break"),
        pytest.param("a\x1b[2J", "expected printable characters", id="escape"),
        pytest.param("a\x7f", "expected printable characters", id="delete"),
        pytest.param("a\x85b", "expected printable characters", id="C1 control"),
        pytest.param("a\u202etxt.exe", "expected printable characters", id="right to left"),
        pytest.param("a\ud800", "expected printable characters", id="half of a surrogate pair"),
        pytest.param("x" * 256, "expected a path of at most 255 bytes", id="too long"),
        pytest.param("é" * 128, "expected a path of at most 255 bytes", id="too long in UTF-8"),
    ],
)
def test_an_unsafe_path_is_refused(path: str, message: str) -> None:
    with pytest.raises(InvalidArchiveError, match=message):
        archive_paths.check([path])


def test_an_unsafe_directory_is_refused() -> None:
    with pytest.raises(InvalidArchiveError, match="expected names between the slashes"):
        archive_paths.check([], ["a/.."])


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param(["a.txt", "a.txt"], id="same"),
        pytest.param(["a.txt", "A.TXT"], id="case"),
        pytest.param(["straße", "STRASSE"], id="case folding"),
        pytest.param(["caf\u00e9", "cafe\u0301"], id="composed and decomposed"),
        pytest.param(["CAF\u00c9/x", "cafe\u0301/X"], id="both"),
    ],
)
def test_two_paths_that_are_one_on_some_system_are_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidArchiveError, match="expected one entry of this name"):
        archive_paths.check(paths)


def test_a_file_and_a_directory_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidArchiveError, match=r'^"A": expected one entry of this name, found "a" too$'):
        archive_paths.check(["a"], ["A"])


def test_a_directory_that_is_listed_and_used_passes() -> None:
    archive_paths.check(["a/b", "a/c"], ["a"])

    with pytest.raises(InvalidArchiveError):
        archive_paths.check(["a/b", "a"], [])


@pytest.mark.parametrize("paths", [["a", "a/b"], ["a/b/c", "a"], ["X/y", "x"]])
def test_a_file_where_a_directory_must_be_is_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidArchiveError, match="expected directories above, found file"):
        archive_paths.check(paths)


def test_a_file_above_a_directory_is_refused() -> None:
    with pytest.raises(InvalidArchiveError, match=r'^"a/b": expected directories above, found file "a"$'):
        archive_paths.check(["a"], ["a/b"])
