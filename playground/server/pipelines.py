"""Runs of a deployment's pipeline: start, stop, figures and samples, whatever state the orchestrator is in."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from playground.runtime.deployment import Address, Deployment, DeploymentId, State
from playground.runtime.interface import Runtime
from playground.server import shapes
from playground.server.orchestrator_control import OrchestratorControl
from shared.errors import ConflictError, InvalidRequestError, NotFoundError, SlipwayError
from shared.orchestration.generated import control_pb2 as messages
from shared.settings import Secret

LABEL = "playground"
FRESH_SECONDS = 0.9
"""Statistics are asked for once a second, however many look at them."""
AUTOSTART_SECONDS = 1.0
MAX_SAMPLES = 20
SAMPLE_SECONDS = 10.0
MAX_SAMPLED_BYTES = 1 << 20
MOST_REMEMBERED = 1000
MAX_FIGURES = 2000
MAX_TEXT = 1000

EDGE = re.compile(r"([a-z0-9-]{1,63})\.(\w{1,200}):([a-z0-9-]{1,63})\.(\w{1,200})", re.ASCII)
_STILL = frozenset({State.QUEUED, State.ASLEEP, State.DELETING})
_ACTIVE = (messages.RUNNING, messages.PAUSED, messages.DRAINING)
_STATES = {value: name.lower() for name, value in messages.State.items()}


@dataclass
class _Latest:
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float = -math.inf
    value: dict[str, Any] = field(default_factory=dict)


class Pipelines:
    """The pipelines of all deployments, through their orchestrators."""

    def __init__(self, runtime: Runtime, control: OrchestratorControl) -> None:
        self._runtime = runtime
        self._control = control
        self._lock = threading.Lock()
        self._latest: dict[DeploymentId, _Latest] = {}

    def run(self, deployment: Deployment) -> dict[str, Any]:
        """Start a run, or return the one that is active: a second click changes nothing.

        Raises:
            ConflictError: the deployment is not ready.
            NotFoundError: it has no pipeline.
            UnavailableError, UpstreamError: the orchestrator does not answer as it should.
        """
        if deployment.state is not State.READY:
            raise ConflictError(f"the deployment is {deployment.state.value}: it runs when every node is ready")
        where = self._runtime.orchestrator(deployment.id)
        self._runtime.wake(deployment.id)  # nothing starts: it is noted as used
        present = self._begun(where)
        return _run(present if present and present.state in _ACTIVE else self._control.start(where, LABEL))

    def stop(self, deployment: Deployment, *, drain: bool) -> list[dict[str, Any]]:
        """Stop every active run, and return them; with `drain` what is in flight is delivered first.

        Raises:
            ConflictError: nothing can run, for the deployment does not.
            NotFoundError, UnavailableError, UpstreamError: as `run` does.
        """
        if deployment.state in _STILL:
            raise ConflictError(f"the deployment is {deployment.state.value}: nothing runs")
        where = self._runtime.orchestrator(deployment.id)
        active = [run.label for run in self._control.runs(where) if run.state in _ACTIVE]
        return [_run(self._control.stop(where, label, drain=drain)) for label in active]

    def statistics(self, deployment: Deployment) -> dict[str, Any]:
        """Return the figures of the present run, at most a second old; what stands in the way is said in them."""
        with self._lock:
            if len(self._latest) > MOST_REMEMBERED:
                self._latest.clear()
            latest = self._latest.setdefault(deployment.id, _Latest())
        with latest.lock:
            if time.monotonic() - latest.at >= FRESH_SECONDS:
                latest.value = self._statistics(deployment)
                latest.at = time.monotonic()
            return latest.value

    def sample(self, deployment: Deployment, edge: str, *, count: int) -> list[dict[str, Any]]:
        """Return the next messages of an edge, as many as come within some seconds.

        Args:
            deployment: whose.
            edge: `node.operation:node.operation`.
            count: from 1 to `MAX_SAMPLES`.

        Raises:
            InvalidRequestError: the edge or the count has another form.
            NotFoundError: there is no such edge, or nothing has run.
            UnavailableError, UpstreamError: the orchestrator does not answer as it should.
        """
        names = EDGE.fullmatch(edge)
        if names is None:
            raise InvalidRequestError("edge: expected node.operation:node.operation")
        if not 1 <= count <= MAX_SAMPLES:
            raise InvalidRequestError(f"count: expected a number from 1 to {MAX_SAMPLES}")
        if deployment.state in _STILL:
            raise NotFoundError(f"the deployment is {deployment.state.value}: nothing runs")
        where = self._runtime.orchestrator(deployment.id)
        present = _present(self._control.runs(where))
        if present is None:
            raise NotFoundError("nothing has run yet")
        request = messages.SampleRequest(
            label=present.label,
            source=names[1],
            source_operation=names[2],
            target=names[3],
            target_operation=names[4],
            count=count,
        )
        return list(_sampled(self._control.sample(where, request, seconds=SAMPLE_SECONDS)))

    def _begun(self, where: tuple[Address, Secret | None]) -> messages.Run | None:
        """Return the present run; an orchestrator that has just come up gets a moment to start its own."""
        end = time.monotonic() + AUTOSTART_SECONDS
        while not (runs := self._control.runs(where)) and time.monotonic() < end:
            time.sleep(AUTOSTART_SECONDS / 10)
        return _present(runs)

    def _statistics(self, deployment: Deployment) -> dict[str, Any]:
        try:
            where = self._runtime.orchestrator(deployment.id)
            present = _present(self._control.runs(where))
            figures = self._control.statistics(where, present.label) if present else messages.Statistics()
        except SlipwayError as problem:
            return {"available": False, "reason": str(problem), "run": None, "operations": [], "edges": []}
        return {
            "available": True,
            "reason": "",
            "run": _run(present) if present else None,
            "operations": [_object(each) for each in figures.operations[:MAX_FIGURES]],
            "edges": [_object(each) for each in figures.edges[:MAX_FIGURES]],
        }


def _present(runs: tuple[messages.Run, ...]) -> messages.Run | None:
    """Return the run that is active, or the one that ended last."""
    return max(runs, key=lambda run: (run.state in _ACTIVE, run.started_at), default=None)


def _run(run: messages.Run) -> dict[str, Any]:
    return {
        "label": _plain(run.label),
        "state": _STATES.get(run.state, "unknown"),
        "reason": _plain(run.reason),
        "startedAt": _moment(run.started_at),
        "endedAt": _moment(run.ended_at),
        "activeOperations": run.active_operations,
        "account": _object(run.account),
    }


def _moment(seconds: float) -> str | None:
    try:
        return shapes.moment(seconds) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def _object(message: Message) -> dict[str, Any]:
    """Return a flat message as a JSON object with all its fields, in camelCase."""
    return {field.camelcase_name: _plain(getattr(message, field.name)) for field in message.DESCRIPTOR.fields}


def _plain(value: Any) -> Any:
    """Return a value that any JSON reader takes, and no more text than a page shows."""
    if isinstance(value, float) and not math.isfinite(value):
        return 0.0
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _sampled(found: Iterator[messages.SampledMessage]) -> Iterator[dict[str, Any]]:
    left = MAX_SAMPLED_BYTES
    for message in found:
        left -= len(message.json)
        if left < 0:
            return
        yield {"text": message.json, "size": message.size, "truncated": message.truncated}
