"""Finds and ends processes of a former run by a mark in their environment, which proves whose they are.

A number in a file proves nothing: it may be somebody else's by now. A random mark that only our processes were started
with is inherited by their children too, and is read again through a handle of the process just before the signal.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

VARIABLE = "SLIPWAY_PROCESS_MARK"
_PROC = Path("/proc")
_POLL_SECONDS = 0.02
_SECONDS = 5.0


def keeper(mark: str) -> subprocess.Popen[bytes]:
    """Return a process that ends everything with the mark as soon as we have ended, however that was; kill it to let go."""
    return subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-I", "-S", __file__, mark],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C of a terminal is not meant for it
    )


def end(mark: str) -> int:
    """Kill every process whose mark is `mark` or begins with `mark/`; return how many there were.

    Only Linux shows the environment of a process; elsewhere none is found.
    """
    ended: set[int] = set()
    until = time.monotonic() + _SECONDS
    while (found := list(marked(mark))) and time.monotonic() < until:
        ended.update(pid for pid in found if _kill(pid, mark))
        time.sleep(_POLL_SECONDS)
    return len(ended)


def marked(mark: str) -> Iterator[int]:
    """Yield the processes that have the mark."""
    if sys.platform == "linux":
        for folder in _PROC.iterdir():
            if folder.name.isdigit() and _has_mark(int(folder.name), mark):
                yield int(folder.name)


def _has_mark(pid: int, mark: str) -> bool:
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or belongs to somebody else
        return False
    wanted = f"{VARIABLE}={mark}".encode()
    return any(variable == wanted or variable.startswith(wanted + b"/") for variable in variables)


def _kill(pid: int, mark: str) -> bool:
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if _has_mark(pid, mark):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                return True
        finally:
            os.close(handle)
    return False


if __name__ == "__main__":
    sys.stdin.buffer.read()  # until nobody is there who could write
    end(sys.argv[1])
