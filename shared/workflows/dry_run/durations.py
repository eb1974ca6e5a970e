"""Times as workflow engines write them: `10s`, `1h30m`, or a plain number of seconds."""

from __future__ import annotations

import re
from typing import Any

from shared.findings import quoted
from shared.workflows.dry_run.outcome import PackageError

_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ns|us|ms|s|m|h|d)")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


def seconds(value: Any, path: str) -> float:
    """Return the seconds.

    Raises:
        PackageError: it is no time.
    """
    text = str(value).strip()
    if not isinstance(value, bool) and _NUMBER.fullmatch(text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != text:
        raise PackageError(f"{path}: expected a time such as 10s, found {quoted(value)}")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))
