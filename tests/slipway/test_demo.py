"""`make demo` as a newcomer runs it: real services, real HTTP, Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from support.leaks import state

from shared import archive, deployer
from slipway.demo import TRIED
from slipway.platform import PLAYGROUND_DEPLOYER
from slipway.samples import samples

pytestmark = pytest.mark.conformance

LINK = re.compile(r"http://\S+\?code=\S+")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway.demo"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.terminate()  # so that it ends its services, too
    process.communicate(timeout=60)


def said_until(process: subprocess.Popen[str], end: str) -> list[str]:
    """Return the lines that the demo prints up to the one with `end`."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        assert "\\n" not in line
        lines.append(line)
        if end in line:
            return lines
    pytest.fail(f"the demo ended: {process.stderr.read() if process.stderr else ''}")


def children_of(process: subprocess.Popen[str] | int) -> list[int]:
    """Return the processes that one has started, from any of its threads."""
    pid = process if isinstance(process, int) else process.pid
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
            found += map(int, path.read_text().split())
    return found


def test_the_demo_builds_every_sample_tries_workflows_shows_a_running_pipeline_and_ends_clean_on_ctrl_c(
    demo: subprocess.Popen[str], tmp_path: Path
):
    text = "".join(said_until(demo, "Ctrl-C ends the demo"))
    to_pipeline, to_catalog = LINK.findall(text)
    pipeline, catalog = (requests.Session().get(link, timeout=30) for link in (to_pipeline, to_catalog))
    services = children_of(demo)
    nodes = [pid for service in services for worker in children_of(service) for pid in children_of(worker)]
    demo.send_signal(signal.SIGINT)
    status = demo.wait(60)

    bundles = {
        path.parts[-3:-1]: archive.read(path.read_bytes()) for path in tmp_path.glob("build/demo/*/*/solution.zip")
    }
    building = [name for name in deployer.installed() if name != PLAYGROUND_DEPLOYER]
    assert re.findall(rf"^{TRIED}-.*: (Succeeded .*)$", text, re.MULTILINE) == [
        "Succeeded (3 Daemoned, 3 Succeeded)",
        "Succeeded (4 Succeeded)",
    ]
    assert "messages come to dashboard from detector: " in text
    assert "<title>sensor-stream" in pipeline.text
    assert "developer@localhost" in pipeline.text
    assert "developer@localhost" in catalog.text
    assert bundles.keys() == {(name, sample) for name in building for sample in samples()}
    assert status == 0
    assert (len(services), len(nodes) >= 4) == (len(building) + 3, True)
    assert [pid for pid in (*services, *nodes) if state(pid) not in {"", "Z"}] == []
