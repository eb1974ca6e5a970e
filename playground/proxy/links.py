"""Links that lead from the server's pages to a web UI: the visitor arrives there let in, once, within a minute."""

from __future__ import annotations

from playground.proxy.passes import Pass, Passes
from playground.proxy.places import ENTRY, Places, mark
from playground.proxy.settings import UiSettings
from shared.settings import Secret
from shared.web.sessions import Session


class Links:
    """Makes them."""

    def __init__(self, settings: UiSettings, key: Secret) -> None:
        """Prepare; `key` is the one that seals sessions."""
        self._places = Places(settings)
        self._passes = Passes(key)

    def start(self, deployment: str, node: str, session: Session) -> str:
        """Return an absolute URL with a code; what it opens ends with the visitor's session."""
        visit = Pass(session.principal, session.id, deployment, mark(node), session.expires)
        return f"{self._places.url(deployment, node)}{ENTRY}?code={self._passes.code(visit)}"
