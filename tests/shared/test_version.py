"""The version in code and the version of the distribution."""

from __future__ import annotations

import tomllib

from support.solutions import ROOT

from shared.version import VERSION


def test_it_is_the_version_of_the_distribution() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION
