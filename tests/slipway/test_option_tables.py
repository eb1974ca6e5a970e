"""Options in words: each kind of value that a schema can have."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import UNSET, Meta, UnsetType

from slipway import option_tables


class Inner(msgspec.Struct):
    """A part."""

    host: Annotated[str, Meta(examples=["example.org"], description="A | B")]


class Outer(msgspec.Struct):
    """The whole."""

    part: Inner | None = None
    parts: tuple[Inner, ...] = ()
    named: dict[str, Inner] = {}
    count: Annotated[int, Meta(ge=0, le=9, description="How many.")] = 1
    least: Annotated[int, Meta(ge=2)] | UnsetType = UNSET
    word: Literal["", "a"] = ""
    flag: bool = True
    text: str = "x"
    any_of: str | int | float | bool = ""


def row(option: str) -> str:
    lines = option_tables.tables(msgspec.json.schema(Outer)).splitlines()
    return next(line for line in lines if line.startswith(f"| `{option}` |"))


@pytest.mark.parametrize(
    "expected",
    [
        "| `part` | [Inner](#inner) or `null` | – | A part. |",
        "| `parts` | list of [Inner](#inner) | – |  |",
        "| `named` | object: name → [Inner](#inner) | – |  |",
        "| `count` | 0 to 9 | `1` | How many. |",
        "| `least` | 2 or more | – |  |",
        '| `word` | `""`, `a` | `""` |  |',
        "| `flag` | `true`, `false` | `true` |  |",
        "| `text` | text | `x` |  |",
        '| `any_of` | text or number or `true`, `false` | `""` |  |',
        r"| `host` | text, such as `example.org` | *required* | A \| B |",
    ],
)
def test_an_option_is_a_row_of_its_table(expected: str) -> None:
    option = expected.split("`")[1]

    assert row(option) == expected


def test_every_object_has_a_heading_its_description_and_a_table() -> None:
    text = option_tables.tables(msgspec.json.schema(Outer))

    assert text.startswith("### Outer\n\nThe whole.\n\n| option | values | default | meaning |\n|---|---|---|---|\n")
    assert "\n### Inner\n\nA part.\n\n| option |" in text
