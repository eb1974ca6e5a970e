"""A bundle of the Argo deployer on disk, with its script, and a cluster that a stand-in for `kubectl` plays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.solutions import ROOT, folders
from support.workflows import argo, chain

from shared.bundle import Bundle
from shared.finishing import joining

VAULT = {"kind": "Secret", "metadata": {"name": "vault"}}


def lay_out(folder: Path, **options: Any) -> Path:
    """Unpack a bundle, put a kubectl beside it, and return the folder."""
    chosen = {"secrets": {"KEY": {"secret": "vault", "key": "k"}}, **options}
    write(folder, argo(chain("a", "b", shared_folders=folders("/data")), **chosen))
    (folder / "bin").mkdir()
    kubectl = folder / "bin" / "kubectl"
    kubectl.write_text(f"#!{sys.executable}\n{(ROOT / 'tests' / 'support' / 'argo_kubectl.py').read_text()}")
    kubectl.chmod(0o755)
    cluster(folder, objects=[VAULT], ending="Succeeded")
    return folder


def write(folder: Path, made: Bundle) -> None:
    """Unpack a bundle, and the script."""
    for path, data in {**made.sealed, joining.ARGO_SCRIPT: joining.script(joining.ARGO_SCRIPT)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def cluster(folder: Path, **changes: Any) -> dict[str, Any]:
    """Return what the cluster holds, after some changes."""
    state = folder / "bin" / "state.json"
    found: dict[str, Any] = (json.loads(state.read_text()) if state.exists() else {}) | changes
    state.write_text(json.dumps(found))
    return found


def calls(folder: Path) -> list[list[str]]:
    """Return the arguments of every call of kubectl."""
    return [json.loads(line) for line in (folder / "bin" / "calls.jsonl").read_text().splitlines()]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as its user does."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, str(folder / joining.ARGO_SCRIPT), "-n", "flows", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={"PATH": path}, timeout=60, check=False, stdin=subprocess.DEVNULL
    )


def submitted(folder: Path, name: str, **labels: str) -> dict[str, Any]:
    """Return a run that somebody has started out of the WorkflowTemplate on Argo's page."""
    there = cluster(folder)["objects"]
    (template,) = [each for each in there if each["kind"] == "WorkflowTemplate"]
    metadata = {"name": name, "creationTimestamp": "2026-02-01T00:00:00Z"}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {**metadata, "labels": {**template["metadata"]["labels"], **labels}},
        "spec": {"workflowTemplateRef": {"name": template["metadata"]["name"]}},
    }
