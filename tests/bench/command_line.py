"""How long the command line takes to start: somebody waits for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.rows import Row, interleaved, milliseconds

NAMES = ("slipway --help", "slipway list")
MOST_MILLISECONDS = 150


def rows() -> Iterator[Row]:
    """Yield the start-up of the console script, and of a bare interpreter to compare."""
    beside = Path(sys.executable).with_name("slipway")
    script = str(beside) if beside.exists() else str(shutil.which("slipway"))

    def run(*command: str) -> float:
        return milliseconds(lambda: subprocess.run(command, check=True, capture_output=True))

    listed, helped, bare = interleaved(
        lambda: run(script, "list"), lambda: run(script, "--help"), lambda: run(sys.executable, "-c", "pass")
    )
    yield Row("slipway --help", helped, "ms", most=MOST_MILLISECONDS)
    yield Row("slipway list", listed, "ms", bare, "python -c pass")
