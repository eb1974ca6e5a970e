"""The S3 server of the compose profile `s3`, built from the Go module beside the docker tests: no hub is needed.

Go keeps what it has compiled, so that only the first build on a machine takes minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from support.solutions import ROOT

MODULE = ROOT / "tests" / "docker" / "s3"
IMAGE = "slipway-test/versitygw"
BUILD_SECONDS = 1800


def version() -> str:
    """Return the release that go.mod requires, like v1.8.0."""
    found = re.search(r"github\.com/versity/versitygw (v\S+)", (MODULE / "go.mod").read_text(encoding="utf-8"))
    assert found, f"{MODULE}/go.mod requires no release of the server"
    return found[1]


def build(folder: Path) -> Path:
    """Write the server's program into `folder`, and return that; raises SubprocessError or OSError where Go fails or is not there."""
    command = ["go", "build", "-o", f"{folder}/", "-trimpath", "-ldflags", "-s -w", "tool"]
    chosen = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    subprocess.run(command, cwd=MODULE, env=os.environ | chosen, check=True, timeout=BUILD_SECONDS)
    return folder
