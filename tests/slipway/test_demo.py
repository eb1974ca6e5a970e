"""`make demo` as a newcomer runs it: real services, real HTTP, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import archive
from slipway.samples import samples


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "slipway.demo"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def until_the_page_is_named(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        assert "\\n" not in line
        if link := re.search(r"http://\S+/session\?code=\S+", line):
            return link.group()
    pytest.fail(f"the demo ended: {process.stderr.read() if process.stderr else ''}")


def children_of(process: subprocess.Popen[str]) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return [int(pid) for pid in text.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_demo_builds_every_sample_shows_a_page_and_ends_clean_on_ctrl_c(
    demo: subprocess.Popen[str], tmp_path: Path
):
    link = until_the_page_is_named(demo)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(link, timeout=30) as answer:
        page = answer.read().decode()
    services = children_of(demo)
    demo.send_signal(signal.SIGINT)
    status = demo.wait(60)

    bundles = {
        path.parent.name: archive.read(path.read_bytes()) for path in tmp_path.glob("build/demo/*/*/solution.zip")
    }
    assert "developer@localhost" in page
    assert bundles.keys() == samples().keys()
    assert status == 0
    assert len(services) == 2
    assert not any(is_alive(pid) for pid in services)
