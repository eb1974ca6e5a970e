"""Argo's own lint, built once from its Go module, and kept beside the Kubernetes programs. It needs Go and nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

from support import kubernetes_programs
from support.kubernetes_programs import MODULES, cache, go_build

MODULE = MODULES / "argo"
INPUTS = ("go.mod", "go.sum", "argo-lint/main.go")


def lint() -> Path:
    """Return the program, built where it is missing; raises CalledProcessError or OSError where Go fails or is not there."""
    recipe = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in INPUTS)).hexdigest()
    built = cache() / f"argo-{recipe[:8]}"
    return kubernetes_programs.build_once(built, lambda target: go_build(MODULE, target)) / "argo-lint"
