"""A process of stand-in nodes for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.pipelines import Host, Pipeline, hosted


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    with hosted() as running:
        yield running


@pytest.fixture
def pipeline(host) -> Pipeline:
    return Pipeline(host)
