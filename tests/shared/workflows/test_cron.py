"""Which expressions engines take; any other would never start anything."""

from __future__ import annotations

import pytest

from shared.workflows import cron


@pytest.mark.parametrize(
    "expression",
    ["* * * * *", "0 0 ? * MON-FRI", "*/15 0-23/2 1,15 jan,JUL 0-6", "5/10 23 31 12 sun", "@daily", "@annually"],
)
def test_engines_take_it(expression: str):
    assert cron.problem(expression) == ""


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("60 * * * *", "minute from 0 to 59"),
        ("61 25 * * *", "minute from 0 to 59"),
        ("0 24 * * *", "hour from 0 to 23"),
        ("0 0 0 * *", "day of the month from 1 to 31"),
        ("0 0 * 13 *", "month from 1 to 12"),
        ("0 0 * * 7", "day of the week from 0 to 6"),
        ("0 0 L * *", "day of the month from 1 to 31"),
        ("0 0 * * 1#2", "day of the week from 0 to 6"),
        ("5-1 * * * *", "minute from 0 to 59"),
        ("*/0 * * * *", "minute from 0 to 59"),
        ("1- * * * *", "minute from 0 to 59"),
        ("0 0 * MON *", "month from 1 to 12"),
        ("@reboot", "expected one of @annually, @daily"),
        ("* * * * * *", "expected 5 fields"),
    ],
)
def test_engines_refuse_it(expression: str, told: str):
    assert told in cron.problem(expression)
