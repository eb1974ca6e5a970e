"""`slipway-driver call`: one operation, from the artifacts of its edges to the artifacts of its edges."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import asdict
from pathlib import Path

import structlog

from orchestrator.connections import Connections
from orchestrator.driver import edge_files, options, pipeline_folder, planning, reaching, sidecar
from orchestrator.driver.errors import DeadlineError, RunFailedError
from orchestrator.driver.options import DriverOptions
from orchestrator.driver.step import Step
from orchestrator.plan import Part, Plan
from orchestrator.settings import Settings
from shared.errors import InvalidRequestError, UsageError
from shared.findings import quoted

_LOG = structlog.get_logger()


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make the call, and end the sidecar however it went.

    Raises:
        DeadlineError: it did not end in time.
    """
    try:
        with options.opened(settings) as opened:
            async with asyncio.timeout(arguments.timeout):
                await _call(arguments, opened)
    except TimeoutError as problem:
        raise DeadlineError(f"the call did not end within {arguments.timeout:g} s") from problem
    finally:
        if arguments.end_sidecar and arguments.target:
            sidecar.end(arguments.target)
    return 0


async def _call(arguments: argparse.Namespace, opened: DriverOptions) -> None:
    folder = pipeline_folder.read(Path(arguments.pipeline))
    node = planning.named(folder.solution, arguments.node)
    addresses = dict.fromkeys(planning.called_nodes(folder.solution), planning.ELSEWHERE)
    if node in addresses:
        if not arguments.target:
            raise UsageError(f"--target: expected HOST:PORT of {node}")
        addresses[node] = arguments.target
    plan = planning.plan(folder, addresses)
    index = _index(plan, node, arguments.operation)
    files = edge_files.match(plan, index, arguments.inputs, arguments.outputs)
    _check_part(plan, index, has_input=bool(files.inputs))
    if node in addresses:
        await reaching.wait(arguments.target, arguments.wait)
    step = Step(plan, index, files, opened.run, message_bytes=opened.connection.message_bytes)
    connections = Connections(opened.connection)
    try:
        done = await step.work(connections, iterations=arguments.iterations, digested=arguments.digested)
    finally:
        await connections.close()
    if arguments.digest:
        _write_digest(Path(arguments.digest), done.digest)
    log = _LOG.warning if done.unread else _LOG.info
    log("call_finished", operation=plan.operations[index].key, **asdict(done))


def _write_digest(path: Path, digest: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(digest, encoding="ascii")
    except OSError as problem:
        raise InvalidRequestError(f"--digest: expected a file that can be written: {problem.strerror}") from problem


def _index(plan: Plan, node: str, operation: str) -> int:
    for index, planned in enumerate(plan.operations):
        if (planned.node, planned.name) == (node, operation):
            return index
    known = ", ".join(planned.name for planned in plan.operations if planned.node == node) or "none"
    raise UsageError(f"--operation: expected an operation of {node} ({known}), found {quoted(operation)}")


def _check_part(plan: Plan, index: int, *, has_input: bool) -> None:
    operation = plan.operations[index]
    is_looped = any(edge.source == edge.target == index for edge in plan.edges)
    if is_looped or any(index in group and len(group) > 1 for group in plan.groups):
        raise RunFailedError(f"{operation.key} is in a cycle: it can only be run with the whole graph")
    if operation.part is Part.IDLE and not has_input:
        raise UsageError(f"--in: expected input=FILE, because no edge leads into {operation.key}")
    if operation.part is Part.SOURCE and has_input:
        raise UsageError(f"--in: expected none, because {operation.key} takes an empty message")
