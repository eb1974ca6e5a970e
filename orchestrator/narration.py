"""Turns what a run does into events under Graphene's names, and into log lines for what an operator cares about."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import structlog

from orchestrator import rendering
from orchestrator.events import ORCHESTRATOR, Events
from orchestrator.plan import Operation
from orchestrator.queues import EdgeQueue, Tap

if TYPE_CHECKING:
    from orchestrator.run import Run

_LOG = structlog.get_logger()
_CALL_EVENTS = {"RPC.call", "RPC.finished", "distributing output message", "distributing streaming output"}
_QUEUE_EVENTS = {"queue.added", "queue.consumed", "queue.discarded"}


class Narration:
    """Says what happens, in the words of each listener."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def wants_calls(self) -> bool:
        """Say whether somebody wants to see the messages of single calls."""
        return bool(_CALL_EVENTS & self._events.message_names)

    def wants_queues(self) -> bool:
        """Say whether somebody wants to see the messages of the queues."""
        return bool(_QUEUE_EVENTS & self._events.message_names)

    def run_started(self, run: Run) -> None:
        """Tell that a run has begun."""
        self._events.emit("run.started", run=run.label)
        _LOG.info("run_started", run=run.label, pipeline=run.plan.name, operations=run.active_operations)

    def run_finished(self, run: Run) -> None:
        """Tell how a run ended and what became of its messages."""
        numbers = asdict(run.account)
        self.edge_statistics(run, {})
        if run.reason:
            self._events.emit("exception", run=run.label, method="run", traceback=run.reason)
        detail = {key: str(value) for key, value in numbers.items() if value or key == "delivered"}
        self._events.emit("run.finished", run=run.label, state=run.state.value, reason=run.reason, **detail)
        missing = {edge.name: edge.account.undelivered for edge in run.edges if edge.account.undelivered}
        log = _LOG.error if run.reason else _LOG.warning if missing else _LOG.info
        where = {"undelivered_by_edge": missing} if missing else {}
        log("run_finished", run=run.label, state=run.state.value, reason=run.reason, **numbers, **where)

    def thread(self, run: Run, operation: Operation, what: str) -> None:
        """Tell that an operation began or ended its work; Graphene has a thread for each."""
        self._events.emit(f"thread.{what}", component(operation), run.label)

    def called(self, run: Run, operation: Operation, message: bytes) -> None:
        """Tell that a message goes to the node."""
        text = rendering.as_text(operation.input, message)
        self._events.emit("RPC.call", component(operation), run.label, rpc=operation.name, message=text)

    def answered(self, run: Run, operation: Operation, message: bytes) -> None:
        """Tell that a message came from the node."""
        name = "distributing streaming output" if operation.output_stream else "distributing output message"
        text = rendering.as_text(operation.output, message)
        self._events.emit(name, component(operation), run.label, rpc=operation.name, message=text)

    def finished(self, run: Run, operation: Operation) -> None:
        """Tell that a call ended well."""
        self._events.emit("RPC.finished", component(operation), run.label, rpc=operation.name)

    def tap(self, run: Run) -> Tap:
        """Return what edges tell about each message."""
        targets = dict(zip(run.edges, (run.plan.operations[edge.target] for edge in run.plan.edges), strict=True))

        def show(edge: EdgeQueue, what: str, message: bytes) -> None:
            target = targets[edge]
            queue = f"{target.node}_{target.name}"
            text = rendering.as_text(target.input, message)
            where = f"OrchestrationQueue[{queue}]"
            self._events.emit(f"queue.{what}", where, run.label, queue=queue, message=text)

        return show

    def failed(self, run: Run, operation: Operation, reason: str, *, is_final: bool) -> None:
        """Tell and log that a call failed."""
        name = "exception" if is_final else "warning"
        self._events.emit(name, component(operation), run.label, method=operation.name, traceback=reason)
        _LOG.warning("call_failed", operation=operation.key, run=run.label, reason=reason, is_final=is_final)

    def parked(self, run: Run, operation: Operation, edge: str, file: str, reason: str) -> None:
        """Tell and log that a message was kept on disk, or could not be."""
        detail = {"edge": edge, "file": file, "reason": reason}
        self._events.emit("message.parked", component(operation), run.label, **detail)
        _LOG.warning("message_parked", run=run.label, **detail)

    def edge_statistics(self, run: Run, rates: dict[str, float]) -> None:
        """Tell the figures of every edge; `rates` are messages per second by the edge's name."""
        if not self._events.wanted("edge.statistics"):
            return
        for edge in run.edges:
            self._events.emit(
                "edge.statistics",
                ORCHESTRATOR,
                run.label,
                edge=edge.name,
                messages=str(edge.entered),
                bytes=str(edge.entered_bytes),
                per_second=f"{rates.get(edge.name, 0):.1f}",
                queued=str(len(edge)),
                dropped=str(edge.account.dropped),
            )


def component(operation: Operation) -> str:
    """Return Graphene's name for what serves an operation."""
    service = operation.service.rpartition(".")[2]
    return f"OrchestrationThreadBase[component={operation.node},svc={service},rpc={operation.name}]"
