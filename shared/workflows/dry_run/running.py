"""A bundle in, what came of it out: the one call that the command line and tests make."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from shared.workflows.dry_run import containers, package, reading
from shared.workflows.dry_run.argo import ArgoRun
from shared.workflows.dry_run.kubeflow import KubeflowRun
from shared.workflows.dry_run.machine import Machine
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import Outcome, Say
from shared.workflows.dry_run.package import Package
from shared.workflows.dry_run.pods import Pods
from shared.workflows.dry_run.programs import Programs


async def dry_run(files: Mapping[str, bytes], programs: Programs, folder: Path, options: Options, say: Say) -> Outcome:
    """Run the workflow of a bundle. Nothing is started unless all of it can be carried out.

    Args:
        files: of the bundle, by path.
        programs: what stands for images.
        folder: where everything of the run lies; logs stay in `logs/`.
        options: how.
        say: gets a line for each change.

    Raises:
        PackageError: the bundle asks for what a dry run does not do; the message names it.
    """
    with Machine(folder) as machine:
        return await on(machine, files, programs, options, say)


async def on(machine: Machine, files: Mapping[str, bytes], programs: Programs, options: Options, say: Say) -> Outcome:
    """Do the same on a machine, whose programs somebody may end before."""
    with reading.of("the package"):
        found = package.read(files)
    for note in found.notes:
        say(note)
    secrets = {f"{containers.OF_SECRETS}{name}": data for name, data in options.secrets.items()}
    pods = Pods(machine, programs, say, secrets=secrets, hold_seconds=options.hold_seconds)
    return await made(found, pods, options).run()


def made(found: Package, pods: Pods, options: Options) -> KubeflowRun | ArgoRun:
    """Read and check what a package holds; nothing is started.

    Raises:
        PackageError: it asks for what a dry run does not do.
    """
    texts = {**found.config_maps, **pods.secrets}
    with reading.of("the workflow"):
        if found.pipeline is not None:
            return KubeflowRun(found.pipeline, found.platform, texts, pods, options)
        return ArgoRun(found.workflow or {}, texts, pods, options)


def run(files: Mapping[str, bytes], programs: Programs, folder: Path, options: Options, say: Say) -> Outcome:
    """Do the same from a thread that has no event loop; it has to live as long as the run."""
    return asyncio.run(dry_run(files, programs, folder, options, say))
