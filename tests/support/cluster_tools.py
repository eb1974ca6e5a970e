"""The tools of the test data that started a cluster on this machine: only they know how its nodes are reached from here."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from support.solutions import ROOT


def tool(name: str) -> Path | None:
    """Return a tool, or None when `KUBECONFIG` names a cluster that the tools did not start."""
    tools = Path(os.environ.get("SLIPWAY_TEST_DATA") or ROOT.parent / "shared") / "tools" / "kube"
    home = Path(os.environ.get("KUBE_HOME") or Path(tempfile.gettempdir()) / "kube-test")
    is_ours = os.environ.get("KUBECONFIG") == str(home / "kubeconfig")
    return tools / name if is_ours and (tools / name).is_file() else None
