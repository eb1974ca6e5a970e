"""`slipway-driver run`: the orchestrator's engine on the whole graph, in this process, until the run ends."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from orchestrator.connections import Connections
from orchestrator.driver import options, pipeline_folder, planning, reaching
from orchestrator.driver.addresses import addresses_of
from orchestrator.driver.errors import DeadlineError, RunFailedError
from orchestrator.driver.options import DriverOptions
from orchestrator.events import Events
from orchestrator.ledger import Ledger
from orchestrator.narration import Narration
from orchestrator.plan import Plan
from orchestrator.run import Run, State
from orchestrator.settings import Settings
from shared.errors import InvalidRequestError

_LATE = "the deadline has passed"
_ENOUGH = "it has run for the wanted time"


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the pipeline; 0 when it has completed, or has run for the wanted time.

    Raises:
        RunFailedError: it failed; DeadlineError: it did not end in time. Either way what was in flight got the grace.
    """
    folder = pipeline_folder.read(Path(arguments.pipeline))
    addresses = addresses_of(folder.solution, arguments.nodes, arguments.endpoints)
    plan = planning.plan(folder, addresses)
    if arguments.wait:
        async with asyncio.TaskGroup() as group:
            for address in addresses.values():
                group.create_task(reaching.wait(address, arguments.wait))
    with options.opened(settings) as opened:
        connections = Connections(opened.connection)
        made = _made(plan, connections, opened, iterations=arguments.iterations)
        cut = ""
        made.start()
        try:
            cut = await _cut(made, late_after=arguments.timeout, enough_after=arguments.duration)
        finally:
            # Also after a signal: what is in flight is delivered, and the report is written.
            await made.drain(settings.grace_seconds)
            await connections.close()
            _write(arguments.report, made, cut)
    if cut == _LATE:
        raise DeadlineError(f"the run did not end within {arguments.timeout:g} s")
    if made.state is State.COMPLETED or (cut == _ENOUGH and made.state is State.STOPPED):
        return 0
    raise RunFailedError(f"the run {made.state.value}: {made.reason}")


async def _cut(made: Run, *, late_after: float | None, enough_after: float | None) -> str:
    """Wait; return why the run has to be ended, or nothing when it has ended by itself."""
    try:
        async with asyncio.timeout(late_after):
            try:
                async with asyncio.timeout(enough_after):
                    await made.ended()
            except TimeoutError:
                return _ENOUGH
    except TimeoutError:
        return _LATE
    return ""


def _made(plan: Plan, connections: Connections, opened: DriverOptions, *, iterations: int) -> Run:
    return Run(
        plan.name,
        plan,
        connections,
        opened.run,
        narration=Narration(Events()),
        tracer=None,
        ledger=Ledger(opened.run.folder / "runs"),
        iterations=iterations,
        on_change=lambda _: None,
    )


def _write(path: str | None, made: Run, cut: str) -> None:
    if path is None:
        return
    text = json.dumps(report(made, cut), indent=2) + "\n"
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    except OSError as problem:
        raise InvalidRequestError(
            f"--report {path}: expected a file that can be written: {problem.strerror}"
        ) from problem
    structlog.get_logger().info("report_written", path=path)


def report(made: Run, cut: str) -> dict[str, Any]:
    """Return how a run ended: its state, its messages edge by edge, its calls operation by operation; `cut` is why we ended it."""
    return {
        "pipeline": made.plan.name,
        "state": made.state.value,
        "reason": made.reason or cut,
        "startedAt": made.started_at,
        "endedAt": made.ended_at,
        "messages": asdict(made.account),
        "edges": {edge.name: asdict(edge.account) for edge in made.edges},
        "operations": {
            worker.operation.key: {
                "calls": worker.figures.calls,
                "failures": worker.figures.failures,
                "retries": worker.figures.retries,
                "lastError": worker.figures.last_error,
            }
            for worker in made.workers
        },
    }
