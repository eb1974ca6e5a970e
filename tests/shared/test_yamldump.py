"""The YAML writer: what it writes is read back as exactly the same values, by every kind of reader."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.yamldump import dump, dump_all, entry

Reader = Callable[[bytes], Any]


def read_1_1(text: bytes) -> Any:
    return yaml.load(text, yaml.SafeLoader)


def read_1_1_in_c(text: bytes) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


def read_1_2(text: bytes) -> Any:
    return ruamel.yaml.YAML(typ="safe", pure=True).load(text)


READERS = [read_1_1, read_1_1_in_c, read_1_2]

# Each of these is something else than text to some reader when it stands bare, or breaks the document.
TREACHEROUS = [
    *["y", "Y", "n", "yes", "No", "on", "OFF", "true", "False", "TRUE", "null", "Null", "nUlL", "~", "=", "<<", ""],
    *["1e3", "25921e05", "12e5", "08", "0o17", "017", "0x1F", "0b1", "1_000", "1", "-1", "+1", "1.", ".5", "1e400"],
    *["12:30:45", "190:20:30", "2020-01-01", "2020-01-01T00:00:00Z", ".inf", "-.INF", ".nan", "_1", "0x", "9" * 40],
    *["-", "?", ":", "- a", "? a", "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "!!python/object:x.y", "%YAML 1.1"],
    *["@a", "`a", "{a}", "[a]", "a,b", "|", ">", "'a'", '"a"', "\\n", "a\\b", "---", "...", "--- a", "a\n---\nb: c"],
    *["\x85", "a\x85b", "\u2028", "a\u2029b", "\ufeff", "\ufeffa", "\x00", "\x07", "\x1b[2J", "\x7f", "\x80", "\xa0"],
    *["\ufffe", "\uffff", "\U0001f600", "\U0010ffff", "a\U0001f600\\ud83d", "\U0001f600\U0001f600", "\u00e9", "\t"],
    *["  lead", "trail  ", " ", "a\t", "\ta", "a\r\nb", "a\rb", "a\nb\r\n", "a\nb\x85", "\n", "\n\n", "\na", "a\n\n\n"],
    *["x" * 5000, "x " * 5000, "\u00e9" * 2000, "a" * 64, "a" * 65, "1" * 65],
]

spaced = st.text(alphabet=" \t\n-#:'\"|>a%?{}[]&*!,@`=\\~.", max_size=12)
texts = st.one_of(st.text(max_size=20), spaced, st.sampled_from(TREACHEROUS))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("read", READERS)
@given(values)
@settings(max_examples=60, deadline=None)
@example([[["a\n"], [{"b": [" a\n\n"]}]]])
def test_any_tree_is_read_back_as_the_same_values(read: Reader, value: Any) -> None:
    text = dump(value)

    assert repr(plain(read(text))) == repr(value)
    assert text.isascii()


@pytest.mark.parametrize("read", READERS)
def test_a_treacherous_text_stays_text_as_a_value_an_item_and_a_key(read: Reader) -> None:
    value = {"values": dict(enumerate_texts(TREACHEROUS)), "items": TREACHEROUS, "keys": dict.fromkeys(TREACHEROUS, 1)}

    assert read(dump(value)) == value


@pytest.mark.parametrize("read", READERS)
def test_every_short_text_of_spaces_tabs_and_line_breaks_is_read_back(read: Reader) -> None:
    short = ["".join(marks) for size in range(5) for marks in itertools.product(" \t\na#", repeat=size)]
    value = {"items": short, "values": dict(enumerate_texts(short))}

    assert read(dump(value)) == value


@pytest.mark.parametrize("text", TREACHEROUS)
def test_a_treacherous_text_alone_is_read_back(text: str) -> None:
    assert [read(dump(text)) for read in READERS] == [text, text, text]


def enumerate_texts(items: list[str]) -> list[tuple[str, str]]:
    return [(f"k{number}", item) for number, item in enumerate(items)]


def plain(value: Any) -> Any:
    """Turn the reader's own kinds of number and text into Python's, so that `repr` compares kind and value."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, float) else value


def test_a_manifest_reads_as_people_write_it() -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "detector", "labels": {"app.kubernetes.io/part-of": "sudoku_2"}, "annotations": {}},
        "spec": {
            "replicas": 1,
            "automountServiceAccountToken": False,
            "nodeName": None,
            "containers": [
                {"name": "detector", "image": "registry:5000/detector:v1", "args": ["-v", "run"], "env": []},
                {"name": "y", "resources": {"limits": {"cpu": 0.5}}},
            ],
        },
    }

    assert dump(manifest).decode() == (
        "apiVersion: apps/v1\n"
        "kind: Deployment\n"
        "metadata:\n"
        "  name: detector\n"
        "  labels:\n"
        "    app.kubernetes.io/part-of: sudoku_2\n"
        "  annotations: {}\n"
        "spec:\n"
        "  replicas: 1\n"
        "  automountServiceAccountToken: false\n"
        "  nodeName: null\n"
        "  containers:\n"
        "    - name: detector\n"
        '      image: "registry:5000/detector:v1"\n'
        "      args:\n"
        '        - "-v"\n'
        "        - run\n"
        "      env: []\n"
        '    - name: "y"\n'
        "      resources:\n"
        "        limits:\n"
        "          cpu: 0.5\n"
    )


def test_keys_keep_their_order() -> None:
    assert dump({"b": 1, "a": 2}) == b"b: 1\na: 2\n"


def test_lists_of_lists_are_compact() -> None:
    assert dump([["a", ["b"]], ("c",), {}, []]) == b"- - a\n  - - b\n- - c\n- {}\n- []\n"


@given(st.dictionaries(texts, values, min_size=1, max_size=4) | st.lists(values, min_size=1, max_size=4))
@example({"a": "b\n\n\nc\n\n", "d" * 600: "\n x\n\n"})
def test_a_collection_that_was_written_already_is_only_moved(value: Any) -> None:
    assert entry("spec", dump(value), 0) == dump({"spec": value})
    assert dump({"a": {"b": 1}}) + entry("spec", dump(value), 1) == dump({"a": {"b": 1, "spec": value}})


def test_one_object_twice_is_written_twice() -> None:
    labels = {"app": "a"}

    assert dump([labels, labels]) == b"- app: a\n- app: a\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, b"null\n"),
        (True, b"true\n"),
        (-7, b"-7\n"),
        (10**30, b"1000000000000000000000000000000\n"),
        (1.0, b"1.0\n"),
        (-0.0, b"-0.0\n"),
        (1e16, b"1.0e+16\n"),
        (-1.5e-07, b"-1.5e-07\n"),
        ("word", b"word\n"),
        ("", b'""\n'),
        ({}, b"{}\n"),
        ([], b"[]\n"),
        ((), b"[]\n"),
    ],
)
def test_a_scalar_can_be_the_document(value: Any, text: bytes) -> None:
    assert dump(value) == text


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('say "hi" \\ bye', rb'"say \"hi\" \\ bye"'),
        ("a\tb\rc\x00\x7f", rb'"a\tb\rc\u0000\u007f"'),
        ("\u00e9\u2028\ufeff", rb'"\u00e9\u2028\ufeff"'),
        ("a\U0001f600b", rb'"a\U0001f600b"'),
        ("line\n\u00e9", rb'"line\n\u00e9"'),
    ],
)
def test_what_is_no_plain_word_is_quoted_in_ascii(text: str, quoted: bytes) -> None:
    assert dump({"k": text}) == b"k: " + quoted + b"\n"


@pytest.mark.parametrize(
    ("text", "block"),
    [
        pytest.param("a\nb", b"k: |-\n  a\n  b\n", id="no line break at the end"),
        pytest.param("a\nb\n", b"k: |\n  a\n  b\n", id="one at the end"),
        pytest.param("a\n\n\n", b"k: |+\n  a\n\n\n", id="several at the end"),
        pytest.param("a\n\n\tb: #c\n", b"k: |\n  a\n\n  \tb: #c\n", id="an empty line inside, and a tab"),
        pytest.param("  a\nb\n", b"k: |2\n    a\n  b\n", id="leading spaces"),
        pytest.param("\n a\n", b"k: |2\n\n   a\n", id="a leading empty line"),
        pytest.param("\ta\nb", b"k: |2-\n  \ta\n  b\n", id="a leading tab"),
        pytest.param("a\n---\nb: c\n", b"k: |\n  a\n  ---\n  b: c\n", id="a document marker"),
    ],
)
def test_text_of_several_lines_is_a_literal_block(text: str, block: bytes) -> None:
    assert dump({"k": text}) == block


def test_a_literal_block_in_a_list_is_indented_under_its_item() -> None:
    assert dump([["a\nb", "c"]]) == b"- - |-\n    a\n    b\n  - c\n"


def test_text_of_only_space_is_quoted() -> None:
    assert dump({"k": " \n "}) == b'k: " \\n "\n'


def test_a_long_key_is_written_in_the_explicit_form() -> None:
    key = "k" * 600

    assert dump([{key: {"a": 1}}]) == f'- ? "{key}"\n  :\n    a: 1\n'.encode()


def test_a_word_is_plain_up_to_64_characters() -> None:
    assert dump({"k" * 64: "v" * 64, "k" * 65: "v" * 65}) == (
        b"k" * 64 + b": " + b"v" * 64 + b'\n"' + b"k" * 65 + b'": "' + b"v" * 65 + b'"\n'
    )


def test_documents_begin_with_a_marker() -> None:
    assert dump_all([{"a": 1}, "b\n\n", []]) == b'---\na: 1\n---\n"b\\n\\n"\n---\n[]\n'


def test_no_documents_are_no_text() -> None:
    assert dump_all([]) == b""


@given(st.lists(values, max_size=4))
@settings(max_examples=50, deadline=None)
def test_hostile_text_does_not_change_the_number_of_documents(documents: list[Any]) -> None:
    assert list(yaml.load_all(dump_all(documents), yaml.CSafeLoader)) == documents


def test_a_text_that_is_a_member_of_an_enum_is_written_by_its_value() -> None:
    class Kind(str, Enum):  # noqa: UP042 - unlike a StrEnum, it formats as its name
        JOB = "some-kind"

    assert dump([Kind.JOB, "some-kind"]) == b"- some-kind\n- some-kind\n"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="yaml: expected a finite number"):
        dump({"k": number})


@pytest.mark.parametrize("text", ["\ud800", "a\udfff" * 50, "\ude00\ud83d", "\U0001f600\ud83d"])
@pytest.mark.parametrize("shape", [lambda text: {"k": text}, lambda text: {text: 1}, lambda text: text])
def test_half_of_a_surrogate_pair_is_refused(text: str, shape: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match="yaml: expected Unicode text"):
        dump(shape(text))


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), Path("x")])
def test_a_value_of_another_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="yaml: expected a JSON-like value"):
        dump({"k": [value]})


@pytest.mark.parametrize("key", [1, None, True, b"k", (1,)])
def test_a_key_of_another_type_is_refused(key: Any) -> None:
    with pytest.raises(TypeError):
        dump({key: 1})


def test_the_protos_of_real_solutions_stay_readable(test_data: Path) -> None:
    protos = {path.name: path.read_text() for path in (test_data / "corpus" / "solutions").rglob("*.proto")}

    text = dump({"data": protos})

    assert [read(text) for read in READERS] == [{"data": protos}] * 3
    assert b"\n    service " in text
