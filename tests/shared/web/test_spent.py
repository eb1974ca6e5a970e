"""Used codes: remembered by all processes that share a folder, forgotten when they are old."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import SettingsError, UnavailableError
from shared.web.spent import SpentCodes, folder


def test_a_code_is_spent_once_even_if_many_try_at_the_same_time(tmp_path: Path):
    copies = [SpentCodes(tmp_path, keep_seconds=120) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda copy: copy.spend("c0de"), copies))

    assert sorted(outcomes) == [False] * 7 + [True]


def test_old_codes_are_forgotten(tmp_path: Path):
    spent = SpentCodes(tmp_path, keep_seconds=120)
    spent.spend("old")
    os.utime(tmp_path / "old", (1, 1))

    spent.spend("new")

    assert [file.name for file in tmp_path.iterdir()] == ["new"]


def test_a_folder_that_is_gone_makes_codes_unavailable(tmp_path: Path):
    with pytest.raises(UnavailableError, match="one-time codes cannot be accepted"):
        SpentCodes(tmp_path / "gone", keep_seconds=120).spend("c0de")


def test_the_default_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    assert folder("").stat().st_mode & 0o777 == 0o700
    assert folder("") == tmp_path / f"slipway-spent-{os.getuid()}"


def test_a_default_folder_that_others_can_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder("").chmod(0o777)

    with pytest.raises(SettingsError, match="SLIPWAY_SPENT_FOLDER: required here"):
        folder("")


def test_a_link_in_place_of_the_default_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"slipway-spent-{os.getuid()}").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(SettingsError, match="SLIPWAY_SPENT_FOLDER"):
        folder("")


def test_a_configured_folder_is_made(tmp_path: Path):
    assert folder(str(tmp_path / "a" / "b")).is_dir()


def test_a_configured_folder_that_cannot_be_made_stops_the_start(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="SLIPWAY_SPENT_FOLDER: the folder cannot be made"):
        folder(str(tmp_path / "file" / "b"))
