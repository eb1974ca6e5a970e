"""Lines of scripts at the terminal."""

from __future__ import annotations

import pytest

from shared.finishing import speaking
from shared.finishing.names import UsageError


def test_only_what_changed_is_told():
    before = {"a": "Running", "b": "Succeeded"}

    assert speaking.changes_between(before, {**before, "a": "Failed: exit code 1"}) == ["a: Failed: exit code 1"]


def test_nothing_that_comes_from_a_cluster_steers_the_terminal(capsys: pytest.CaptureFixture[str]):
    speaking.say("a\x1b[2Jb\nc")
    speaking.warn("d\x07\ne")

    assert capsys.readouterr() == ("a\\x1b[2Jb\\nc\n", "d\\x07\ne\n")


def test_a_parameter_has_a_name_and_may_be_empty():
    assert speaking.name_and_value("level=") == ("level", "")
    with pytest.raises(UsageError, match="expected NAME=VALUE"):
        speaking.name_and_value("=3")


def test_two_runs_have_two_names():
    assert speaking.suffix() != speaking.suffix()
