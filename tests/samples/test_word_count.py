"""The shared folder: a job, a writer, a counter and a reporter around one folder on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

pytestmark = pytest.mark.conformance

PARAGRAPHS = "one two two\n\nthree three three\n\n\nfour\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def counter(start_node, folder) -> Iterator:
    with start_node("word-count/counter", SHARED_FOLDER_PATH=folder) as node:
        yield node


def count(counter, name: str):
    return counter.call("count", counter.message("TextFile", name=name))


def test_without_a_shared_folder_a_node_does_not_start(run_node) -> None:
    ended = run_node("word-count/seed", SHARED_FOLDER_PATH="/nowhere")

    assert ended.returncode == 1
    assert ended.stdout == "SHARED_FOLDER_PATH: expected the path of a folder, found '/nowhere'\n"


def test_the_writer_waits_for_the_seed_writes_its_paragraphs_and_says_not_found(start_node, tmp_path) -> None:
    with start_node("word-count/writer", SHARED_FOLDER_PATH=tmp_path) as writer:
        with pytest.raises(grpc.RpcError) as early:
            writer.call("write", writer.message("Empty"))
        (tmp_path / "seed.txt").write_text(PARAGRAPHS)
        files = [writer.call("write", writer.message("Empty")) for _ in range(3)]
        with pytest.raises(grpc.RpcError) as end:
            writer.call("write", writer.message("Empty"))
        again = writer.call("write", writer.message("Empty"))

    assert early.value.code() is grpc.StatusCode.UNAVAILABLE
    assert [(file.name, file.length) for file in files] == [
        ("texts/001.txt", 11), ("texts/002.txt", 17), ("texts/003.txt", 4),
    ]  # fmt: skip
    assert (tmp_path / "texts/002.txt").read_text() == "three three three"
    assert end.value.code() is grpc.StatusCode.NOT_FOUND
    assert again.name == "texts/001.txt"


def test_the_counter_ranks_words_by_frequency_and_then_by_name(counter, folder) -> None:
    (folder / "a.txt").write_text("Water, water everywhere; b b a a! Straße STRASSE 42 x_y", encoding="utf-8")

    answer = count(counter, "a.txt")

    assert (answer.name, answer.words) == ("a.txt", 11)
    assert [(entry.word, entry.count) for entry in answer.top] == [
        ("a", 2), ("b", 2), ("strasse", 2), ("water", 2), ("everywhere", 1),
    ]  # fmt: skip


def test_bytes_that_are_no_text_are_counted_as_far_as_they_go(counter, folder) -> None:
    (folder / "binary").write_bytes(b"\xff\xfe\x00 word \x80")

    assert count(counter, "binary").words == 1


def test_the_counter_reads_nothing_outside_the_shared_folder(counter, folder) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("secret")
    (folder / "link.txt").symlink_to(outside)
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "down").mkdir()
    os.mkfifo(folder / "pipe")
    names = [
        "../outside.txt",
        str(outside),
        "down/../../outside.txt",
        "link.txt",
        "",
        ".",
        "down",
        "a\0b",
        "circle",
        "pipe",
    ]
    codes = {}
    for name in names:
        with pytest.raises(grpc.RpcError) as refusal:
            count(counter, name)
        codes[name] = refusal.value.code()

    assert codes == dict.fromkeys(names, grpc.StatusCode.INVALID_ARGUMENT)


@pytest.mark.parametrize("name", ["missing.txt", "a" * 5000])
def test_a_file_that_is_not_there_yet_asks_for_another_try(counter, name) -> None:
    with pytest.raises(grpc.RpcError) as early:
        count(counter, name)

    assert early.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_file_that_is_too_large_is_refused(counter, folder) -> None:
    with (folder / "large").open("wb") as stream:
        stream.truncate(16 * 1024 * 1024 + 1)

    with pytest.raises(grpc.RpcError) as refusal:
        count(counter, "large")

    assert refusal.value.details() == "name: expected at most 16777216 bytes"


def test_the_job_ends_with_success_however_often_it_runs(run_node, tmp_path) -> None:
    codes = [run_node("word-count/seed", SHARED_FOLDER_PATH=tmp_path).returncode for _ in range(2)]

    assert codes == [0, 0]
    assert (tmp_path / "seed.txt").read_text().startswith("A slipway is a slope")
    assert [path.name for path in tmp_path.iterdir()] == ["seed.txt"]


def test_every_text_is_counted_once_even_when_its_message_comes_twice(start_node, counter, folder) -> None:
    (folder / "seed.txt").write_text(PARAGRAPHS)
    settings = {"SHARED_FOLDER_PATH": folder}
    with (
        start_node("word-count/writer", **settings) as writer,
        start_node("word-count/reporter", **settings) as reporter,
    ):
        for _ in range(3):
            file = writer.call("write", writer.message("Empty"))
            counted = reporter.message("WordCount")
            counted.ParseFromString(count(counter, file.name).SerializeToString())
            for _ in range(2):
                reporter.call("report", counted)

    assert json.loads((folder / "report.json").read_text()) == {
        "files": {"texts/001.txt": 3, "texts/002.txt": 3, "texts/003.txt": 1},
        "words": 7,
    }
