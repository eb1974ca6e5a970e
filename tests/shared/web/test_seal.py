"""Seals: what was signed comes back, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.web.seal import Seal

KEY = b"k" * 32


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers() | st.booleans() | st.none(), max_size=4)
)
def test_what_was_closed_opens(value: dict[str, object]):
    seal = Seal(KEY, "test")

    assert seal.open(seal.close(value)) == value


def test_a_closed_value_fits_cookies_and_urls():
    assert set(Seal(KEY, "test").close({"name": "ü~?&;"})) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )


@pytest.mark.parametrize("place", [0, 3, -1, -5])
def test_a_changed_value_does_not_open(place: int):
    closed = list(Seal(KEY, "test").close({"operator": False}))
    closed[place] = "A" if closed[place] != "A" else "B"

    assert Seal(KEY, "test").open("".join(closed)) is None


@pytest.mark.parametrize("text", ["", ".", "a", "a.b", "é.é", "\x00", "e30.", "x" * 5000])
def test_foreign_text_does_not_open(text: str):
    assert Seal(KEY, "test").open(text) is None


def test_a_seal_of_another_purpose_or_key_does_not_open():
    closed = Seal(KEY, "test").close({"a": 1})

    assert (Seal(KEY, "other").open(closed), Seal(b"x" * 32, "test").open(closed)) == (None, None)
