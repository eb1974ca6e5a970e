"""Limits on the time of a computation that hold on a busy machine and while coverage is measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_TRACED = 8  # how much slower a traced function runs


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Check that the block takes less than so many seconds of the processor's time, other threads' apart."""
    started = time.thread_time()
    yield
    spent = time.thread_time() - started
    assert spent < seconds * (_TRACED if sys.gettrace() else 1)
