"""The net around reading: a package comes from anywhere, and no list of the forms that a value may have is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.workflows.dry_run.outcome import PackageError
from shared.yaml_text import YamlReader

_MAX_BYTES = 16 << 20  # of all files: ten times what 300 operations take
_MAX_EVENTS = 1_000_000
_TRIPPED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@contextmanager
def of(what: str) -> Iterator[None]:
    """Read a part of a package, and nothing else: what starts programs, or waits for them, has errors of its own.

    Raises:
        PackageError: a value has a form that nobody expected there.
    """
    try:
        yield
    except _TRIPPED as problem:
        # Where it stands nobody noted: what is expected at a place is checked at that place, with a better message.
        raise PackageError(f"{what}: a value has an unexpected form ({type(problem).__name__}: {problem})") from problem


def yaml_reader() -> YamlReader:
    """Return a reader for the files of one package."""
    return YamlReader(max_bytes=_MAX_BYTES, max_events=_MAX_EVENTS, aliases=True)
