"""A process of stand-in nodes for all tests of this folder, all of which belong to `make test-conformance`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.pipelines import host, pipeline

__all__ = ["host", "pipeline"]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.conformance)
