"""The driver in this process: its command line in, its exit status and its log lines out; and artifacts to give it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from support.node_host import item, number_of, varint
from support.orchestrator_process import write
from support.pipelines import Pipeline

from orchestrator.driver import artifacts
from orchestrator.driver.__main__ import main

MOST = 64 << 20


@dataclass
class Driver:
    """Runs commands of the driver on the pipeline in `folder`."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    logs: list[dict[str, Any]] = field(default_factory=list)
    out: str = ""

    def __call__(self, *arguments: str) -> int:
        """Run a command that is given all of its arguments."""
        status = main(arguments)
        captured = self.capture.readouterr()
        self.out = captured.out
        self.logs = [json.loads(line) for line in captured.err.splitlines() if line.startswith("{")]
        return status

    def on_pipeline(self, command: str, *arguments: str) -> int:
        """Run a command on the pipeline."""
        return self(command, f"--pipeline={self.folder / 'pipeline'}", *arguments)

    def call(self, pipeline: Pipeline, name: str, *arguments: str) -> int:
        """Call an operation of a pipeline that is written anew."""
        self.lay(pipeline)
        node, _, operation = name.partition(".")
        address = f"--target=127.0.0.1:{pipeline.host.port}"
        target = [address] if pipeline.nodes[node]["type"] == "MLModel" else []
        return self.on_pipeline("call", f"--node={node}", f"--operation={operation or 'run'}", *target, *arguments)

    def lay(self, pipeline: Pipeline) -> None:
        """Write the pipeline, and tell its nodes what to do."""
        pipeline.prepare()
        write(pipeline, self.folder / "pipeline", flat=True)

    def artifact(self, name: str, numbers: Iterable[int]) -> Path:
        """Write an artifact of items."""
        path = self.folder / name
        path.write_bytes(b"".join(varint(len(message)) + message for message in map(item, numbers)))
        return path

    def items(self, name: str) -> list[int]:
        """Return the ids of the items in an artifact."""
        return [number_of(message) for message in self.messages(name)]

    def messages(self, name: str) -> list[bytes]:
        """Return the messages of an artifact."""
        return list(artifacts.read(self.folder / name, most_bytes=MOST))

    @property
    def reason(self) -> str:
        """Why the last command failed."""
        return str(self.logs[-1]["reason"])


@pytest.fixture
def driver(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """Give a driver whose logs are configured for one test only."""
    monkeypatch.setenv("SLIPWAY_DATA_DIRECTORY", str(tmp_path / "data"))
    handlers = logging.getLogger().handlers[:]
    level = logging.getLogger().level
    yield Driver(tmp_path, capsys)
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
