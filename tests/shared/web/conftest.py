"""Logs of every test in memory, in the form that they have in operation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.logs import Logs, kept


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    with kept() as found:
        yield found
