"""Custom resources that an API server knows for the time of some tests. Those that it knew before stay in the end."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from support.cluster import RUN_LABEL, Kubectl

ESTABLISHED_SECONDS = 90
GONE_SECONDS = 90


def argo_definitions(test_data: Path) -> list[Path]:
    """Return the files that define Argo's custom resources."""
    return sorted((test_data / "schemas" / "crds").glob("*.argoproj.io.yaml"))


@contextmanager
def defined(kubectl: Kubectl, files: Sequence[Path], name: str) -> Iterator[None]:
    """Create the definitions in the files, and wait until objects of their kinds are taken.

    Tests in other processes may use the same ones, under the same name: the last that needs them removes them.
    """
    with (Path(tempfile.gettempdir()) / f"slipway-{name}-definitions.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        given = [f"--filename={file}" for file in files]
        # It fails when one is there already, and makes the others all the same.
        made = kubectl.run("create", *given, "--output=name").out.split()
        try:
            if made:
                kubectl("label", *made, f"{RUN_LABEL}={name}")
            kubectl("wait", *given, "--for=condition=Established", f"--timeout={ESTABLISHED_SECONDS}s")
            yield
        finally:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(kubectl, name)


def _remove(kubectl: Kubectl, name: str) -> None:
    wait = f"--timeout={GONE_SECONDS}s"
    kubectl("delete", "customresourcedefinitions", "-l", f"{RUN_LABEL}={name}", wait, seconds=GONE_SECONDS + 10)
