"""What a process is told: a few variables by name, never the whole environment of a server, which holds its secrets."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""What programs need to find others and to read text; nothing here is a secret anywhere."""


def allowed(
    own: Mapping[str, str], *, inherited: Collection[str] = INHERITED, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return `own` over the variables of this process (or of `environ`) that are named in `inherited`."""
    present = os.environ if environ is None else environ
    return {name: present[name] for name in inherited if name in present} | dict(own)
