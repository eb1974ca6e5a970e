"""Counts what a process may forget to free."""

from __future__ import annotations

import gc
import os
import threading
import time


def open_things() -> tuple[int, int]:
    """Return how many threads and files (sockets among them) this process has."""
    # Listing through pathlib keeps a file open meanwhile on some versions of Python, and so counts itself.
    return threading.active_count(), len(os.listdir("/dev/fd"))  # noqa: PTH208


def settled_things(expected: tuple[int, int]) -> tuple[int, int]:
    """Return the same, having waited a little for the other side of each connection to notice that it ended."""
    until = time.monotonic() + 3
    while time.monotonic() < until and open_things() != expected:
        gc.collect()
        time.sleep(0.01)
    return open_things()
