"""The demo's last act: a sample is pushed to the playground, becomes ready, and messages come to the end of its pipeline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from shared.errors import UnavailableError
from slipway import terminal
from slipway.client import Client
from slipway.processes import Running
from slipway.samples import revision, samples

SAMPLE, SINK = "sensor-stream", "dashboard"
WAIT_SECONDS = 90.0  # a busy laptop starts three Python programs with gRPC in ten
POLL_SECONDS = 0.2

T = TypeVar("T")


class InterruptedRunError(Exception):
    """Somebody pressed Ctrl-C meanwhile."""


class FirstRun:
    """One sample on the playground of this machine."""

    def __init__(self, client: Client, running: Running, stopped: threading.Event) -> None:
        """Prepare; `stopped` is set by whoever does not want to wait any longer."""
        self._client = client
        self._running = running
        self._stopped = stopped
        self._deployment = ""
        self._phases: dict[str, str] = {}

    def show(self) -> None:
        """Push, wait until it is ready and until messages have come to the sink; say what happens.

        Raises:
            UnavailableError: one of that did not happen in time, with the reason that the playground gives.
            InterruptedRunError: Ctrl-C.
        """
        self._deployment = self._client.push(revision(SAMPLE), samples()[SAMPLE].options).deployment
        terminal.say(f"playground at {self._client.platform.playground.url}")
        terminal.say(f"  {SAMPLE} is pushed as {self._deployment}")
        self._client.wake(self._deployment)  # who put it to sleep in the last demo wants to see it all the same
        self._wait(self._ready, "is not ready")
        edge = self._wait(self._arriving, f"has brought no message to {SINK}")
        terminal.say(f"  messages come to {SINK} from {edge['source']}: {int(edge['messages']):,} so far")

    def page_link(self) -> str:
        """Return a link to its page that works once, within a minute from now."""
        return self._client.push(revision(SAMPLE), samples()[SAMPLE].options).page

    def _ready(self) -> bool:
        """Answer whether it is ready; say which node has come how far."""
        found = self._client.deployment(self._deployment)
        for node in found["nodes"]:
            if self._phases.get(node["name"]) != node["phase"]:
                self._phases[node["name"]] = node["phase"]
                terminal.say(f"    {node['name']}: {node['phase']}")
        return bool(found["state"] == "ready")

    def _arriving(self) -> dict[str, Any] | None:
        """Return the edge that leads to the sink, once messages have passed it."""
        edges = self._client.deployment(self._deployment, "/statistics")["edges"]
        return next((edge for edge in edges if edge["target"] == SINK and int(edge["messages"])), None)

    def _wait(self, found: Callable[[], T | None], complaint: str) -> T:
        end = time.monotonic() + WAIT_SECONDS
        while not (value := found()):
            self._running.check()
            if time.monotonic() > end:
                state = self._client.deployment(self._deployment)
                why = f"{state['state']} {state['reason']}".strip()
                raise UnavailableError(f"{SAMPLE} {complaint} after {WAIT_SECONDS:.0f} s: {why}")
            if self._stopped.wait(POLL_SECONDS):
                raise InterruptedRunError
        return value
