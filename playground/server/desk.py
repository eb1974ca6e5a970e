"""What people may do with deployments: every route asks here, with the principal it has verified.

Others' deployments do not exist for a caller: they are refused in the same words as unknown ones. Operators see all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.runtime.deployment import Deployment, DeploymentId
from playground.runtime.interface import Runtime
from playground.server.streams import Streams
from shared.errors import NotFoundError
from shared.principal import Principal
from shared.web.limits import RateLimit

ID = re.compile(r"[a-z](?:[a-z0-9-]{0,50}[a-z0-9])?")
_UNKNOWN = "there is no such deployment"


@dataclass(frozen=True)
class Desk:
    """The runtime behind its door."""

    runtime: Runtime
    streams: Streams
    requests: RateLimit
    changes: RateLimit

    def deployments(self, principal: Principal) -> tuple[Deployment, ...]:
        """Return what the principal may see, the newest first."""
        return tuple(found for found in self.runtime.all() if _may_see(principal, found))

    def deployment(self, given: str, principal: Principal) -> Deployment:
        """Return one deployment.

        Raises:
            NotFoundError: there is none of that id, or it is somebody else's.
        """
        if not ID.fullmatch(given):
            raise NotFoundError(_UNKNOWN)
        try:
            found = self.runtime.get(DeploymentId(given))
        except NotFoundError:
            raise NotFoundError(_UNKNOWN) from None
        if not _may_see(principal, found):
            raise NotFoundError(_UNKNOWN)
        return found


def _may_see(principal: Principal, deployment: Deployment) -> bool:
    return principal.is_operator or deployment.owner.id == principal.id
