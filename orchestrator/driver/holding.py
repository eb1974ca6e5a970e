"""`slipway-driver hold`: waits. Kubeflow has no task that only waits, and a deployment has to stay as long as its run."""

from __future__ import annotations

import argparse
import asyncio

import structlog

from orchestrator.settings import Settings


async def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Wait for the given time, or until a signal cancels it."""
    structlog.get_logger().info("held", seconds=arguments.timeout)
    try:
        async with asyncio.timeout(arguments.timeout):
            await asyncio.Event().wait()
    except TimeoutError:
        return 0
    return 1
