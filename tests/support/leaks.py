"""Counts what a process may forget to free."""

from __future__ import annotations

import gc
import os
import threading
import time
from pathlib import Path


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


def state(pid: int) -> str:
    """Return the letter of a process's state, `Z` for one that has ended and was not asked how; empty where there is none."""
    try:
        about = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return about.rpartition(")")[2].split()[0]  # a name may have anything in it


def _more(before: tuple[int, int]) -> tuple[int, int]:
    threads, descriptors = open_things()
    return max(0, threads - before[0]), max(0, descriptors - before[1])
