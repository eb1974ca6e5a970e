"""Starts the pipeline that lies in a folder: after every restart, without a client."""

from __future__ import annotations

from pathlib import Path

import structlog

from orchestrator.engine import Engine
from orchestrator.pipeline import Configuration, report
from shared.errors import InvalidSolutionError, SettingsError
from shared.orchestration import pipeline_files

_LOG = structlog.get_logger()


def read(folder: Path) -> Configuration | None:
    """Return the configuration in the folder, or None when there is none.

    Raises:
        SettingsError: the folder holds a part of a pipeline only.
    """
    try:
        files = pipeline_files.read(folder)
        if not files:
            return None
        protos = {name: content for name, content in files.items() if name.endswith(".proto")}
        blueprint, dockerinfo = files[pipeline_files.BLUEPRINT], files[pipeline_files.DOCKERINFO].decode()
    except (OSError, KeyError, ValueError) as problem:
        expected = "blueprint.json, dockerinfo.json and *.proto"
        raise SettingsError(f"SLIPWAY_PIPELINE_DIRECTORY: expected {expected}: {problem}") from problem
    return Configuration(blueprint, dockerinfo, protos)


async def start(engine: Engine, folder: Path, *, runs: bool) -> None:
    """Initialise from the folder and, if wanted, run.

    A pipeline with errors leaves the orchestrator waiting for a client's `initialize`: restarting would not mend it.
    """
    configuration = read(folder)
    if configuration is None:
        _LOG.warning("pipeline_folder_empty")
        return
    try:
        findings = await engine.initialize(configuration)
    except InvalidSolutionError as problem:
        _LOG.error("pipeline_refused", findings=report(problem.findings))
        return
    if findings.warnings:
        _LOG.warning("pipeline_warnings", findings=report(findings))
    if runs:
        await engine.run("")
