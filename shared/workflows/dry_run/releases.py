"""`deploy`, `hold` and `teardown` of the driver without a cluster: the nodes of the bundle run here until they are torn down."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from shared.orchestration import pipeline_files
from shared.processes.ports import LOOPBACK
from shared.solution import GRPC_PORT, ORCHESTRATOR
from shared.workflows import turns
from shared.workflows.dry_run import containers, fields, volumes
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.machine import Machine
from shared.workflows.dry_run.outcome import NotReadyError, PackageError
from shared.workflows.dry_run.volumes import Volumes

if TYPE_CHECKING:
    from shared.workflows.dry_run.pods import Pods

_NODE = "slipway.dev/node"
_VERBS = ("deploy", "hold", "teardown")
_PIECE = "[0-9][0-9][0-9]"
_TRIES = 6
"""Of a Job that says nothing else."""


def verb_of(arguments: Sequence[str]) -> str:
    """Return `deploy`, `hold` or `teardown` when the driver is asked for it, else nothing."""
    return arguments[0] if arguments and arguments[0] in _VERBS else ""


class Releases:
    """What has been deployed in this run; all of it ends with the run."""

    def __init__(self, machine: Machine, pods: Pods, hold_seconds: float) -> None:
        self._machine = machine
        self._hold_seconds = hold_seconds
        self._pods = pods
        self._running: dict[str, AsyncExitStack] = {}
        self._reader = Reader()

    async def carry_out(self, arguments: Sequence[str]) -> None:
        """Do what the driver's arguments say.

        Raises:
            PackageError: the bundle holds what is not carried out here.
            NotReadyError: a node does not come up.
        """
        given = dict(text.removeprefix("--").partition("=")[::2] for text in arguments[1:])
        name = given.get("name", "")
        if arguments[0] == "hold":
            await asyncio.sleep(min(self._hold_seconds, _seconds(given) or math.inf))
            return
        await self._end(name)
        if arguments[0] == "teardown":
            return
        stack = self._running[name] = AsyncExitStack()
        addresses = await self._within(_seconds(given), self._begin(name, Path(given.get("bundle", "")), stack))
        _write(Path(given.get("endpoint-file", "")), addresses)

    async def _within(self, seconds: float | None, begun: Coroutine[Any, Any, dict[str, str]]) -> dict[str, str]:
        try:
            async with asyncio.timeout(seconds):
                return await begun
        except TimeoutError:
            raise NotReadyError(f"not ready within {seconds:g} s") from None

    async def close(self) -> None:
        """End everything that was not torn down."""
        for name in list(self._running):
            await self._end(name)

    async def _end(self, name: str) -> None:
        stack = self._running.pop(name, None)
        if stack is not None:
            await stack.aclose()

    async def _begin(self, name: str, folder: Path, stack: AsyncExitStack) -> dict[str, str]:
        documents = _documents(folder)
        own_data = {key: volumes.config_map(each) for key, each in volumes.named(documents, "ConfigMap").items()}
        data = {**own_data, **self._pods.secrets}
        held = Volumes(self._machine.folder, data, self._reader)
        workloads = volumes.named(documents, "Deployment")
        own = workloads.pop(ORCHESTRATOR, None)
        pods = {key: self._pod(key, each, name, held, data) for key, each in workloads.items()}
        jobs = volumes.named(documents, "Job")
        moves = self._pod(ORCHESTRATOR, own, name, held, data) if own is not None else None
        runs = {key: self._pod(key, each, name, held, data) for key, each in jobs.items()}
        addresses: dict[str, str] = {}
        for each in turns.in_turn(jobs.values()):
            key = each["metadata"]["name"]
            await self._job(runs.pop(key), key, each)
        # All at once, as in a cluster: some are ready only when others are, or have ended.
        try:
            async with asyncio.TaskGroup() as group:
                for key, pod in runs.items():
                    group.create_task(self._job(pod, key, jobs[key]))
                for key, pod in pods.items():
                    group.create_task(self._node(pod, key, workloads[key], addresses, stack))
        except ExceptionGroup as problems:
            raise problems.exceptions[0] from None
        if moves is not None:
            await self._orchestrator(moves, addresses, stack)
            self._pods.say(f"{name}.{ORCHESTRATOR}: ready, runs the pipeline")
        return addresses

    async def _node(
        self, pod: Any, key: str, document: Document, addresses: dict[str, str], stack: AsyncExitStack
    ) -> None:
        try:
            address, _ = await stack.enter_async_context(self._pods.daemon(pod))
        except NotReadyError as problem:
            raise NotReadyError(f"{key}: {problem}") from problem
        if (document["metadata"].get("labels") or {}).get(_NODE) == key:
            addresses[key] = self._pods.addresses.here(f"{address}:{GRPC_PORT}", address)
        self._pods.say(f"{pod.name}: ready")

    async def _job(self, pod: Any, key: str, document: Document) -> None:
        """Run a Job to its end, as often as it says."""
        for _ in range(1 + int(document["spec"].get("backoffLimit", _TRIES))):
            ended = await self._pods.run(pod)
            self._pods.say(f"{pod.name}: {ended.status.value}" + (f": {ended.reason}" if ended.reason else ""))
            if ended.status.is_good:
                return
        raise NotReadyError(f"{key}: {ended.reason}")

    def _pod(self, key: str, document: Document, name: str, held: Volumes, data: containers.ConfigMaps) -> Any:
        from shared.workflows.dry_run.pods import Pod  # noqa: PLC0415 - each knows the other

        path = f"{document['kind']}/{key}"
        spec: Mapping[str, Any] = document["spec"]["template"]["spec"]
        made = held.made(fields.items(spec, "volumes", path), path, f"{name}.{key}")
        found = fields.items(spec, "containers", path)
        if len(found) != 1:
            raise PackageError(f"{path}: expected one container, found {len(found)}")
        container = containers.read(self._reader, found[0], path, made, data)
        if key != ORCHESTRATOR:
            self._pods.check(container)
        return Pod(f"{name}.{key}", container)

    async def _orchestrator(self, pod: Any, addresses: Mapping[str, str], stack: AsyncExitStack) -> None:
        """Run the orchestrator of the bundle, which finds its nodes where they are here."""
        folder = next(
            (path for path in pod.main.mounts.values() if any(path.glob(f"{pipeline_files.BLUEPRINT}*"))), None
        )
        if folder is None:
            raise PackageError("Deployment/orchestrator: expected a volume with its pipeline")
        entries = [
            {"container_name": node, "ip_address": LOOPBACK, "port": address.rpartition(":")[2]}
            for node, address in addresses.items()
        ]
        for piece in folder.glob(f"{pipeline_files.DOCKERINFO}.{_PIECE}"):
            piece.unlink()
        (folder / pipeline_files.DOCKERINFO).write_text(json.dumps({"docker_info_list": entries}), encoding="utf-8")
        await stack.enter_async_context(self._pods.orchestrator(pod, folder))


def _seconds(given: Mapping[str, str]) -> float | None:
    """Return the time that the driver is given; none, or 0, is for ever."""
    return float(given.get("timeout", "0")) or None


def _write(path: Path, addresses: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(addresses), encoding="utf-8")


def _documents(folder: Path) -> list[Document]:
    try:
        files = pipeline_files.read(folder)
        found = [each for name, content in sorted(files.items()) for each in _of_file(name, content)]
    except (OSError, ValueError, yaml.YAMLError) as problem:
        raise PackageError(f"--bundle: expected a folder with manifests: {problem}") from problem
    return found


def _of_file(name: str, content: bytes) -> list[Document]:
    if not name.endswith(".yaml"):
        return []
    return [each for each in yaml.load_all(content, Loader=yaml.CSafeLoader) if isinstance(each, dict)]
