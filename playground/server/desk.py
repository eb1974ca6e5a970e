"""What people may do with deployments: every route asks here, with the principal it has verified.

Others' deployments do not exist for a caller: they are refused in the same words as unknown ones. Operators see all.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field, replace

import structlog

from playground.runtime.deployment import Deployment, DeploymentId, Push, State
from playground.runtime.interface import Runtime
from playground.server import receiving
from playground.server.blueprints import Blueprints
from playground.server.callers import Pusher
from playground.server.pipelines import Pipelines
from playground.server.streams import Streams
from shared.errors import ConflictError, NotFoundError, SlipwayError
from shared.principal import Principal
from shared.web.limits import Gate, RateLimit

log = structlog.get_logger(__name__)

ID = re.compile(r"[a-z](?:[a-z0-9-]{0,50}[a-z0-9])?")
LOOK_SECONDS = 300.0
"""A look is noted at most this often: in a cluster it is written down."""
MOST_REMEMBERED = 10_000
_UNKNOWN = "there is no such deployment"
_AWAKE = frozenset({State.READY, State.STARTING, State.FAILED})


@dataclass(frozen=True)
class Desk:
    """The runtime behind its door."""

    runtime: Runtime
    pipelines: Pipelines
    blueprints: Blueprints
    streams: Streams
    changes: RateLimit
    """Every change counts here, whoever's deployment it is."""
    reading: Gate
    """Archives that are read at once: each may hold 64 MiB."""
    _looks: dict[DeploymentId, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

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

    def changed(self, given: str, principal: Principal) -> Deployment:
        """Return a deployment that the principal is about to change; what `deployment` does, and it is counted.

        Raises:
            NotFoundError: as `deployment` does.
            RateLimitedError: too many changes.
        """
        self.changes.take(principal.id)
        return self.deployment(given, principal)

    def create(self, pusher: Pusher) -> tuple[Deployment, bool]:
        """Take a bundle; return its deployment, with what was found in it, and whether it is new.

        Raises:
            RateLimitedError, TooLargeError, InvalidArchiveError, InvalidSolutionError: see `receiving.read`.
            ConflictError: the deployment is being deleted.
        """
        self.changes.take(pusher.principal.id)
        received = self._read(pusher, pusher.principal)
        deployment, is_new = self.runtime.create(received.push)
        if deployment.state is State.ASLEEP:  # whoever pushes it wants to see it run
            self.runtime.wake(deployment.id)
            deployment = self.runtime.get(deployment.id)
        log.info("bundle_pushed", deployment=deployment.id, is_new=is_new, by_service=pusher.is_service)
        return replace(deployment, findings=received.findings + deployment.findings), is_new

    def update(self, given: str, pusher: Pusher) -> Deployment:
        """Run another bundle of the same solution in a deployment.

        Raises:
            NotFoundError: as `deployment` does.
            ConflictError: the bundle is of another solution; and what `create` raises.
        """
        found = self.changed(given, pusher.principal)
        received = self._read(pusher, found.owner)
        _check_same_solution(found, received.push)
        deployment = self.runtime.update(found.id, received.push)
        log.info("bundle_updated", deployment=deployment.id)
        return replace(deployment, findings=received.findings + deployment.findings)

    def delete(self, given: str, principal: Principal, *, data: bool) -> None:
        """Remove a deployment; its data too, where that is said.

        Raises:
            ConflictError: it has a shared folder, and nobody said that its content may go.
        """
        found = self.changed(given, principal)
        if not data and self.has_data(found):
            raise ConflictError("the deployment has a shared folder: say data=true to delete its content as well")
        self.runtime.delete(found.id)
        log.info("deployment_deleted", deployment=found.id, with_data=data)

    def has_data(self, found: Deployment) -> bool:
        """Answer whether deleting it would take data; when in doubt, yes."""
        try:
            self.runtime.shared_folder(found.id)
        except NotFoundError:
            return False
        except SlipwayError:
            return True
        return True

    def look(self, found: Deployment) -> None:
        """Note that somebody looks into a deployment: those that nobody looks into fall asleep."""
        if found.state not in _AWAKE:
            return
        now = time.monotonic()
        with self._lock:
            if now - self._looks.get(found.id, -LOOK_SECONDS) < LOOK_SECONDS:
                return
            if len(self._looks) > MOST_REMEMBERED:
                self._looks.clear()
            self._looks[found.id] = now
        try:
            self.runtime.wake(found.id)
        except SlipwayError as problem:
            # Whoever only looks must not see an error of a note about that.
            log.warning("look_not_noted", deployment=found.id, code=problem.code)

    def _read(self, pusher: Pusher, owner: Principal) -> receiving.Received:
        with self.reading.passed():
            return receiving.read(pusher.body, owner)


def _may_see(principal: Principal, deployment: Deployment) -> bool:
    return principal.is_operator or deployment.owner.id == principal.id


def _check_same_solution(found: Deployment, push: Push) -> None:
    known = {revision.ids.solution_id for revision in found.revisions if revision.ids}
    if push.ids and known and push.ids.solution_id not in known:
        raise ConflictError("the bundle is of another solution: push it as a deployment of its own")
