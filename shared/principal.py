"""Who asks. A token proves a principal (`shared.tokens`); a persistence decides what that principal may load."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller."""

    id: str
    """As configured, without fallback: the e-mail of Graphene's `mlpuser`, or `<iss>#<sub>` of an OIDC issuer."""
    user_id: str | None = None
    """The marketplace's own id of the user (`mlpuser.userId`), where the token carries one."""
    is_operator: bool = False
    """True for callers on the operators' list, and for the command line, which holds the credentials itself."""

    @property
    def owner_hash(self) -> str:
        """Stable stand-in for the id where it must not be read: labels, names, metrics (64 bits, hex)."""
        return hashlib.sha256(self.id.encode()).hexdigest()[:16]


LOCAL_OPERATOR = Principal("local-operator", is_operator=True)
"""The person at the command line: whoever may read the persistence's credentials may load everything."""

ANONYMOUS = Principal("anonymous")
"""A visitor without a token, who may load what everybody may: only where the compatibility profile allows it."""

RESERVED_IDS = frozenset({LOCAL_OPERATOR.id, ANONYMOUS.id})
"""No token may claim these."""
