"""Custom resources that an API server knows for the time of some tests. Those that it knew before stay in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.cluster import Kubectl

ESTABLISHED_SECONDS = 90


@contextmanager
def defined(kubectl: Kubectl, files: Sequence[Path]) -> Iterator[None]:
    """Create the definitions in the files, and wait until objects of their kinds are taken."""
    made = [file for file in files if kubectl.run("create", "-f", str(file)).status == 0]
    try:
        for file in files:
            kubectl("wait", "-f", str(file), "--for=condition=Established", f"--timeout={ESTABLISHED_SECONDS}s")
        yield
    finally:
        for file in made:
            kubectl("delete", "-f", str(file), "--wait=false")
