"""`slipway-orchestrator`: reads the settings, serves until SIGTERM or SIGINT, drains, and exits."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog
import uvloop

from orchestrator.server import Server
from orchestrator.settings import Settings
from shared import settings, telemetry
from shared.errors import SlipwayError


def main() -> int:
    """Serve; return the exit code."""
    try:
        loaded = settings.load(Settings, os.environ)
        telemetry.configure_logs(level=loaded.log_level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(loaded))
    except SlipwayError as problem:
        sys.stderr.write(f"slipway-orchestrator: {problem}\n")
        return problem.exit_code
    return 0


async def _serve(loaded: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with Server(loaded):
        await stopping.wait()
        structlog.get_logger().info("stopping")


if __name__ == "__main__":
    sys.exit(main())
