"""A deployment as a stream of server-sent events: what it is at once, then every change, and figures once a second.

`deployment` carries the deployment's object, `statistics` the figures of its run, `happened` a list of what the runtime
tells, `gone` nothing: the deployment is no more. A comment now and then shows that the stream lives.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playground.runtime.deployment import Event
from playground.server import shapes
from playground.server.callers import Caller
from playground.server.desk import Desk
from shared.errors import NotFoundError, SlipwayError

TICK_SECONDS = 1.0
REST_SECONDS = 0.2
"""Between two looks, however often the runtime changes: other deployments change it too."""
HEARTBEAT_SECONDS = 15.0
MAX_SECONDS = 3600.0
RECONNECT_MS = 2000


@dataclass
class EventStream:
    """One listener of one deployment."""

    desk: Desk
    caller: Caller
    deployment_id: str
    is_over: Callable[[], bool]
    """Says that the listener has gone, or that the server is about to stop."""
    now: Callable[[], float] = time.time
    _sent: dict[str, Any] = field(default_factory=dict)
    _known: frozenset[Event] = frozenset()
    _spoke_at: float = 0.0

    def __iter__(self) -> Iterator[bytes]:
        """Yield what to send, until it is over, the deployment is gone, or the listener's proof ends."""
        end = time.monotonic() + min(MAX_SECONDS, max(0.0, self.caller.until - self.now()))
        yield f"retry: {RECONNECT_MS}\n\n".encode()
        version, asked_at = self.desk.runtime.wait_changed(0, 0), 0.0
        while not self.is_over() and time.monotonic() < end:
            try:
                is_due = time.monotonic() - asked_at >= TICK_SECONDS
                asked_at = time.monotonic() if is_due else asked_at
                yield from self._news(with_statistics=is_due)
            except NotFoundError:
                yield _event("gone", {})
                return
            except SlipwayError as problem:
                yield from self._told("trouble", {"code": problem.code, "detail": str(problem)})
            yield from self._heartbeat()
            time.sleep(REST_SECONDS)
            version = self.desk.runtime.wait_changed(version, TICK_SECONDS - REST_SECONDS)

    def _news(self, *, with_statistics: bool) -> Iterator[bytes]:
        found = self.desk.deployment(self.deployment_id, self.caller.principal)
        yield from self._told("deployment", shapes.deployment(found, self.caller.principal))
        events = self.desk.runtime.events(found.id)
        fresh = [shapes.event(event) for event in events if event not in self._known]
        self._known = frozenset(events)
        if fresh:
            yield self._said(_event("happened", fresh))
        if with_statistics:
            self.desk.look(found)
            yield from self._told("statistics", self.desk.pipelines.statistics(found))

    def _told(self, name: str, value: dict[str, Any]) -> Iterator[bytes]:
        if self._sent.get(name) != value:
            self._sent[name] = value
            yield self._said(_event(name, value))

    def _heartbeat(self) -> Iterator[bytes]:
        if time.monotonic() - self._spoke_at >= HEARTBEAT_SECONDS:
            yield self._said(b": here\n\n")

    def _said(self, piece: bytes) -> bytes:
        self._spoke_at = time.monotonic()
        return piece


def _event(name: str, value: Any) -> bytes:
    # json.dumps writes no line end, which would end the field.
    return f"event: {name}\ndata: {json.dumps(value, separators=(',', ':'))}\n\n".encode()
