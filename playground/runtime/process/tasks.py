"""A plan → the tasks of this machine: ports, folders, variables, and the pipeline that the orchestrator reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playground.runtime.process import store
from playground.runtime.process.images import Limits
from playground.runtime.process.plan import Plan, PlannedNode
from playground.runtime.process.worker import Task
from shared.json_text import MIB
from shared.orchestration import pipeline_files
from shared.processes import environment, leftovers, ports
from shared.processes import process as processes
from shared.processes.process import Command
from shared.solution import ORCHESTRATOR, SharedFolder

NODE_GRACE_SECONDS = 3.0  # the samples end within two
ORCHESTRATOR_GRACE_SECONDS = 5.0
_DRAIN_SECONDS = 2  # of the orchestrator's grace
_PROTOS = "microservice/"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the processes of one deployment run, and what proves that they are its own."""

    base: Path
    """The folder of the runtime: folders of programs are relative to it."""
    folder: Path
    """The folder of the deployment."""
    mark: str
    token: str
    limits: Limits

    @property
    def shared(self) -> Path:
        """Folder of the shared folders."""
        return self.folder / "shared"

    @property
    def uploads(self) -> Path:
        """Where files are on their way into a shared folder."""
        return self.folder / "uploads"

    def shared_folder(self, folder: SharedFolder) -> Path:
        """Return the folder that nodes see."""
        return self.shared / folder.claim


def made(plan: Plan, files: Mapping[str, bytes], site: Site, *, taken: Collection[int]) -> tuple[Task, ...]:
    """Return the tasks, the orchestrator last, having made the folders that they run in.

    Raises:
        UnavailableError: there are no ports.
    """
    found = iter(ports.free(2 * len(plan.nodes) + 1, taken=taken))
    for folder in plan.folders:
        site.shared_folder(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    tasks = tuple(_node(node, plan, site, next(found), next(found)) for node in plan.nodes)
    if plan.orchestrator_image is None:
        return tasks
    addresses = {node.container_name: task.port for node, task in zip(plan.nodes, tasks, strict=True)}
    return (*tasks, _orchestrator(plan, files, site, addresses, next(found)))


def _node(node: PlannedNode, plan: Plan, site: Site, port: int, web_port: int) -> Task:
    told = {
        **node.environment,
        **{folder.variable: str(site.shared_folder(folder)) for folder in plan.folders},
        "HOST": ports.LOOPBACK,
        "PORT": str(port),
        "WEB_UI_PORT": str(web_port),
    }
    return Task(
        name=node.name,
        image=node.image,
        command=_command(node.name, node.program.command, site.base / node.program.folder, told, site),
        port=port,
        grace_seconds=NODE_GRACE_SECONDS,
        is_job=node.is_job,
        is_called=node.is_called,
        web_port=web_port if node.program.web_ui else None,
    )


def _orchestrator(plan: Plan, files: Mapping[str, bytes], site: Site, addresses: Mapping[str, int], port: int) -> Task:
    home = _home(ORCHESTRATOR, site)
    pipeline = home / "pipeline"
    pipeline.mkdir(exist_ok=True)
    for file in pipeline.iterdir():
        file.unlink()
    for name, content in _pipeline(files, addresses):
        store.replace(pipeline / name, content)
    store.replace(home / "token", site.token.encode())
    told = {
        "SLIPWAY_HOST": ports.LOOPBACK,
        "SLIPWAY_PORT": str(port),
        "SLIPWAY_METRICS_PORT": "0",
        "SLIPWAY_ORCHESTRATOR_TOKEN_FILE": str(home / "token"),
        "SLIPWAY_PIPELINE_DIRECTORY": str(pipeline),
        "SLIPWAY_AUTOSTART": "true" if plan.runs_at_start else "false",
        "SLIPWAY_NODE_HOSTS": ports.LOOPBACK,  # in a container of a cluster, loopback is not allowed by itself
        "SLIPWAY_DATA_DIRECTORY": str(home / "data"),
        "SLIPWAY_GRACE_SECONDS": str(_DRAIN_SECONDS),
    }
    return Task(
        name=ORCHESTRATOR,
        image=plan.orchestrator_image or "",
        command=_command(ORCHESTRATOR, (sys.executable, "-m", "orchestrator"), home, told, site),
        port=port,
        grace_seconds=ORCHESTRATOR_GRACE_SECONDS,
    )


def _pipeline(files: Mapping[str, bytes], addresses: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """Yield what the orchestrator reads, with the addresses that nodes have here."""
    entries = [
        {"container_name": name, "ip_address": ports.LOOPBACK, "port": str(port)} for name, port in addresses.items()
    ]
    yield pipeline_files.BLUEPRINT, files[pipeline_files.BLUEPRINT]
    yield pipeline_files.DOCKERINFO, json.dumps({"docker_info_list": entries}).encode()
    for path, content in files.items():
        folder, _, name = path.rpartition("/")
        if f"{folder}/" == _PROTOS and name.endswith(".proto"):
            yield name, content


def _command(name: str, arguments: tuple[str, ...], folder: Path, told: Mapping[str, str], site: Site) -> Command:
    home = str(_home(name, site))
    own = {**told, "HOME": home, "TMPDIR": home, "PYTHONUNBUFFERED": "1", leftovers.VARIABLE: site.mark}
    limits = processes.Limits(memory_bytes=site.limits.memory_mib * MIB)
    return Command(arguments, folder, environment.allowed(own), limits)


def _home(name: str, site: Site) -> Path:
    home = site.folder / "homes" / name
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home
