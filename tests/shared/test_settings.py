"""Settings: declared once, read from variables or files, refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from shared import settings
from shared.errors import SettingsError
from shared.settings import Secret, boolean, integer, one_of, section, setting, words


@dataclass(frozen=True, slots=True)
class Inner:
    """A section."""

    size: int = setting("T_SIZE", "Size in bytes.", parse=integer(least=1, most=10), default=4)
    key: Secret = setting("T_KEY", "A key.", parse=Secret, default_factory=lambda: Secret("made"), shown="random")  # noqa: RUF009

    def __post_init__(self) -> None:
        if self.size == 7:
            raise ValueError("T_SIZE: 7 brings bad luck")


@dataclass(frozen=True, slots=True)
class Outer:
    """A service's settings."""

    url: str = setting("T_URL", "Where it is.")
    inner: Inner = section(Inner)  # noqa: RUF009 - declares a field
    tags: tuple[str, ...] = setting("T_TAGS", "Tags.", parse=words, default=("a", "b"))
    is_loud: bool = setting("T_LOUD", "Loudness.", parse=boolean, default=False)
    note: str | None = setting("T_NOTE", "A note.", default=None)


def test_unset_variables_take_their_defaults():
    loaded = settings.load(Outer, {"T_URL": "http://x"})

    assert loaded == Outer("http://x", Inner(4, Secret("made")), ("a", "b"), is_loud=False, note=None)


def test_set_variables_are_read_in_sections_too():
    environ = {"T_URL": "u", "T_SIZE": "5", "T_KEY": "k", "T_TAGS": "x, y,", "T_LOUD": "Yes", "T_NOTE": "n"}

    assert settings.load(Outer, environ) == Outer("u", Inner(5, Secret("k")), ("x", "y"), is_loud=True, note="n")


def test_every_bad_variable_is_named_at_once_and_no_value_is_shown():
    with pytest.raises(SettingsError) as refused:
        settings.load(Outer, {"T_SIZE": "hunter2", "T_LOUD": "hunter2"})

    assert str(refused.value) == (
        "T_URL: required (Where it is.); T_SIZE: expected a whole number from 1 to 10; T_LOUD: expected true or false"
    )


def test_what_a_section_refuses_as_a_whole_is_a_settings_error():
    with pytest.raises(SettingsError, match=r"^T_SIZE: 7 brings bad luck$"):
        settings.load(Outer, {"T_URL": "u", "T_SIZE": "7"})


def test_a_value_may_stand_in_a_file(tmp_path: Path):
    (tmp_path / "url").write_text("from file\n", encoding="utf-8")

    assert settings.load(Outer, {"T_URL_FILE": str(tmp_path / "url")}).url == "from file"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"T_URL_FILE": "/nowhere/at/all"}, "T_URL: the file named by T_URL_FILE cannot be read"),
        ({"T_URL_FILE": "/etc/hostname", "T_URL": "u"}, "T_URL: set either T_URL or T_URL_FILE, not both"),
    ],
    ids=["missing file", "both"],
)
def test_a_file_that_cannot_be_the_value_is_refused(environ: dict[str, str], message: str):
    with pytest.raises(SettingsError) as refused:
        settings.load(Outer, environ)

    assert str(refused.value) == message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "url").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="T_URL_FILE cannot be read"):
        settings.load(Outer, {"T_URL_FILE": str(tmp_path / "url")})


def test_the_table_lists_every_variable_in_order():
    assert settings.table(Outer) == (
        "| variable | default | meaning |\n"
        "|---|---|---|\n"
        "| `T_URL` | *required* | Where it is. |\n"
        "| `T_SIZE` | `4` | Size in bytes. |\n"
        "| `T_KEY` | random | A key. |\n"
        "| `T_TAGS` | `a,b` | Tags. |\n"
        "| `T_LOUD` | `false` | Loudness. |\n"
        "| `T_NOTE` | – | A note. |\n"
    )


def test_the_repr_of_settings_masks_secrets():
    loaded = settings.load(Outer, {"T_URL": "u", "T_KEY": "hunter2"})

    assert "hunter2" not in f"{loaded!r} {loaded} {loaded.inner.key}"


def test_a_secret_compares_by_value_and_reveals_it_on_demand():
    assert (Secret("a") == Secret("a"), Secret("a") == Secret("b"), len({Secret("a"), Secret("a")})) == (True, False, 1)
    assert Secret("a").reveal() == "a"


@pytest.mark.parametrize("text", ["0", "11", "-1", "1.5", "", "٣", "0x5", "1_0"])
def test_a_number_outside_its_range_or_form_is_refused(text: str):
    with pytest.raises(ValueError, match="expected a whole number from 1 to 10"):
        integer(least=1, most=10)(text)


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("10", 10), (" 3 ", 3)])
def test_a_number_in_its_range_is_read(text: str, value: int):
    assert integer(least=1, most=10)(text) == value


@pytest.mark.parametrize("text", ["0", "false", "No", "OFF"])
def test_words_for_no_are_read(text: str):
    assert boolean(text) is False


def test_one_of_takes_its_choices_only():
    assert one_of("a", "b")("b") == "b"
    with pytest.raises(ValueError, match=r"^expected one of a, b$"):
        one_of("a", "b")("B")
