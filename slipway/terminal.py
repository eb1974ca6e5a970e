"""What reaches a person's terminal: foreign text is escaped, findings read as lines."""

from __future__ import annotations

import sys

from shared.errors import SlipwayError
from shared.findings import Findings


def plain(text: str) -> str:
    """Return `text` with everything that a terminal could take for a command escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """Print a line."""
    print(plain(text), flush=True)


def complain(text: str) -> None:
    """Print a line on standard error."""
    print(plain(text), file=sys.stderr, flush=True)


def complain_of(problem: SlipwayError) -> None:
    """Print an error; it may have lines of its own, such as the end of a log."""
    for line in f"error: {problem}".split("\n"):
        complain(line)


def report(findings: Findings) -> None:
    """Print every finding on standard error, then the count."""
    for finding in findings:
        complain(str(finding))
    if findings:
        complain(findings.header)
