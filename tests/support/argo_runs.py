"""Runs of a bundle that are over: by Argo in the cluster, and by `slipway dry-run` on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.argo_controller import Argo, Task
from support.bundles import sample_options, unpack
from support.cluster import Ended
from support.images import ORCHESTRATOR, naming
from support.playground import table
from support.running import Event, events
from support.solutions import ROOT, samples

from services.argo.generate import DEPLOYER
from shared.deployer import Assets, Images
from shared.solution import SolutionFiles

SMALL = {"requests": {"cpu": "10m", "memory": "32Mi"}}
DRY_RUN_SECONDS = 120
NODE = "node"  # the container of a node that runs beside the driver


@dataclass(frozen=True)
class Run:
    """What was seen of a run in the cluster before it was deleted, and what is left of it since."""

    bundle: Path
    submitted: Ended
    status: dict[str, Any]
    tasks: dict[str, Task]
    logs: dict[str, list[Event]]
    """By task; that of a node beside the driver by `task.node`."""
    deleted: Ended
    left: set[str]

    def statuses(self) -> dict[str, str]:
        """Return the phases of the tasks."""
        return {name: task.phase for name, task in self.tasks.items()}


@dataclass(frozen=True)
class DryRun:
    """What came of the same bundle here."""

    told: dict[str, Any]
    logs: dict[str, list[Event]]

    def statuses(self) -> dict[str, str]:
        """Return the statuses of the tasks as a run in the cluster has them when it is over."""
        found = {each["task"].removeprefix("pipeline/"): each["status"] for each in self.told["tasks"]}
        return {name: status.replace("Daemoned", "Succeeded") for name, status in found.items() if name != "pipeline"}


def bundle(files: SolutionFiles, images: Mapping[str, str], folder: Path, **options: Any) -> Path:
    """Write the bundle of a solution into a new folder, as small as a cluster for tests wants it."""
    chosen = DEPLOYER.parse_options({"resources": SMALL, "driver": SMALL, **options})
    assets = Assets(DEPLOYER.load_files(), Images(orchestrator=images[ORCHESTRATOR]))
    return unpack(DEPLOYER.build(naming(files, images), chosen, assets), folder)


def sample(name: str, images: Mapping[str, str], folder: Path, **options: Any) -> Path:
    """Write the bundle of one of our samples."""
    return bundle(dict(samples())[name], images, folder, **sample_options(name), **options)


def carried_out(argo: Argo, folder: Path, *parameters: str) -> Run:
    """Submit a bundle, follow it to its end, look at it, and delete it: all by its script."""
    before = argo.there()
    given = [f"--parameter={each}" for each in parameters]
    submitted = argo.script(folder, "submit", "--watch", *given)
    status, tasks = argo.status(), argo.tasks()
    logs = argo.logs()
    deleted = argo.script(folder, "delete", "--delete-data")
    return Run(folder, submitted, status, tasks, logs, deleted, argo.left(before))


def dry_run(folder: Path, programs: Path, keep: Path, *parameters: str) -> DryRun:
    """Run a bundle on this machine."""
    command = [sys.executable, "-m", "slipway", "dry-run", str(folder), "--json", f"--images={programs}"]
    given = [f"--parameter={each}" for each in parameters]
    done = subprocess.run(
        [*command, f"--keep={keep}", *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DRY_RUN_SECONDS,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    logs = {file.stem.removeprefix("pipeline."): events(file.read_text()) for file in (keep / "logs").glob("*.log")}
    return DryRun(json.loads(done.stdout), logs)


def decoded(folder: Path, message: str, file: Path) -> list[dict[str, Any]]:
    """Return the messages of an artifact, by the descriptors that travel in the bundle."""
    command = [sys.executable, "-m", "orchestrator.driver", "decode", f"--pipeline={folder}", f"--type={message}"]
    done = subprocess.run([*command, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def write_programs(folder: Path, images: Mapping[str, str]) -> Path:
    """Write a table of our samples by the names that their images have in the cluster."""
    table(folder)
    file = folder / "images.json"
    programs = json.loads(file.read_text())["images"]
    file.write_text(json.dumps({"images": {images[name]: program for name, program in programs.items()}}))
    return folder
