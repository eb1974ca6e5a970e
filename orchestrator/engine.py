"""The orchestrator without its services: one pipeline at a time, its runs, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from orchestrator.addresses import HostRule
from orchestrator.assembly import RunOptions
from orchestrator.connections import ConnectionOptions, Connections
from orchestrator.events import Events
from orchestrator.ledger import Ledger, LostRun
from orchestrator.narration import Narration
from orchestrator.pipeline import Configuration, Prepared, prepare
from orchestrator.plan import Plan
from orchestrator.rates import Rates
from orchestrator.run import Run
from shared.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from shared.findings import Findings, quoted
from shared.protobuf import Compiler

if TYPE_CHECKING:
    from orchestrator.tracing_export import Traces

_LOG = structlog.get_logger()
MAX_RUNS = 100
MAX_LABEL = 200
TICK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an operator decides; see `settings`."""

    connection: ConnectionOptions
    run: RunOptions
    rule: HostRule
    grace_seconds: float
    traces: Traces | None = None
    """Where spans go, when they are switched on."""


class Engine:
    """Holds the pipeline and its runs. Everything but compiling happens on one event loop."""

    def __init__(self, options: EngineOptions) -> None:
        self.events = Events()
        self.runs: dict[str, Run] = {}
        """By label; a run that has ended stays until the next of its label."""
        self.plan: Plan | None = None
        self.rates = Rates()
        self._ledger = Ledger(options.run.folder / "runs")
        self.lost: tuple[LostRun, ...] = self._ledger.take()
        """Runs that were cut off when this orchestrator was killed."""
        self.traces = options.traces
        self._options = options
        self._narration = Narration(self.events)
        self._compiler = Compiler()
        self._connections = Connections(options.connection)
        self._configuration: Configuration | None = None
        self._lock = asyncio.Lock()
        self._listeners: set[Callable[[Run], None]] = set()
        self._ticker: asyncio.Task[None] | None = None
        self.events.on_change(self._refresh)

    @property
    def grace_seconds(self) -> float:
        """What a drain gets when nobody says."""
        return self._options.grace_seconds

    async def initialize(self, configuration: Configuration) -> Findings:
        """Replace the pipeline; runs of the former one are stopped once the new one is known to be good.

        Raises:
            InvalidSolutionError: the pipeline cannot run; the former one stays.
        """
        async with self._lock:
            self.events.emit("create_core")
            prepared: Prepared = await asyncio.to_thread(prepare, configuration, self._options.rule, self._compiler)
            await self._clear()
            self.events.emit("create_manager")
            self.plan, self._configuration = prepared.plan, configuration
            self._connections = Connections(self._options.connection)
            for name in ("create_threads", "register_queues", "initialized"):
                self.events.emit(name)
            operations, edges = len(prepared.plan.operations), len(prepared.plan.edges)
            _LOG.info("pipeline_initialized", pipeline=prepared.plan.name, operations=operations, edges=edges)
            return prepared.findings

    async def _clear(self) -> None:
        if self.plan is None:
            return
        self.events.emit("terminate_orchestration")
        await asyncio.gather(*(run.cancel() for run in self.runs.values()))
        await self._connections.close()
        self.events.emit("delete_threads")
        self.events.emit("delete_queues")
        self.runs.clear()
        self.rates.clear()

    async def run(self, label: str, iterations: int = 0) -> Run:
        """Start a run.

        Raises:
            ConflictError: nothing is initialised, or a run of this label is active.
            InvalidRequestError: the label is too long.
            UnavailableError: there are too many runs.
        """
        async with self._lock:
            plan, configuration = self.plan, self._configuration
            if plan is None or configuration is None:
                raise ConflictError("expected an initialised pipeline, found none: call initialize first")
            self._check_label(label)
            run = Run(
                label,
                plan,
                self._connections,
                self._run_options(configuration),
                narration=self._narration,
                tracer=self.traces.of_run(label) if self.traces is not None else None,
                ledger=self._ledger,
                iterations=iterations or max(configuration.iterations, 0),
                on_change=self._run_changed,
            )
            if label in self.runs:
                self.rates.retire(self.runs[label])
            self.runs[label] = run
            run.start()
            if self._ticker is None or self._ticker.done():
                self._ticker = asyncio.create_task(self._tick())
            return run

    def _check_label(self, label: str) -> None:
        if len(label) > MAX_LABEL:
            raise InvalidRequestError(f"label: expected at most {MAX_LABEL} characters, found {len(label)}")
        if label in self.runs and not self.runs[label].state.is_end:
            raise ConflictError(f"a run with the label {quoted(label)} is active: stop it first")
        if label not in self.runs and len(self.runs) >= MAX_RUNS:
            raise UnavailableError(f"expected at most {MAX_RUNS} labels")

    def _run_options(self, configuration: Configuration) -> RunOptions:
        options = self._options.run
        messages = configuration.queuesize if configuration.queuesize > 0 else options.queue_messages
        return RunOptions(
            messages, options.queue_bytes, options.deadline_seconds, options.folder, options.memory, options.disk
        )

    def find(self, label: str) -> list[Run]:
        """Return the run of that label; an empty or unknown label means all runs, as in Graphene."""
        return [self.runs[label]] if label in self.runs and label else list(self.runs.values())

    def one(self, label: str) -> Run:
        """Return the run of exactly that label.

        Raises:
            NotFoundError: there is none.
        """
        if label not in self.runs:
            raise NotFoundError(f"there is no run with the label {quoted(label)}")
        return self.runs[label]

    async def drain(self, grace_seconds: float | None = None) -> None:
        """Stop every run, delivering what is in flight within the grace."""
        grace = self.grace_seconds if grace_seconds is None else grace_seconds
        await asyncio.gather(*(run.drain(grace) for run in self.runs.values()))

    async def close(self) -> None:
        """Stop everything at once."""
        await asyncio.gather(*(run.cancel() for run in self.runs.values()))
        if self._ticker is not None:
            self._ticker.cancel()
        await self._connections.close()

    def listen(self, listener: Callable[[Run], None]) -> Callable[[], None]:
        """Call the listener whenever a run changes, until the returned function is called."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _run_changed(self, run: Run) -> None:
        for listener in tuple(self._listeners):
            listener(run)

    def _refresh(self) -> None:
        for run in self.runs.values():
            run.refresh()

    async def _tick(self) -> None:
        while any(not run.state.is_end for run in self.runs.values()):
            await asyncio.sleep(TICK_SECONDS)
            for run in self.runs.values():
                rates = self.rates.measure(run)
                if not run.state.is_end:
                    self._narration.edge_statistics(run, rates)
