"""YAML of strangers: what comes out is what PyYAML reads, and what would cost more than its size never comes to be."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.yaml_text import YamlReader, YamlTextError

# From these almost every text has some structure.
SIGNS = st.sampled_from([": ", "- ", "\n", "\n  ", "[", "]", "{", "}", ", ", '"', "'", "#", "?", "---\n", "...\n"])
WORDS = st.sampled_from(["a", "1", "1.5", "~", "é", "2001-02-30", "|\n  ", "!x ", "&a ", "*a", "<<: ", "\ufeff"])


def reader(*, max_bytes: int = 1 << 20, max_events: int = 1000) -> YamlReader:
    return YamlReader(max_bytes=max_bytes, max_events=max_events)


def refusal(read: Any, data: bytes) -> str:
    with pytest.raises(YamlTextError) as refused:
        read(data)
    assert str(refused.value) == f"expected {refused.value.expected}, found {refused.value.found}"
    return str(refused.value)


@pytest.mark.parametrize(
    ("data", "documents"),
    [
        (b"", []),
        (b"---\n", [""]),
        (b"8", ["8"]),
        (b"a: 1\nb: [x, {c: ~}]\n---\n- 08", [{"a": "1", "b": ["x", {"c": "~"}]}, ["08"]]),
        (b"a: 1\nb: 2\na: 3", [{"a": "3", "b": "2"}]),
        (b"a: !!python/object/apply:os.system [x]", [{"a": ["x"]}]),
        (b"\xef\xbb\xbfa: 1", [{"a": "1"}]),
    ],
)
def test_every_scalar_is_a_text(data: bytes, documents: list[Any]) -> None:
    assert reader().texts(data) == documents


def test_values_have_the_types_of_yaml() -> None:
    assert reader().values(b"a: 1\nb: [true, ~, 1.5]\n---\nx") == [{"a": 1, "b": [True, None, 1.5]}, "x"]


@given(st.lists(SIGNS | WORDS, max_size=40).map("".join))
def test_any_text_is_read_as_pyyaml_reads_it_or_refused(text: str) -> None:
    with_aliases = YamlReader(max_bytes=1 << 20, max_events=1000, aliases=True)
    readings = [
        (reader().texts, yaml.CBaseLoader),
        (reader().values, yaml.CSafeLoader),
        (with_aliases.values, yaml.CSafeLoader),
    ]
    for read, loader in readings:
        try:
            found = read(text.encode())
            expected = list(yaml.load_all(text, Loader=loader))
        except (YamlTextError, yaml.composer.ComposerError):  # PyYAML refuses an anchor that stands twice
            continue
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("name", ["texts", "values"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a: [", "expected YAML, found something else"),
        (b"\xff\xfea\x00", "expected YAML, found something else"),
        (b"a: \0", "expected YAML, found something else"),
        (b"\t- x", "expected YAML, found something else"),
        (b"a: {[]: 1}", "expected YAML, found something else"),
        (b"a: &x [1]\nb: *x", "expected YAML without aliases, found one"),
        (b"a: &a [*a]", "expected YAML without aliases, found one"),
        (b"[" * 31 + b"]" * 31, "expected at most 30 levels of nesting, found more"),
        (b"[" * 100_000, "expected at most 30 levels of nesting, found more"),
        (b"- a\n" * 1000, "expected at most 1000 YAML events, found more"),
        (b" " * (1 << 20) + b"a", "expected at most 1048576 bytes of YAML, found more"),
    ],
)
def test_what_is_refused_has_a_reason(name: str, data: bytes, reason: str) -> None:
    assert refusal(getattr(reader(), name), data) == reason


@pytest.mark.parametrize("data", [b"!!python/object/apply:os.system [x]", b"2001-02-30", b"!!int x"])
def test_a_value_that_its_tag_does_not_fit_is_refused(data: bytes) -> None:
    assert refusal(reader().values, data) == "expected YAML, found something else"


def test_the_limits_are_those_of_all_files() -> None:
    small = reader(max_bytes=20, max_events=20)

    assert small.texts(b"[1, 2]") == [["1", "2"]]
    assert refusal(small.texts, b" " * 15) == "expected at most 20 bytes of YAML, found more"

    few = reader(max_events=12)
    assert few.texts(b"a") == ["a"]
    assert refusal(few.texts, b"[1, 2, 3]") == "expected at most 12 YAML events, found more"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"a: &x [1, {c: 2}]\nb: *x", {"a": [1, {"c": 2}], "b": [1, {"c": 2}]}),
        (b"a: &x {c: 1}\nb: {<<: *x, d: 2}", {"a": {"c": 1}, "b": {"c": 1, "d": 2}}),
        (b"[&x a, *x]", ["a", "a"]),
    ],
)
def test_an_alias_is_read_where_it_is_allowed(data: bytes, value: Any) -> None:
    assert YamlReader(max_bytes=99, max_events=99, aliases=True).values(data) == [value]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a: &a [*a]", "expected an alias of what stands before it, found another"),
        (b"*a", "expected an alias of what stands before it, found another"),
        (b"a: &a [x, y, z]\nb: [*a, *a]\nc: *a", "expected at most 30 YAML events, found more"),
        (b"a: &a [[[x]]]\nb: &b [[*a]]\nc: *b", "expected at most 5 levels of nesting, found more"),
    ],
)
def test_an_alias_counts_as_all_that_it_repeats(data: bytes, reason: str) -> None:
    small = YamlReader(max_bytes=99, max_events=30, max_depth=5, aliases=True)

    assert refusal(small.values, data) == reason


def test_texts_have_no_aliases_in_any_case() -> None:
    assert refusal(YamlReader(max_bytes=99, max_events=99, aliases=True).texts, b"[&x a, *x]") == (
        "expected YAML without aliases, found one"
    )


def test_what_aliases_repeat_may_be_as_much_as_without_them() -> None:
    repeated, plain = b"a: &a [[x]]\nb: [*a, *a]", b"a: [[x]]\nb: [[[x]], [[x]]]"

    for data, events in ((plain, 25), (repeated, 27)):
        YamlReader(max_bytes=99, max_events=events, max_depth=4, aliases=True).values(data)
        for fewer in ({"max_events": events - 1, "max_depth": 4}, {"max_events": events, "max_depth": 3}):
            refusal(YamlReader(max_bytes=99, aliases=True, **fewer).values, data)


def test_a_bomb_costs_little() -> None:
    lines = [b"a: &a [x,x,x,x,x,x,x,x,x]"] + [
        b"%c: &%c [%s]" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in b"bcdefghi"
    ]
    tracemalloc.start()
    try:
        for data in (b"\n".join(lines), b"[" + b"[]," * 300_000, b"[" * 500_000):
            refusal(reader().values, data)
            refusal(YamlReader(max_bytes=1 << 20, max_events=10_000, aliases=True).values, data)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
