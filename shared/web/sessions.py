"""Browser sessions: a token is exchanged once for a short-lived signed cookie that every copy of a service can read."""

from __future__ import annotations

from dataclasses import dataclass

from shared.principal import Principal


@dataclass(frozen=True, slots=True)
class Session:
    """A visitor's session as its cookie carries it."""

    principal: Principal
    id: str
    expires: int
    """Seconds since the epoch; never later than the token's own expiry."""
    csrf: str
    """What an unsafe request must bring as `X-CSRF-Token` or as the form field `csrf_token`."""
