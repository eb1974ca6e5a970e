"""Strict reading of JSON."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.timing import within

from shared import json_text
from shared.json_text import Fault, JsonTextError

LIMIT = 2 << 20
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def refusal(data: bytes, *, max_bytes: int = LIMIT, max_depth: int = 50) -> Fault:
    with pytest.raises(JsonTextError) as raised:
        json_text.read(data, max_bytes=max_bytes, max_depth=max_depth)
    return raised.value.fault


def outcome(data: bytes) -> str:
    try:
        json_text.examine(data, max_bytes=LIMIT)
    except JsonTextError as refused:
        return refused.fault.code
    return "read"


def faults(data: bytes) -> list[tuple[str, str]]:
    return [(fault.code, fault.path) for fault in json_text.examine(data, max_bytes=LIMIT).faults]


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_sound_json_is_read_as_the_standard_reader_reads_it(value: object) -> None:
    data = json.dumps(value, ensure_ascii=True).encode()

    reading = json_text.examine(data, max_bytes=LIMIT)

    if not any(fault.code == "json-surrogate" for fault in reading.faults):
        assert reading.value == json.loads(data)
        assert reading.faults == ()


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\/* 0eN\n', max_size=200).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    assert outcome(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "$: expected JSON, found an empty file"),
        (b"{", "$: expected JSON, found at line 1, column 2: expecting property name enclosed in double quotes"),
        (b"[1]\n]", "$: expected JSON, found at line 2, column 1: more text after the end"),
        (b"[\xff]", "$: expected UTF-8, found byte 0xff at offset 1"),
        (b"/* a */ 1", "$: expected JSON, found a comment"),
        (b'{"a": {"b c": NaN}}', '$.a["b c"]: expected a number that JSON and a double can hold, found NaN'),
        (b'{"a": 1, "a": 1}', "$.a: expected each key once, found the key again"),
        (b"[" * 51, "$: expected at most 50 levels of nesting, found more"),
    ],
)
def test_a_refusal_says_what_was_expected_and_what_was_found_where(data: bytes, message: str) -> None:
    assert str(refusal(data)) == message


def test_the_size_is_limited_to_the_byte() -> None:
    assert json_text.read(b"[1]", max_bytes=3) == [1]
    assert refusal(b"[1] ", max_bytes=3) == Fault("json-too-large", "$", "at most 3 bytes", "4 bytes")


def test_the_depth_is_limited_to_the_level() -> None:
    assert json_text.read(b"[[1]]", max_bytes=9, max_depth=2) == [[1]]
    assert refusal(b"[[[]]]", max_bytes=9, max_depth=2).code == "json-too-deep"


def test_the_number_of_values_is_limited() -> None:
    assert len(json_text.read(b"[" + b"1," * 149_998 + b"1]", max_bytes=LIMIT)) == 149_999
    assert refusal(b"[" + b"1," * 150_000 + b"1]").code == "json-too-large"


@pytest.mark.parametrize(
    "data",
    [
        rb'["[[[[", "\"[[[[", "\\", "]]]]", "\\\"[[", {"[[": "{{"}]',
        rb'"\\\\\"[[[[[\\"',
        rb'["\u005b[[[", "a\nb[[["]',
    ],
)
def test_brackets_in_strings_are_not_nesting(data: bytes) -> None:
    assert json_text.read(data, max_bytes=LIMIT, max_depth=2) == json.loads(data)


def test_nesting_behind_escaped_quotes_is_seen() -> None:
    assert refusal(rb'["\\", [[["\""]]]]', max_depth=3).code == "json-too-deep"


def test_a_byte_order_mark_and_comments_before_the_text_are_passed_over() -> None:
    reading = json_text.examine('\ufeff /* "[ü */\n/**/ {"a": [1, 2]} \n'.encode(), max_bytes=LIMIT)

    assert (reading.value, reading.faults, reading.is_commented) == ({"a": [1, 2]}, (), True)


def test_a_mistake_behind_a_comment_is_found_at_its_line() -> None:
    assert refusal(b"/* a\n b */\n[1 2]").found == "at line 3, column 4: expecting ',' delimiter"


def test_a_comment_within_the_text_is_no_json() -> None:
    assert refusal(b"[1 /* one */]").code == "json-invalid"


def test_all_faults_come_at_once_in_the_order_of_the_text() -> None:
    data = b'{"a": NaN, "b": [1, {"c": 1e999, "c": -Infinity}], "d": "\\ud800", "\\udc00": 1, "n": %s}' % (b"9" * 401)

    assert faults(data) == [
        ("json-surrogate", "$"),
        ("json-number", "$.a"),
        ("json-duplicate-key", "$.b[1].c"),
        ("json-number", "$.b[1].c"),
        ("json-surrogate", "$.d"),
        ("json-number", "$.n"),
    ]


def test_what_is_at_fault_is_mended_so_that_it_can_be_written_again() -> None:
    data = b'{"a": [NaN], "b": 1, "b": 2, "c\\ud800": "x\\udfffy", "ok": "\\ud83d\\ude00"}'

    value = json_text.examine(data, max_bytes=LIMIT).value

    assert value == {"a": [None], "b": 2, "c\ufffd": "x\ufffdy", "ok": "😀"}
    assert json.dumps(value, allow_nan=False).encode()


def test_a_key_that_stands_three_times_is_said_once_for_each_repetition() -> None:
    assert faults(b'{"a": 1, "b": 1, "a": 2, "a": 3}') == [("json-duplicate-key", "$.a"), ("json-duplicate-key", "$.a")]


def test_an_overwritten_object_leaves_no_faults_to_others() -> None:
    data = b'{"a": {"x": 1, "x": 2}, "a": 1, "b": [{"y": 1}, {"y": 1}, {"y": 1}]}'

    assert faults(data) == [("json-duplicate-key", "$.a")]


def test_a_single_value_can_be_at_fault_too() -> None:
    assert faults(b"NaN") == [("json-number", "$")]
    assert faults(b'"\\ud800"') == [("json-surrogate", "$")]


def test_numbers_within_the_limits_are_read() -> None:
    assert json_text.read(b"[%s, 1e308, -0, 0.5]" % (b"9" * 400), max_bytes=LIMIT) == [10**400 - 1, 1e308, 0, 0.5]


def test_at_most_200_faults_are_listed() -> None:
    assert len(faults(b"[" + b"NaN," * 1000 + b"1]")) == 200


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("a_1", "$.a_1"),
        (3, "$[3]"),
        ("a b", '$["a b"]'),
        ("", '$[""]'),
        ("ü", '$["\\u00fc"]'),
        ("a\n", '$["a\\n"]'),
        ("1a", '$["1a"]'),
        ("x" * 61, '$["' + "x" * 60 + '\\u2026"]'),
    ],
)
def test_a_path_shows_any_key_on_one_line(key: str | int, path: str) -> None:
    assert json_text.child("$", key) == path


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b'{"a":1,"a":2},' * 49_000 + b"NaN]",
        b"[" + b"[1]," * 74_000 + b"NaN]",
        b"[" + b'"\\ud800",' * 149_000 + b"1]",
        b'"' * LIMIT,
        b'"\\' * (LIMIT // 2),
        b"[" * LIMIT,
        b" " * LIMIT,
        b"9" * LIMIT,
        b"/*" * (LIMIT // 2),
    ],
    ids=range(9),
)
def test_two_mebibytes_of_anything_take_less_than_a_second(data: bytes) -> None:
    with within(seconds=1):
        assert outcome(data) in {"read", "json-invalid", "json-too-large", "json-number"}


def test_the_memory_for_hostile_text_is_bounded() -> None:
    data = b'ab"' * (LIMIT // 3)
    tracemalloc.start()

    refusal(data)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 48 << 20
