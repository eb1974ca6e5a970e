"""Runs the finishing script of an unpacked bundle against a real cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.cluster import Ended, Kubectl

SCRIPT = "kubernetes-client-script.py"
SCRIPT_SECONDS = 300


def command(kubectl: Kubectl, folder: Path, *arguments: str) -> list[str]:
    """Return how the script of a bundle is called for the namespace."""
    return [sys.executable, str(folder / SCRIPT), "-n", kubectl.namespace, *arguments]


def script(kubectl: Kubectl, folder: Path, *arguments: str) -> Ended:
    """Run the script, whatever comes of it."""
    done = subprocess.run(
        command(kubectl, folder, *arguments),
        env=dict(kubectl.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def succeeds(kubectl: Kubectl, folder: Path, *arguments: str) -> str:
    """Run the script, which must succeed, and return its output."""
    ended = script(kubectl, folder, *arguments)
    assert ended.status == 0, f"{' '.join(arguments)}: status {ended.status}\n{ended.out}{ended.err}"
    return ended.out
