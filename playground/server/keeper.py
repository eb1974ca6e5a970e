"""Puts deployments to sleep that nobody uses, and, where the operator wants it, deletes those that nobody misses.

One copy of the server does it. A deployment that cannot be put to sleep stops nothing: the next one has its turn.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from playground.runtime.deployment import Deployment, State
from playground.runtime.interface import Leads, Runtime
from shared.errors import NotFoundError, SlipwayError

log = structlog.get_logger(__name__)

ROUND_SECONDS = 60.0
MINUTE, DAY = 60.0, 86_400.0
_AWAKE = frozenset({State.READY, State.STARTING, State.FAILED})


class Keeper:
    """Looks at all deployments once a minute."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        sleep_after_minutes: int,
        delete_after_days: int,
        now: Callable[[], float] = time.time,
        round_seconds: float = ROUND_SECONDS,
    ) -> None:
        """Prepare; 0 minutes or days stand for never."""
        self._runtime = runtime
        self._sleep_after = sleep_after_minutes * MINUTE
        self._delete_after = delete_after_days * DAY
        self._now = now
        self._round_seconds = round_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin, where there is anything to do."""
        if self._sleep_after or self._delete_after:
            self._thread.start()

    def close(self) -> None:
        """End, after what is being done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Do one round, unless another copy of the server does."""
        try:
            if isinstance(self._runtime, Leads) and not self._runtime.leads():
                return
            found = self._runtime.all()
        except SlipwayError as problem:
            log.warning("keeper_cannot_look", code=problem.code)
            return
        for deployment in found:
            try:
                # Somebody may have used it, or deleted it, since all were listed.
                self._keep(self._runtime.get(deployment.id))
            except NotFoundError:
                log.info("idle_deployment_gone", deployment=deployment.id)
            except SlipwayError as problem:
                log.warning("keeper_failed", deployment=deployment.id, code=problem.code)

    def _keep(self, deployment: Deployment) -> None:
        idle = self._now() - deployment.used_at
        if self._delete_after and idle >= self._delete_after and self._may_go(deployment):
            self._runtime.delete(deployment.id)
            log.info("idle_deployment_deleted", deployment=deployment.id)
        elif self._sleep_after and idle >= self._sleep_after and deployment.state in _AWAKE:
            self._runtime.sleep(deployment.id)
            log.info("idle_deployment_asleep", deployment=deployment.id)

    def _may_go(self, deployment: Deployment) -> bool:
        """Answer whether it holds no data: those never go without somebody's word."""
        if deployment.state is State.DELETING:
            return False
        try:
            self._runtime.shared_folder(deployment.id)
        except NotFoundError:
            return True
        return False

    def _watch(self) -> None:
        while not self._ended.wait(self._round_seconds):
            try:
                self.look()
            except Exception:
                # The last resort: a thread that dies silently would let everything run for ever.
                log.exception("keeper_crashed")
