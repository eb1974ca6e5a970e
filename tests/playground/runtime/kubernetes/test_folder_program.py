"""The program behind a shared folder, run as the pod runs it, on a folder of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground.runtime.kubernetes import folder_program as program

LIMIT = 1000
END = bytes(4)


def run(root: Path, task: str, path: str, given: bytes = b"", limit: int = LIMIT) -> tuple[int, bytes]:
    done = subprocess.run(
        [sys.executable, "-I", program.__file__, task, path, str(limit)],
        input=given,
        capture_output=True,
        check=False,
        timeout=20,
        env={"SLIPWAY_FOLDER_ROOT": str(root)},
    )
    return done.returncode, done.stdout


def framed(*pieces: bytes) -> bytes:
    return b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    made = tmp_path / "root"
    made.mkdir()
    (made / "kept.txt").write_text("kept")
    (made / "out").symlink_to(tmp_path)
    (made / "file-out").symlink_to(tmp_path / "secret")
    return made


def test_a_file_comes_whole_with_the_folders_on_its_way(root: Path) -> None:
    written = run(root, "write", "a/b/new", framed(b"one ", b"two") + END)

    assert written == (0, b"")
    assert run(root, "read", "a/b/new") == (0, b"one two")
    assert (root / "a" / "b" / "new").stat().st_mode & 0o777 == 0o664


def test_folders_stand_first_and_links_pipes_and_drafts_are_left_out(root: Path) -> None:
    (root / "z").mkdir()
    os.mkfifo(root / "pipe")
    (root / ".slipway-upload-12").write_text("half")
    os.utime(root / "kept.txt", (5, 7.5))

    status, listed = run(root, "entries", "")

    rows = [json.loads(line) for line in listed.splitlines()]
    assert status == 0
    assert [row[0] for row in rows] == ["z", "kept.txt"]
    assert rows[1] == ["kept.txt", 4, 7.5, False]


@pytest.mark.parametrize(
    ("task", "path", "status"),
    [
        ("read", "../secret", program.INVALID),
        ("read", "a//b", program.INVALID),
        ("read", "out/secret", program.INVALID),
        ("read", "file-out", program.INVALID),
        ("read", "", program.INVALID),
        ("read", "pipe", program.INVALID),
        ("read", "nothing", program.NOT_FOUND),
        ("read", "kept.txt/x", program.INVALID),
        ("write", "out/new", program.INVALID),
        ("write", "", program.INVALID),
        ("entries", "out", program.INVALID),
        ("entries", "nothing", program.NOT_FOUND),
        ("remove", "out/secret", program.INVALID),
        ("remove", "", program.INVALID),
        ("remove", "/".join(["a"] * 65), program.INVALID),
    ],
)
def test_what_leaves_the_folder_or_is_not_there_is_told_apart(root: Path, task: str, path: str, status: int) -> None:
    os.mkfifo(root / "pipe")

    assert run(root, task, path, framed(b"x") + END) == (status, b"")
    assert (root.parent / "secret").read_text() == "secret"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (framed(b"x" * 600, b"x" * 600) + END, program.NO_ROOM),
        (framed(b"x" * 600), program.BROKEN_OFF),
        ((9).to_bytes(4, "big") + b"short", program.BROKEN_OFF),
        (b"", program.BROKEN_OFF),
    ],
)
def test_a_file_that_does_not_fit_or_breaks_off_leaves_what_was_there(root: Path, given: bytes, status: int) -> None:
    assert run(root, "write", "kept.txt", given) == (status, b"")

    assert (root / "kept.txt").read_text() == "kept"
    assert sorted(os.listdir(root)) == ["file-out", "kept.txt", "out"]  # noqa: PTH208 - names are what counts


def test_a_link_is_removed_and_not_what_it_leads_to(root: Path) -> None:
    (root / "folder" / "inner").mkdir(parents=True)
    (root / "folder" / "link").symlink_to(root.parent)

    assert run(root, "remove", "out") == (0, b"")
    assert run(root, "remove", "folder") == (0, b"")

    assert sorted(os.listdir(root)) == ["file-out", "kept.txt"]  # noqa: PTH208
    assert (root.parent / "secret").exists()
