"""An artifact that cannot be written: what was begun is thrown away, and why is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.driver.artifacts import Writer
from orchestrator.driver.errors import RunFailedError

LARGER_THAN_A_BUFFER = b"x" * 20_000


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """Return the name of an artifact for which there is no room: what is written of it goes to the full device."""
    (tmp_path / ".out.binpb.part").symlink_to("/dev/full")
    return tmp_path / "out.binpb"


def write(path: Path, message: bytes) -> None:
    with Writer(path) as writer:
        writer.write(message)
        writer.commit()


def begin_and_fail(path: Path) -> None:
    with Writer(path) as writer:
        writer.write(b"x")
        raise ValueError("of the run")


@pytest.mark.parametrize("message", [b"x", LARGER_THAN_A_BUFFER])
def test_a_full_disk_is_told_and_leaves_nothing(full: Path, message: bytes):
    with pytest.raises(RunFailedError, match=r"out\.binpb: cannot be written: No space left on device"):
        write(full, message)

    assert list(full.parent.iterdir()) == []


def test_who_fails_for_another_reason_is_told_that_one(full: Path):
    with pytest.raises(ValueError, match="of the run"):
        begin_and_fail(full)
