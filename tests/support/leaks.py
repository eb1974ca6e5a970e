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


def leaked_since(before: tuple[int, int]) -> tuple[int, int]:
    """Return how many more are open, having waited a little for the other side of each connection to notice its end.

    Fewer are no leak: what an earlier test left behind may end at any moment.
    """
    until = time.monotonic() + 3
    while (more := _more(before)) != (0, 0) and time.monotonic() < until:
        gc.collect()
        time.sleep(0.01)
    return more


def _more(before: tuple[int, int]) -> tuple[int, int]:
    threads, descriptors = open_things()
    return max(0, threads - before[0]), max(0, descriptors - before[1])
