"""Slipway's native API: what an operator and the playground need beyond Graphene's five calls."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any

import grpc
import grpc.aio

from orchestrator import rendering
from orchestrator.engine import Engine
from orchestrator.ledger import LostRun
from orchestrator.queues import EdgeQueue
from orchestrator.run import Run, State
from orchestrator.services import handler
from orchestrator.worker import Worker
from shared.errors import BadTokenError, InvalidRequestError, NotFoundError
from shared.orchestration.generated import control_pb2 as messages
from shared.settings import Secret

Context = grpc.aio.ServicerContext[Any, Any]
MAX_SAMPLES = 1000
_LOOPBACK = ("ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D", "unix:")
_STATES: Mapping[State, messages.State] = {
    State.RUNNING: messages.RUNNING,
    State.PAUSED: messages.PAUSED,
    State.DRAINING: messages.DRAINING,
    State.COMPLETED: messages.COMPLETED,
    State.STOPPED: messages.STOPPED,
    State.FAILED: messages.FAILED,
}


class ControlServicer:
    """Translates between the native messages and the engine."""

    def __init__(self, engine: Engine, token: Secret | None) -> None:
        self._engine = engine
        self._token = token

    @property
    def handler(self) -> grpc.GenericRpcHandler[Any, Any]:
        """What a server is given."""
        methods = {
            "Start": self.start,
            "Stop": self.stop,
            "Pause": self.pause,
            "Resume": self.resume,
            "ListRuns": self.list_runs,
            "Watch": self.watch,
            "GetStatistics": self.get_statistics,
            "Sample": self.sample,
        }
        return handler(messages.DESCRIPTOR.services_by_name["Control"], methods)

    def _admit(self, context: Context) -> None:
        if self._token is None:
            if not context.peer().startswith(_LOOPBACK):
                raise BadTokenError("no token is configured, and the caller is not on loopback")
            return
        given = dict(context.invocation_metadata() or ()).get("authorization", "")
        expected = f"Bearer {self._token.reveal()}"
        if not hmac.compare_digest(str(given).encode(), expected.encode()):
            raise BadTokenError("missing or wrong token")

    async def start(self, request: messages.StartRequest, context: Context) -> messages.Run:
        """Start a run."""
        self._admit(context)
        return described(await self._engine.run(request.label, max(request.iterations, 0)))

    async def stop(self, request: messages.StopRequest, context: Context) -> messages.Run:
        """Stop a run, at once or after delivering what is in flight."""
        self._admit(context)
        run = self._engine.one(request.label)
        if request.drain:
            await run.drain(request.grace_seconds or self._engine.grace_seconds)
        else:
            await run.cancel()
        return described(run)

    async def pause(self, request: messages.RunName, context: Context) -> messages.Run:
        """Hand out no further message."""
        self._admit(context)
        run = self._engine.one(request.label)
        run.pause()
        return described(run)

    async def resume(self, request: messages.RunName, context: Context) -> messages.Run:
        """Go on."""
        self._admit(context)
        run = self._engine.one(request.label)
        run.resume()
        return described(run)

    async def list_runs(self, _: messages.ListRunsRequest, context: Context) -> messages.RunList:
        """Return every run, ended ones and those that were cut off too."""
        self._admit(context)
        lost = [_lost(run) for run in self._engine.lost]
        return messages.RunList(runs=[*lost, *(described(run) for run in self._engine.find(""))])

    async def watch(self, request: messages.RunName, context: Context) -> AsyncIterator[messages.Run]:
        """Send the run now and whenever it changes, until it ends."""
        self._admit(context)
        run = self._engine.one(request.label)
        changed = asyncio.Event()
        forget = self._engine.listen(lambda which: changed.set() if which is run else None)
        try:
            while True:
                changed.clear()
                # The run goes on while the client takes an answer: what was sent decides whether it was the last.
                is_end = run.state.is_end
                yield described(run)
                if is_end:
                    return
                await changed.wait()
        finally:
            forget()

    async def get_statistics(self, request: messages.RunName, context: Context) -> messages.Statistics:
        """Return the figures of every operation and edge."""
        self._admit(context)
        run = self._engine.one(request.label)
        rates = self._engine.rates.last(run.label)
        pairs = zip(run.plan.edges, run.edges, strict=True)
        return messages.Statistics(
            operations=[_operation(worker) for worker in run.workers],
            edges=[_edge(run, edge.source, edge.target, queue, rates) for edge, queue in pairs],
        )

    async def sample(self, request: messages.SampleRequest, context: Context) -> AsyncIterator[messages.SampledMessage]:
        """Send the next messages of an edge."""
        self._admit(context)
        count = request.count or 1
        if count > MAX_SAMPLES:
            raise InvalidRequestError(f"count: expected at most {MAX_SAMPLES}, found {count}")
        run = self._engine.one(request.label)
        edge, target = _find(run, request)
        taken: asyncio.Queue[bytes] = asyncio.Queue(maxsize=count)
        with edge.sampled(taken):
            for _ in range(count):
                message = await taken.get()
                text, is_cut = rendering.as_json(target.operation.input, message)
                yield messages.SampledMessage(json=text, size=len(message), truncated=is_cut)


def _find(run: Run, request: messages.SampleRequest) -> tuple[EdgeQueue, Worker]:
    source = f"{request.source}.{request.source_operation}"
    target = f"{request.target}.{request.target_operation}"
    for edge, queue in zip(run.plan.edges, run.edges, strict=True):
        if queue.name == f"{source} -> {target}":
            return queue, run.workers[edge.target]
    raise NotFoundError("there is no such edge")


def described(run: Run) -> messages.Run:
    """Return the run as it travels."""
    return messages.Run(
        label=run.label,
        state=_STATES[run.state],
        active_operations=run.active_operations,
        reason=run.reason,
        started_at=run.started_at,
        ended_at=run.ended_at,
        account=messages.Account(**asdict(run.account)),
    )


def _lost(run: LostRun) -> messages.Run:
    reason = "cut off when the orchestrator was killed"
    account = messages.Account(**asdict(run.account))
    return messages.Run(
        label=run.label, state=messages.FAILED, reason=reason, started_at=run.started_at, account=account
    )


def _operation(worker: Worker) -> messages.OperationStatistics:
    figures = worker.figures
    return messages.OperationStatistics(
        node=worker.operation.node,
        operation=worker.operation.name,
        active=figures.is_active,
        calls=figures.calls,
        failures=figures.failures,
        retries=figures.retries,
        latency_seconds=figures.latency_seconds,
        last_error=figures.last_error,
        parked=figures.parked,
    )


def _edge(run: Run, source: int, target: int, queue: EdgeQueue, rates: Mapping[str, float]) -> messages.EdgeStatistics:
    operations = run.plan.operations
    return messages.EdgeStatistics(
        source=operations[source].node,
        source_operation=operations[source].name,
        target=operations[target].node,
        target_operation=operations[target].name,
        messages=queue.entered,
        bytes=queue.entered_bytes,
        messages_per_second=rates.get(queue.name, 0),
        queued_messages=len(queue),
        queued_bytes=queue.size,
        spilled_messages=queue.spilled,
        dropped=queue.account.dropped,
    )
