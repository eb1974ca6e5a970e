"""A process runtime whose table of images is made of our samples."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.solutions import ROOT

from playground.runtime.process.opening import opened
from playground.runtime.process.runtime import ProcessRuntime


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the table and the nodes, as an operator makes it."""
    folder = tmp_path_factory.mktemp("table")
    subprocess.run([sys.executable, str(ROOT / "samples" / "table.py"), str(folder)], check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def module_folder(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(table, tmp_path_factory.mktemp("runtime"))


@pytest.fixture(scope="module")
def runtime(module_folder: Path) -> Iterator[ProcessRuntime]:
    """Give a runtime for all tests of a module."""
    made = opened(module_folder)
    yield made
    made.close()


@pytest.fixture
def folder(table: Path, tmp_path: Path) -> Path:
    """Return a folder for a runtime of one test."""
    return copied(table, tmp_path / "runtime")


def copied(table: Path, target: Path) -> Path:
    target.mkdir(exist_ok=True)
    shutil.copy(table / "images.json", target)
    (target / "nodes").symlink_to(table / "nodes")
    return target
