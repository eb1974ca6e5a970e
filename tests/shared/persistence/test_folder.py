"""What is particular about a folder: links, things that are no files, writers that die, disks that refuse."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.leaks import leaked_since, open_things

from shared.errors import UpstreamError
from shared.persistence.folder import FolderStore

ROOT = Path(__file__).parents[3]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "outer").mkdir()
    (tmp_path / "outer" / "secret").write_text("outside")
    return folder


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "/proc/self/environ"])
def test_a_link_out_of_the_root_is_refused(root: Path, target: str) -> None:
    (root / "link").symlink_to(target)

    with pytest.raises(UpstreamError, match="folder: link_refused: a link leads out of the root"):
        FolderStore(root).get("link", most_bytes=100_000)


def test_a_folder_that_is_a_link_out_of_the_root_is_refused(root: Path) -> None:
    (root / "link").symlink_to("../outer")
    store = FolderStore(root)

    with pytest.raises(UpstreamError, match="link_refused"):
        store.get("link/secret", most_bytes=100)
    with pytest.raises(UpstreamError, match="link_refused"):
        store.put_new("link/new", b"x")
    with pytest.raises(UpstreamError, match="link_refused"):
        store.put_new("link/new/folder/file", b"x")
    with pytest.raises(UpstreamError, match="link_refused"):
        store.keys("link/")

    assert names(root.parent / "outer") == ["secret"]


def test_a_link_that_is_listed_says_what_is_wrong_when_it_is_read(root: Path) -> None:
    (root / "sol").mkdir()
    (root / "sol" / "link").symlink_to("../../outer")
    store = FolderStore(root)

    assert list(store.keys("")) == ["sol/link"]


def test_a_link_within_the_root_is_followed(root: Path) -> None:
    (root / "file").write_text("inside")
    (root / "link").symlink_to("file")
    store = FolderStore(root)

    assert (store.get("link", most_bytes=6), store.keys("")) == (b"inside", {"file": 6, "link": 6})


def test_links_in_a_circle_are_refused(root: Path) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")

    with pytest.raises(UpstreamError, match="folder: system_error: Too many levels of symbolic links"):
        FolderStore(root).get("a", most_bytes=10)


def test_a_link_to_nothing_is_nothing(root: Path) -> None:
    (root / "link").symlink_to("nothing")
    store = FolderStore(root)

    assert (store.get("link", most_bytes=10), store.keys("")) == (None, {})


def test_the_root_itself_may_be_a_link(root: Path) -> None:
    (root / "file").write_text("inside")
    (root.parent / "alias").symlink_to("root")

    assert FolderStore(root.parent / "alias").get("file", most_bytes=10) == b"inside"


def test_a_pipe_holds_up_nobody(root: Path) -> None:
    os.mkfifo(root / "pipe")
    start = time.monotonic()

    with pytest.raises(UpstreamError, match="folder: not_a_file: expected a regular file"):
        FolderStore(root).get("pipe", most_bytes=10)

    assert time.monotonic() - start < 3


def test_the_root_is_made_when_something_is_put(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not" / "yet")

    assert (store.keys(""), store.put_new("a/b", b"1"), store.keys("")) == ({}, True, {"a/b": 1})


def test_a_root_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="folder: system_error: No such file or directory"):
        FolderStore(tmp_path / "not yet").check()


def test_a_message_does_not_tell_where_the_root_is(root: Path) -> None:
    (root / "file").write_text("x")

    with pytest.raises(UpstreamError) as caught:
        FolderStore(root).put_new("file/below", b"x")

    assert str(root) not in str(caught.value)


def test_a_writer_that_dies_leaves_nothing_to_be_seen(root: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from shared.persistence.folder import FolderStore;"
        "os.link = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "FolderStore(Path(sys.argv[1])).put_new('sol/file', b'half')"
    )

    subprocess.run([sys.executable, "-c", code, str(root)], check=False, cwd=ROOT)

    store = FolderStore(root)
    assert (len(names(root / "sol")), store.keys("")) == (1, {})
    assert (store.put_new("sol/file", b"whole"), store.get("sol/file", most_bytes=9)) == (True, b"whole")


def test_a_disk_that_refuses_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(root))

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(UpstreamError, match="folder: system_error: No space left on device"):
        FolderStore(root).put_new("file", b"x")

    assert names(root) == []


def test_no_file_stays_open(root: Path) -> None:
    store = FolderStore(root)
    before = open_things()
    for number in range(20):
        store.put_new(f"sol/{number}", b"x")
        store.get(f"sol/{number}", most_bytes=1)

    assert leaked_since(before) == (0, 0)


def test_many_files_are_read_through_links_that_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    store = FolderStore(tmp_path)

    found = store.get_all({"link": 10, "file": 10, "file/below": 10, "missing/file": 10, "missing": 10})

    assert found == {"link": b"content", "file": b"content", "file/below": None, "missing/file": None, "missing": None}


def test_among_many_files_a_link_that_leaves_the_root_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (root / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(UpstreamError, match="link_refused"):
        FolderStore(root).get_all({"link": 10})
