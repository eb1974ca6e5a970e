"""The bytes of the blueprint that travels."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from support.blueprints import document, node, solution

from shared import blueprint
from shared.solution import Solution

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def of(value: object) -> Solution:
    return Solution(name="a", version="", is_pipeline=True, nodes=(), document={"x": value})


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_the_bytes_are_those_of_the_standard_writer(value: object) -> None:
    written = blueprint.emit(of(value))

    assert written == (json.dumps({"x": value}, indent=2) + "\n").encode()


def test_the_bytes_are_ascii_and_the_same_every_time() -> None:
    made = solution(document(node("a"), note='ünï \u2028 😀 " \\ / \x7f'))

    written = blueprint.emit(made)

    assert written.isascii()
    assert written == blueprint.emit(made)
    assert json.loads(written) == made.document


def test_integers_of_any_size_keep_their_digits() -> None:
    assert str(10**399).encode() in blueprint.emit(of(10**399))


def test_a_model_has_an_empty_document() -> None:
    assert blueprint.emit(Solution(name="a", version="", is_pipeline=False, nodes=())) == b"{}\n"
