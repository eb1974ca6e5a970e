"""What the tests of the finishing script share: a bundle, and a cluster that a stand-in for kubectl plays."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.finishing_desk import Desk, lay_out


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a bundle on disk and an empty namespace `demo`."""
    return lay_out(tmp_path)
