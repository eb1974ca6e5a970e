"""What scripts of workflows share at the terminal: lines that nothing from a cluster can steer, and values as people type them."""

from __future__ import annotations

import argparse
import random
import signal
import string
import sys
from typing import Callable, Dict, List, Optional, Tuple, Type

from shared.finishing.names import UsageError

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
POLL_SECONDS = 2.0
SUFFIX_LETTERS = 5


def exit_status_of(act: Callable[[], int], *, interrupted: str, failures: Tuple[Type[Exception], ...]) -> int:
    """Return the exit status of what a script does; `failures` are one line, and no traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return act()
    except KeyboardInterrupt:
        warn(interrupted)
        return EXIT_INTERRUPTED
    except failures as problem:
        warn(f"error: {problem}")
        return EXIT_FAILED


def add_everywhere(
    parser: argparse.ArgumentParser,
    verbs: List[argparse.ArgumentParser],
    *flags: str,
    told: str,
    default: Optional[str] = None,
    metavar: Optional[str] = None,
) -> None:
    """Let an option stand before the verb or after it; what stands after it counts."""
    parser.add_argument(*flags, help=told, default=default, metavar=metavar)
    for verb in verbs:
        # With a default of its own, the verb would overwrite what stands before it.
        verb.add_argument(*flags, help=told, default=argparse.SUPPRESS, metavar=metavar)


def name_and_value(text: str) -> Tuple[str, str]:
    """Return both sides of `NAME=VALUE`.

    Raises:
        UsageError: it has no `=`.
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--parameter: expected NAME=VALUE, found {text!r}")
    return name, value


def changes_between(before: Dict[str, str], after: Dict[str, str]) -> List[str]:
    """Return a line for each task that has changed."""
    return [f"{name}: {state}" for name, state in sorted(after.items()) if before.get(name) != state]


def suffix() -> str:
    """Return what makes the name of a run its own."""
    return "".join(random.SystemRandom().choices(string.ascii_lowercase + string.digits, k=SUFFIX_LETTERS))


def say(text: str) -> None:
    """Print a line of what happens; nothing that comes from the cluster can steer the terminal."""
    print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text), flush=True)


def warn(text: str) -> None:
    """Print lines of what is wrong."""
    shown = (c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    print("".join(shown), file=sys.stderr, flush=True)
