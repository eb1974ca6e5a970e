"""The model: what it answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.conformance

NODE = "sentiment/sentiment"


@pytest.fixture(scope="module")
def model(start_node) -> Iterator:
    with start_node(NODE) as node:
        yield node


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("What a wonderful, friendly place", "positive"),
        ("Excellent value and quick service", "positive"),
        ("Terrible, slow and far too expensive", "negative"),
        ("I was bored and disappointed", "negative"),
        ("", "undecided"),
        ("Слово 42 !!! \x00\x1b[2J", "undecided"),
    ],
)
def test_a_text_is_classified_by_its_words(model, text, label) -> None:
    answer = model.call("classify", model.message("Text", text=text))

    assert answer.label == label


def test_the_probability_agrees_with_the_label(model) -> None:
    positive = model.call("classify", model.message("Text", text="great")).positive
    negative = model.call("classify", model.message("Text", text="terrible")).positive

    assert 0 < negative < 0.5 < positive < 1


def test_a_text_of_five_megabytes_is_answered(model) -> None:
    answer = model.call("classify", model.message("Text", text="a" * 5_000_000))

    assert answer.label == "undecided"


def test_ten_thousand_words_stay_a_probability(model) -> None:
    answer = model.call("classify", model.message("Text", text="awful " * 10_000))

    assert answer.label == "negative"
    assert answer.positive == pytest.approx(0.0)
