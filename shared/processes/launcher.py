"""Becomes another program that does not outlive who started it. Run as a script: PARENT LIMITS PROGRAM ARGUMENT….

What has to happen between fork and exec happens here, in a process of its own: Python code between the two of a server
with threads may wait for a lock for ever.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
CANNOT_RUN = 127  # what a shell says


def main() -> None:
    """Set the limits, tie our life to the parent's, and become the program."""
    parent, limits, *program = sys.argv[1:]
    _die_with(int(parent))
    for name, value in json.loads(limits).items():
        _limit(getattr(resource, name), value)
    try:
        os.execvp(program[0], program)  # noqa: S606 no shell is the point
    except OSError as problem:
        sys.stderr.write(f"cannot run {program[0]!r}: {problem.strerror}\n")
        sys.exit(CANNOT_RUN)


def _die_with(parent: int) -> None:
    """Ask the kernel to kill us when the thread that forked us ends; other systems than Linux cannot."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask
        sys.exit(CANNOT_RUN)


def _limit(which: int, value: int) -> None:
    """Set both limits, within what we may: nobody can raise the hard one again."""
    _, hard = resource.getrlimit(which)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (allowed, allowed))


if __name__ == "__main__":
    main()
