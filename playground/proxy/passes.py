"""What lets a visitor in: a code that works once, then a cookie for that web UI; on one host, a ticket in the path too.

All three are sealed, each for its own purpose, and name one person, one deployment and one node. Nothing is stored.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.principal import Principal
from shared.settings import Secret
from shared.web.seal import Seal
from shared.web.sessions import CODE_SECONDS


@dataclass(frozen=True, slots=True)
class Pass:
    """Who may see which web UI, and until when."""

    principal: Principal
    session: str
    """Id of the session in which the visitor came; what it opened ends with it."""
    deployment: str
    mark: str
    """Of the node, see `places.mark`."""
    until: int
    """Seconds since the epoch: when the session ends by itself."""


class Passes:
    """Makes and reads them."""

    def __init__(self, key: Secret, *, now: Callable[[], float] = time.time) -> None:
        """Prepare the keys: `key` is the one that seals sessions, `now` are seconds since the epoch."""
        material = key.reveal().encode()
        self._codes = Seal(material, "code for a web UI")
        self._cookies = Seal(material, "cookie of a web UI")
        self._tickets = Seal(material, "ticket of a web UI")
        self.now = now

    def code(self, of: Pass) -> str:
        """Return a code for a link; it can be redeemed once, within a minute."""
        more = {"id": secrets.token_hex(16), "redeemable": int(self.now()) + CODE_SECONDS}
        return self._codes.close(_value(of) | more)

    def cookie(self, of: Pass) -> str:
        """Return the value of the cookie."""
        return self._cookies.close(_value(of))

    def ticket(self, of: Pass) -> str:
        """Return a segment of a path."""
        return self._tickets.close(_value(of))

    def redeemed(self, code: str, spend: Callable[[str], bool]) -> Pass | None:
        """Return what a code stands for, or None: it is foreign, too old, or used.

        Raises:
            UnavailableError: `spend` cannot say whether it was used.
        """
        value = self._codes.open(code)
        found = self._valid(value)
        if value is None or found is None or value["redeemable"] <= self.now() or not spend(value["id"]):
            return None
        return found

    def of_cookie(self, text: str) -> Pass | None:
        """Return what a cookie stands for, or None."""
        return self._valid(self._cookies.open(text))

    def of_ticket(self, text: str) -> Pass | None:
        """Return what a ticket stands for, or None."""
        return self._valid(self._tickets.open(text))

    def _valid(self, value: Mapping[str, Any] | None) -> Pass | None:
        if value is None or value["until"] <= self.now():
            return None
        principal = Principal(value["principal"], is_operator=value["operator"])
        return Pass(principal, value["session"], value["deployment"], value["mark"], value["until"])


def _value(of: Pass) -> dict[str, Any]:
    who = {"principal": of.principal.id, "operator": of.principal.is_operator, "session": of.session}
    return {**who, "deployment": of.deployment, "mark": of.mark, "until": of.until}
