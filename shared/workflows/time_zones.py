"""Names of time zones as engines read them. By one that they do not know, nothing would ever start."""

from __future__ import annotations

import zoneinfo
from functools import cache


@cache
def known() -> frozenset[str]:
    """Return the names in the IANA database, of this machine and of the package `tzdata`: most images have none."""
    return frozenset(zoneinfo.available_timezones())
