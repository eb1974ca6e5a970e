"""What the person at the terminal gets to read. Nothing that comes from the cluster or a manifest can steer the terminal."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from typing import List, TextIO

from shared.finishing.progress import news, plain_line, table
from shared.finishing.readiness import NodeState


def printable(text: str) -> str:
    """Escape what could steer the terminal; line breaks stay."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def shell_line(command: List[str]) -> str:
    """Return a command as people type it into their shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else " ".join(map(shlex.quote, command))


class Terminal:
    """Words go to stdout, or to stderr when stdout is kept for one JSON document; trouble always goes to stderr."""

    def __init__(self, *, json_on_stdout: bool) -> None:
        for stream in (sys.stdout, sys.stderr):
            # A log may hold letters that the terminal's encoding has not.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        self._out: TextIO = sys.stderr if json_on_stdout else sys.stdout
        self._draws = can_redraw(self._out)
        self._height = 0
        self._shown: List[NodeState] = []

    def say(self, text: str) -> None:
        """Print a line of what happens."""
        self._leave_table()
        print(printable(text), file=self._out, flush=True)

    def warn(self, text: str) -> None:
        """Print a line of what is wrong."""
        self._leave_table()
        print(printable(text), file=sys.stderr, flush=True)

    def progress(self, states: List[NodeState]) -> None:
        """Show the nodes: the table again in its place, or a line for each that changed."""
        now = datetime.now(timezone.utc)
        if self._draws:
            self._draw(states, now)
        else:
            for state in news(self._shown, states):
                print(printable(plain_line(state, now=now)), file=self._out, flush=True)
        self._shown = states

    def _draw(self, states: List[NodeState], now: datetime) -> None:
        size = shutil.get_terminal_size()
        lines = table(states, now=now, width=size.columns, height=max(3, size.lines - 2))
        up = f"\x1b[{self._height}F\x1b[J" if self._height else ""
        self._out.write(up + "".join(printable(line) + "\n" for line in lines))
        self._out.flush()
        self._height = len(lines)

    def _leave_table(self) -> None:
        """Let what is printed next stand below the table, and the next table below that."""
        self._height = 0


def can_redraw(stream: TextIO) -> bool:
    """Answer whether the stream is a terminal that can move its cursor; old Windows consoles cannot."""
    capable = os.name != "nt" or "WT_SESSION" in os.environ
    return stream.isatty() and capable and os.environ.get("TERM") != "dumb"
