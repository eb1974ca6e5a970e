"""Figures for a page that is being made: quick, or none; the page's events bring them a moment later.

An orchestrator that does not answer is waited for by a thread of its own here, not by somebody who wants to see a page.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLateError
from typing import Any

from playground.runtime.deployment import Deployment, DeploymentId, State
from playground.server.pipelines import Pipelines

WAIT_SECONDS = 0.4
AT_ONCE = 8
AWAKE = frozenset({State.READY, State.STARTING, State.FAILED})


class Glances:
    """Asks for the figures of deployments, once at a time for each."""

    def __init__(self, pipelines: Pipelines, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._pipelines = pipelines
        self._wait_seconds = wait_seconds
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="glance")
        self._asked: dict[DeploymentId, Future[dict[str, Any]]] = {}
        self._turn = threading.Lock()

    def statistics(self, found: Deployment) -> Mapping[str, Any]:
        """Return figures as `Pipelines.statistics` does; without any where they do not come in time."""
        if found.state not in AWAKE:
            return nothing("the nodes do not run")
        asked = self._being_asked(found)
        try:
            return asked.result(self._wait_seconds)
        except TooLateError:
            return nothing("the orchestrator has not answered yet")
        finally:
            with self._turn:
                # Somebody may have taken it away and asked again meanwhile.
                if asked.done() and self._asked.get(found.id) is asked:
                    del self._asked[found.id]

    def _being_asked(self, found: Deployment) -> Future[dict[str, Any]]:
        with self._turn:
            asked = self._asked.get(found.id)
            if asked is None or asked.done():
                asked = self._asked[found.id] = self._threads.submit(self._pipelines.statistics, found)
            return asked


def nothing(reason: str) -> dict[str, Any]:
    """Return figures of which there are none."""
    return {"available": False, "reason": reason, "run": None, "operations": [], "edges": []}
