"""What a solution's files are when nothing can be made of them: one error finding, that says where."""

from __future__ import annotations

from shared.errors import InvalidSolutionError
from shared.findings import Findings, error, quoted

_CODE = "solution-unreadable"


def unreadable(path: str, *, expected: str, found: str) -> InvalidSolutionError:
    """Return the error; `path` is the file at fault, a foreign text, or `$` for all of them together."""
    shown = quoted(path).removeprefix('"').removesuffix('"')
    return InvalidSolutionError(Findings((error(_CODE, shown, expected=expected, found=found),)))
