"""Archives: what is written is read back, the same bytes every time, within limits."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import archive
from shared.archive import Limits
from shared.errors import InvalidArchiveError, TooLargeError

FILES = {
    "deployments/b.yaml": b"kind: Service\n" * 20,
    "blueprint.json": b"{}",
    "kubernetes-client-script.py": b"#!/usr/bin/env python3\n" + b"print()\n" * 9,
    "größe.txt": b"",
}

names = st.text(alphabet="abcdefé-_. ", min_size=1, max_size=8).filter(lambda name: name.strip(". "))
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


def acceptable(files: dict[str, bytes]) -> bool:
    try:
        archive.archive_paths.check(files)
    except InvalidArchiveError:
        return False
    return True


@given(
    st.dictionaries(paths, st.binary(max_size=60) | st.binary(max_size=6).map(lambda it: it * 99)).filter(acceptable)
)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(files: dict[str, bytes]) -> None:
    assert archive.read(archive.write(files)) == files


@given(st.dictionaries(paths, st.binary(max_size=60)).filter(acceptable))
@settings(max_examples=60, deadline=None)
def test_what_is_written_others_read_as_well(files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(archive.write(files))) as other:
        assert {entry.filename: other.read(entry) for entry in other.infolist()} == files
        assert other.testzip() is None


def test_files_come_back_sorted() -> None:
    assert list(archive.read(archive.write({"b": b"", "a/c": b"", "C/x": b""}))) == ["C/x", "a/c", "b"]


def test_the_order_of_the_files_does_not_matter() -> None:
    assert archive.write(FILES) == archive.write(dict(reversed(FILES.items())))


def test_entries_are_sorted_and_dated_and_carry_modes() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.write(FILES))) as other:
        entries = [
            (it.filename, oct(it.external_attr >> 16), it.date_time, it.extra, it.comment) for it in other.infolist()
        ]

    first_day = (1980, 1, 1, 0, 0, 0)
    assert entries == [
        ("blueprint.json", "0o100644", first_day, b"", b""),
        ("deployments/b.yaml", "0o100644", first_day, b"", b""),
        ("größe.txt", "0o100644", first_day, b"", b""),
        ("kubernetes-client-script.py", "0o100755", first_day, b"", b""),
    ]


@pytest.mark.parametrize(("path", "content"), [("a.py", b"import os\n"), ("a.sh", b"#!/bin/sh\n"), ("a.py", b"")])
def test_only_a_python_script_is_executable(path: str, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive.write({path: content}))) as other:
        assert other.infolist()[0].external_attr >> 16 == 0o100644


def test_small_content_is_stored_and_larger_is_deflated() -> None:
    with zipfile.ZipFile(io.BytesIO(archive.write({"a": b"{}", "b": b"x" * 99}))) as other:
        assert [it.compress_type for it in other.infolist()] == [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


def test_an_archive_of_stored_files_has_known_bytes() -> None:
    data = archive.write({"b.txt": b"b", "a.txt": b"", "ä": b"c"})

    assert hashlib.sha256(data).hexdigest() == "750da54c55615ecad501925e35c0ec33c4c7659555cae48f7c6185f65eb1b0a7"


def test_an_empty_archive_is_an_end_record() -> None:
    assert archive.write({}) == b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize("environment", [{"TZ": "Asia/Tokyo", "LC_ALL": "C"}, {"TZ": "UTC", "PYTHONHASHSEED": "7"}])
def test_another_process_writes_the_same_bytes(environment: dict[str, str]) -> None:
    code = f"import sys; from shared import archive; sys.stdout.buffer.write(archive.write({FILES!a}))"
    root = str(Path(__file__).parents[2])

    run = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, cwd=root, capture_output=True, check=True
    )

    assert run.stdout == archive.write(FILES)


@pytest.mark.parametrize("path", ["../evil", "/evil", "a\\b", "a/", "", "a\ud800"])
def test_a_path_that_would_be_refused_is_not_written(path: str) -> None:
    with pytest.raises(InvalidArchiveError):
        archive.write({path: b""})


class Trickle(io.BytesIO):
    """A stream that gives at most ten bytes at a time."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(10, 10 if size is None or size < 0 else size))


def test_a_stream_that_trickles_is_read() -> None:
    assert archive.read(Trickle(archive.write(FILES))) == FILES


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    (tmp_path / "solution.zip").write_bytes(archive.write(FILES))

    with (tmp_path / "solution.zip").open("rb") as file:
        assert archive.read(file) == FILES


def test_limits_are_met_exactly() -> None:
    data = archive.write({"a": b"x" * 60, "b": b"y" * 40})
    limits = Limits(archive_bytes=len(data), unpacked_bytes=100, entries=2)

    assert len(archive.read(data, limits)) == 2
    assert len(archive.read(io.BytesIO(data), limits)) == 2


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(entries=1), "^archive: expected at most 1 entries, found 2$"),
        (Limits(unpacked_bytes=99), "^archive: expected at most 99 bytes when unpacked, found 100$"),
        (Limits(archive_bytes=100), "^archive: expected at most 100 bytes, found more$"),
    ],
)
def test_one_more_than_a_limit_is_refused(limits: Limits, message: str) -> None:
    data = archive.write({"a": b"x" * 60, "b": b"y" * 40})

    with pytest.raises(TooLargeError, match=message):
        archive.read(data, limits)
    with pytest.raises(TooLargeError, match=message):
        archive.read(io.BytesIO(data), limits)


def test_no_more_is_taken_from_a_stream_than_shows_that_it_is_too_long() -> None:
    stream = io.BytesIO(bytes(10_000))

    with pytest.raises(TooLargeError):
        archive.read(stream, Limits(archive_bytes=100))

    assert stream.tell() == 101


def test_an_entry_that_is_packed_too_well_is_refused() -> None:
    data = archive.write({"zeros": bytes(2 * 1024 * 1024)})

    with pytest.raises(
        TooLargeError, match=r'^"zeros": expected at most 100 bytes for each packed one, found 2097152 in'
    ):
        archive.read(data)


def test_an_archive_that_is_packed_too_well_is_refused() -> None:
    data = archive.write({str(number): bytes(512 * 1024) for number in range(4)})

    with pytest.raises(TooLargeError, match=r"^archive: expected at most 100 bytes for each packed one"):
        archive.read(data)


def test_a_megabyte_may_be_packed_as_well_as_it_can() -> None:
    assert archive.read(archive.write({"zeros": bytes(1024 * 1024)})) == {"zeros": bytes(1024 * 1024)}


def test_the_defaults_are_those_that_the_documentation_states() -> None:
    assert Limits() == Limits(archive_bytes=67_108_864, unpacked_bytes=67_108_864, entries=6064, ratio=100)
