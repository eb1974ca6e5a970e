"""The orchestrator as a process of its own, and what it logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.pipelines import Pipeline

ROOT = Path(__file__).parent.parent.parent
LISTENED: dict[int, list[dict[str, object]]] = {}
"""What a process logged before it listened."""


@contextmanager
def process(folder: Path, **environ: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start it and give it with its port; it is killed at the end."""
    base = {"SLIPWAY_HOST": "127.0.0.1", "SLIPWAY_PORT": "0", "SLIPWAY_METRICS_PORT": "0"}
    own = {"SLIPWAY_DATA_DIRECTORY": str(folder / "data"), "PATH": os.environ["PATH"], "LANG": "C"}
    command = [sys.executable, "-m", "orchestrator"]
    running = subprocess.Popen(command, cwd=ROOT, env=base | own | environ, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    try:
        LISTENED[running.pid] = begun = events(running, "listening")
        yield running, int(str(begun[-1]["port"]))
    finally:
        running.kill()
        running.wait()
        running.stderr.close()


def write(pipeline: Pipeline, folder: Path, *, flat: bool) -> None:
    """Lay the pipeline's files into a folder: flat as in a ConfigMap, or as in a bundle."""
    configuration = pipeline.configuration()
    protos = folder if flat else folder / "microservice"
    protos.mkdir(parents=True, exist_ok=True)
    (folder / "blueprint.json").write_bytes(configuration.blueprint)
    (folder / "dockerinfo.json").write_text(configuration.dockerinfo)
    for name, content in configuration.protos.items():
        (protos / name).write_bytes(content)


def events(running: subprocess.Popen[str], until: str) -> list[dict[str, object]]:
    """Return what it logs, up to the event of that name."""
    assert running.stderr is not None
    found: list[dict[str, object]] = []
    while not found or found[-1]["event"] != until:
        line = running.stderr.readline()
        assert line, f"it ended without {until}"
        if line.startswith("{"):  # gRPC writes lines of its own
            found.append(json.loads(line))
    return found


def peak_mib(running: subprocess.Popen[str]) -> float:
    """Return the most memory that it has ever held."""
    status = Path(f"/proc/{running.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
