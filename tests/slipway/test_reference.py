"""The documents: their tables are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from slipway import reference


@pytest.mark.parametrize("document", reference.documents(), ids=lambda path: path.name)
def test_the_tables_of_a_document_are_those_of_the_code(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert reference.filled(text) == text, "run `python -m slipway.reference`"


@pytest.mark.parametrize("service", reference.SETTINGS)
def test_every_service_has_its_table_in_the_settings(service: str) -> None:
    text = (reference.ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert f"<!-- settings: {service} -->\n| variable |" in text


@pytest.mark.parametrize(
    ("file", "picture"), reference.pictures().items(), ids=lambda value: getattr(value, "name", "")
)
def test_a_picture_of_a_document_is_the_graph_of_its_sample(file: Path, picture: str) -> None:
    assert file.read_text(encoding="utf-8") == picture, "run `python -m slipway.reference`"


def test_a_table_of_settings_replaces_what_stands_between_its_markers() -> None:
    text = "before\n<!-- settings: command-line -->\nSTALE\n<!-- end -->\nafter\n"

    filled = reference.filled(text)

    assert filled.startswith(
        "before\n<!-- settings: command-line -->\n| variable | default | meaning |\n|---|---|---|\n"
    )
    assert "\n| `SLIPWAY_PERSISTENCE` | *required* | " in filled
    assert filled.endswith("|\n<!-- end -->\nafter\n")
    assert "STALE" not in filled


def test_a_table_without_an_end_is_refused() -> None:
    text = "<!-- settings: catalog -->\n<!-- settings: command-line -->\n<!-- end -->\n"

    with pytest.raises(ValueError, match="behind each of 2 markers, found it behind 1"):
        reference.filled(text)


def test_a_marker_that_names_nothing_is_refused() -> None:
    with pytest.raises(LookupError, match="nobody"):
        reference.filled("<!-- settings: nobody -->\n<!-- end -->\n")
