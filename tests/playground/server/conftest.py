"""The server before a real process runtime: one that starts nothing for most tests, one that runs samples for the others."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from support import playground

from playground.runtime.process.runtime import ProcessRuntime
from playground.server.app import create_app
from shared import telemetry


class Logs:
    """What was logged, in the form that it has in operation."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["event"] == name]


@pytest.fixture(autouse=True)
def logs() -> Iterator[Logs]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    kept = Logs()
    structlog.contextvars.clear_contextvars()
    telemetry.configure_logs(level="debug", stream=kept.stream)
    yield kept
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put the samples' nodes together, once."""
    folder = tmp_path_factory.mktemp("table")
    playground.table(folder)
    return folder


@pytest.fixture(scope="session")
def still_runtime(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessRuntime]:
    """Give a real runtime that takes bundles and never starts one: every deployment waits for its turn."""
    made = playground.runtime(table, tmp_path_factory.mktemp("still"), running=0)
    yield made
    made.close()


@pytest.fixture
def runtime(still_runtime: ProcessRuntime) -> Iterator[ProcessRuntime]:
    """Give it empty."""
    yield still_runtime
    playground.emptied(still_runtime)


@pytest.fixture(scope="session")
def shared_app(still_runtime: ProcessRuntime, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Make one application for all tests: its routes take longer to prepare than most tests to run."""
    return create_app(playground.settings(tmp_path_factory.mktemp("server")), runtime=still_runtime)


@pytest.fixture
def app(shared_app: Flask, runtime: ProcessRuntime) -> Flask:
    assert runtime.all() == ()
    return shared_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
