"""Shared folders on disk against nodes that lay traps, and strangers who try the way out."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.leaks import leaked_since, open_things

from playground.runtime.process.shared_folder import DiskFolder
from shared.errors import InvalidRequestError, NotFoundError, SlipwayError, TooLargeError, UnavailableError

LIMIT = 1000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (tmp_path / "outside").mkdir()
    return tmp_path / "shared"


@pytest.fixture
def folder(root: Path, tmp_path: Path) -> DiskFolder:
    return DiskFolder(root, tmp_path / "uploads", limit=LIMIT)


def content(folder: DiskFolder, path: str) -> bytes:
    return b"".join(folder.read(path))


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        "//etc",
        "./x",
        "a/./b",
        "a//b",
        "a\0b",
        "x" * 256,
        "\ud800",
        "a/" * 70,
    ],
)
def test_a_path_that_leaves_the_folder_is_refused_for_every_purpose(
    folder: DiskFolder, path: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))

    for ask in (folder.entries, folder.read, folder.remove, lambda path: folder.write(path, iter([b"x"]))):
        with pytest.raises(InvalidRequestError):
            ask(path)

    assert [path for path in sorted(tmp_path.rglob("*")) if path.name != "uploads"] == before


@pytest.mark.parametrize("target", ["../secret", "{outside}/../secret", "/etc/passwd", "itself"])
def test_a_link_is_not_read(folder: DiskFolder, root: Path, target: str) -> None:
    (root / "itself").symlink_to(target.format(outside=root.parent / "outside"))

    with pytest.raises(InvalidRequestError):
        folder.read("itself")
    assert folder.entries("") == ()


def test_a_link_to_a_folder_is_no_way_out(folder: DiskFolder, root: Path) -> None:
    (root / "door").symlink_to(root.parent / "outside")

    for ask in (folder.entries, folder.read, folder.remove, lambda path: folder.write(path, iter([b"x"]))):
        with pytest.raises(InvalidRequestError):
            ask("door/file")
    with pytest.raises(InvalidRequestError):
        folder.entries("door")
    assert list((root.parent / "outside").iterdir()) == []


def test_writing_over_a_link_replaces_the_link_and_not_what_it_leads_to(folder: DiskFolder, root: Path) -> None:
    (root / "link").symlink_to(root.parent / "secret")

    folder.write("link", iter([b"mine"]))

    assert content(folder, "link") == b"mine"
    assert (root.parent / "secret").read_text(encoding="utf-8") == "secret"


def test_removing_a_link_leaves_what_it_leads_to(folder: DiskFolder, root: Path) -> None:
    (root / "door").symlink_to(root.parent / "outside")
    (root.parent / "outside" / "kept").touch()

    folder.remove("door")

    assert (root.parent / "outside" / "kept").exists()
    assert list(root.iterdir()) == []


def test_removing_a_folder_with_links_leaves_what_they_lead_to(folder: DiskFolder, root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "door").symlink_to(root.parent / "outside")
    (root.parent / "outside" / "kept").touch()

    folder.remove("a")

    assert (root.parent / "outside" / "kept").exists()


def test_a_folder_swapped_for_a_link_meanwhile_is_no_way_out(folder: DiskFolder, root: Path) -> None:
    stopped = threading.Event()

    def swap() -> None:
        while not stopped.is_set():
            for step in (
                lambda: shutil.rmtree(root / "b"),
                lambda: (root / "a").rename(root / "b"),
                lambda: (root / "a").symlink_to(root.parent / "outside"),
                (root / "a").unlink,
                (root / "a").mkdir,
            ):
                with suppress(OSError):  # the writer has made the folder meanwhile
                    step()

    (root / "a").mkdir()
    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        for _ in range(100):
            with suppress(SlipwayError):
                folder.write("a/file", iter([b"x"]))
    finally:
        stopped.set()
        swapper.join()

    assert list((root.parent / "outside").iterdir()) == []


def test_a_pipe_is_not_waited_for(folder: DiskFolder, root: Path) -> None:
    os.mkfifo(root / "pipe")

    with pytest.raises(InvalidRequestError):
        folder.read("pipe")
    assert folder.entries("") == ()


def test_a_file_is_there_whole_or_not_at_all(folder: DiskFolder, tmp_path: Path) -> None:
    folder.write("x", iter([b"old"]))

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        folder.write("x", broken())

    assert content(folder, "x") == b"old"
    assert list((tmp_path / "uploads").iterdir()) == []


def test_no_more_than_the_limit_is_taken_all_files_together(folder: DiskFolder, tmp_path: Path) -> None:
    folder.write("a", iter([b"x" * 600]))

    with pytest.raises(TooLargeError):
        folder.write("b", iter([b"x" * 100] * 5))
    folder.write("c", iter([b"x" * 400]))

    assert [entry.name for entry in folder.entries("/")] == ["a", "c"]
    assert list((tmp_path / "uploads").iterdir()) == []


def test_folders_come_first_with_their_names_in_order(folder: DiskFolder) -> None:
    for path in ("b", "a", "z/1", "y/1"):
        folder.write(path, iter([b"123"]))

    assert [(entry.name, entry.size, entry.is_folder) for entry in folder.entries("")] == [
        ("y", 0, True),
        ("z", 0, True),
        ("a", 3, False),
        ("b", 3, False),
    ]


def test_a_file_is_no_folder_and_a_folder_no_file(folder: DiskFolder) -> None:
    folder.write("file", iter([b""]))
    folder.write("folder/x", iter([b""]))

    for ask in (
        lambda: folder.entries("file"),
        lambda: folder.read("folder"),
        lambda: folder.read("file/x"),
        lambda: folder.write("folder", iter([b""])),
        lambda: folder.write("file/x", iter([b""])),
        lambda: folder.remove(""),
    ):
        with pytest.raises(InvalidRequestError):
            ask()


def test_what_is_not_there_is_not_found(folder: DiskFolder) -> None:
    for ask in (folder.entries, folder.read, folder.remove):
        with pytest.raises(NotFoundError):
            ask("a/b")


def test_a_folder_that_went_away_is_unavailable(folder: DiskFolder, root: Path) -> None:
    root.rmdir()

    with pytest.raises(UnavailableError):
        folder.entries("")


def test_a_download_that_nobody_wants_any_more_is_closed(folder: DiskFolder) -> None:
    folder.write("x", iter([b"x" * 900]))
    before = open_things()

    for _ in range(5):
        folder.read("x")
    next(folder.read("x"))

    assert leaked_since(before) == (0, 0)


def test_a_file_for_a_place_that_is_on_its_way_out_is_refused_in_words(root: Path, tmp_path: Path) -> None:
    gone = DiskFolder(root, tmp_path / "gone" / "uploads", limit=LIMIT)

    with pytest.raises(UnavailableError, match="the shared folder cannot be reached now"):
        gone.write("a", iter([b"x"]))
