"""The encodings of a secret."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.token_keys import secret_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("secret", "b1e72b"),
        ("secr", "b1e72b"),
        ("s-e.c r\n", "b1e72b"),
        ("c2VjcmV0", "736563726574"),
        ("c2VjcmU=", "7365637265"),
        ("c2VjcmU", "736563"),
        ("c2Vjcg==", "73656372"),
        ("c2Vjcg==c2Vj", "73656372736563"),
        ("sec", ""),
        ("éé", ""),
    ],
)
def test_graphenes_base64_is_read_as_leniently_as_graphene_reads_it(text: str, expected: str):
    assert secret_bytes(text, "graphene").hex() == expected


@pytest.mark.parametrize("text", ["=abc", "a=bc"])
def test_graphenes_base64_has_no_padding_at_the_start_of_a_group(text: str):
    with pytest.raises(ValueError, match="padding at the end of a group of four"):
        secret_bytes(text, "graphene")


@pytest.mark.parametrize("text", ["+/+/", "-_-_", "+/+/====", " -_-_\n"])
def test_both_alphabets_of_base64_are_read(text: str):
    assert secret_bytes(text, "base64").hex() == "fbffbf"


@pytest.mark.parametrize("text", ["a", "a b c d", "!!!!", "é", "ab=cd"])
def test_what_is_no_base64_is_refused(text: str):
    with pytest.raises(ValueError, match="expected base64"):
        secret_bytes(text, "base64")


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=64))
def test_strict_and_lenient_base64_agree_on_well_formed_text(value: bytes):
    text = base64.b64encode(value).decode()

    assert secret_bytes(text, "graphene") == secret_bytes(text, "base64") == value
