"""`slipway-driver`: runs one command. Logs are JSON lines on standard error; exit status 0 done, 1 failed, 2 usage, 3 deadline."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog
import uvloop

from orchestrator.driver import arguments as command_line
from orchestrator.pipeline import report
from orchestrator.settings import Settings
from shared import settings, telemetry
from shared.errors import InvalidSolutionError, SlipwayError

SIGNALLED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status; the one place that turns errors into one."""
    telemetry.configure_logs()
    try:
        chosen = command_line.parser().parse_args(arguments)
        loaded = settings.load(Settings, os.environ)
        telemetry.configure_logs(level=loaded.log_level)
        return _run(chosen, loaded)
    except InvalidSolutionError as problem:
        return _failed(report(problem.findings), problem)
    except SlipwayError as problem:
        return _failed(str(problem), problem)


def _failed(reason: str, problem: SlipwayError) -> int:
    structlog.get_logger().error("failed", reason=reason, code=problem.code)
    return problem.exit_code


def _run(chosen: Namespace, loaded: Settings) -> int:
    command = importlib.import_module(f"orchestrator.driver.{chosen.module}")
    if not chosen.calls_nodes:
        status: int = command.run(chosen, loaded)
        return status
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_until_signal(command.run(chosen, loaded)))


async def _until_signal(running: Coroutine[Any, Any, int]) -> int:
    work = asyncio.ensure_future(running)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    try:
        return await work
    except asyncio.CancelledError:
        structlog.get_logger().error("failed", reason="ended by a signal", code="signal")
        return SIGNALLED


if __name__ == "__main__":
    sys.exit(main())
