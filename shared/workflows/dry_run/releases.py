"""`deploy`, `hold` and `teardown` of the driver without a cluster: the nodes of the bundle run here until they are torn down."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.orchestration import pipeline_files
from shared.processes.ports import LOOPBACK
from shared.solution import GRPC_PORT, ORCHESTRATOR
from shared.workflows import turns
from shared.workflows.dry_run import containers, fields, places, reading, volumes
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.machine import Machine
from shared.workflows.dry_run.outcome import NotReadyError, PackageError
from shared.workflows.dry_run.volumes import Volumes
from shared.yaml_text import YamlTextError

if TYPE_CHECKING:
    from shared.workflows.dry_run.pods import Pods

_NODE = "slipway.dev/node"
_VERBS = ("deploy", "hold", "teardown")
_TRIES = 6
"""Of a Job that says nothing else."""


def verb_of(arguments: Sequence[str]) -> str:
    """Return `deploy`, `hold` or `teardown` when the driver is asked for it, else nothing."""
    return arguments[0] if arguments and arguments[0] in _VERBS else ""


@dataclass(frozen=True, slots=True)
class _Bundle:
    """What is to run, by name."""

    workloads: Mapping[str, tuple[Any, bool]]
    """Pods, and whether each is a node of the graph."""
    jobs: Mapping[str, tuple[Any, int]]
    """Pods, and how often each is tried."""
    first: tuple[str, ...]
    """Names of the jobs that run before everything else, one after the other."""
    orchestrator: Any


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
        verb, seconds = arguments[0], _seconds(given)
        if verb == "hold":
            await asyncio.sleep(min(self._hold_seconds, seconds or math.inf))
            return
        name = fields.text(given, "name", verb)
        await self._end(name)
        if verb == "teardown":
            return
        bundle, endpoints = (Path(fields.text(given, key, verb)) for key in ("bundle", "endpoint-file"))
        stack = self._running[name] = AsyncExitStack()
        addresses = await self._within(seconds, self._begin(name, bundle, stack))
        _write(endpoints, addresses)

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
        with reading.of("--bundle"):
            read = self._read(name, _documents(folder))
        addresses: dict[str, str] = {}
        for key in read.first:
            pod, tries = read.jobs[key]
            await self._job(pod, key, tries)
        # All at once, as in a cluster: some are ready only when others are, or have ended.
        try:
            async with asyncio.TaskGroup() as group:
                for key, (pod, tries) in read.jobs.items():
                    if key not in read.first:
                        group.create_task(self._job(pod, key, tries))
                for key, (pod, is_node) in read.workloads.items():
                    group.create_task(self._node(pod, key, addresses, stack, is_node=is_node))
        except ExceptionGroup as problems:
            raise problems.exceptions[0] from None
        if read.orchestrator is not None:
            await self._orchestrator(read.orchestrator, addresses, stack)
            self._pods.say(f"{name}.{ORCHESTRATOR}: ready, runs the pipeline")
        return addresses

    def _read(self, name: str, documents: list[Document]) -> _Bundle:
        own_data = {key: volumes.config_map(each) for key, each in volumes.named(documents, "ConfigMap").items()}
        data = {**own_data, **self._pods.secrets}
        held = Volumes(self._machine.folder, data, self._reader)
        pods = {
            kind: {
                key: (each, self._pod(key, each, name, held, data))
                for key, each in volumes.named(documents, kind).items()
            }
            for kind in ("Deployment", "Job")
        }
        _, orchestrator = pods["Deployment"].pop(ORCHESTRATOR, ({}, None))
        return _Bundle(
            {key: (pod, _is_node(each, key)) for key, (each, pod) in pods["Deployment"].items()},
            {key: (pod, _tries(each, key)) for key, (each, pod) in pods["Job"].items()},
            tuple(each["metadata"]["name"] for each in turns.in_turn(each for each, _ in pods["Job"].values())),
            orchestrator,
        )

    async def _node(
        self, pod: Any, key: str, addresses: dict[str, str], stack: AsyncExitStack, *, is_node: bool
    ) -> None:
        try:
            address, _ = await stack.enter_async_context(self._pods.daemon(pod))
        except NotReadyError as problem:
            raise NotReadyError(f"{key}: {problem}") from problem
        if is_node:
            addresses[key] = self._pods.addresses.here(f"{address}:{GRPC_PORT}", address)
        self._pods.say(f"{pod.name}: ready")

    async def _job(self, pod: Any, key: str, tries: int) -> None:
        """Run a Job to its end, as often as it says."""
        for _ in range(tries):
            ended = await self._pods.run(pod)
            self._pods.say(f"{pod.name}: {ended.status.value}" + (f": {ended.reason}" if ended.reason else ""))
            if ended.status.is_good:
                return
        raise NotReadyError(f"{key}: {ended.reason}")

    def _pod(self, key: str, document: Document, name: str, held: Volumes, data: containers.ConfigMaps) -> Any:
        from shared.workflows.dry_run.pods import Pod  # noqa: PLC0415 - each knows the other

        path = f"{document['kind']}/{key}"
        spec, where = document, path
        for each in ("spec", "template", "spec"):
            spec, where = fields.mapping(spec, each, where), f"{where}.{each}"
        # Both are texts of the package, and become names of folders and of a log.
        own = places.file_name(f"{name}.{key}")
        made = held.made(fields.items(spec, "volumes", path), path, own)
        found = fields.items(spec, "containers", path)
        if len(found) != 1:
            raise PackageError(f"{path}: expected one container, found {len(found)}")
        container = containers.read(self._reader, found[0], path, made, data)
        if verb_of(container.driver_arguments) and container.is_driver:
            raise PackageError(f"{path}: expected a pod that deploys nothing itself")
        if key != ORCHESTRATOR:
            self._pods.check(container)
        return Pod(own, container)

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
        dockerinfo = json.dumps({"docker_info_list": entries}).encode()
        pipeline = {**_files(folder), pipeline_files.DOCKERINFO: dockerinfo}
        await stack.enter_async_context(self._pods.orchestrator(pod, pipeline))


def _is_node(document: Document, key: str) -> bool:
    labels = fields.mapping(fields.mapping(document, "metadata", key), "labels", key)
    return labels.get(_NODE) == key


def _tries(document: Document, key: str) -> int:
    return 1 + int(fields.number(fields.mapping(document, "spec", f"Job/{key}"), "backoffLimit", f"Job/{key}", _TRIES))


def _seconds(given: Mapping[str, str]) -> float | None:
    """Return the time that the driver is given; none, or 0, is for ever."""
    return fields.number(given, "timeout", "the driver", 0) or None


def _write(path: Path, addresses: Mapping[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(addresses), encoding="utf-8")
    except OSError as problem:
        raise PackageError(f"--endpoint-file: expected a file that can be written: {problem.strerror}") from problem


def _files(folder: Path) -> dict[str, bytes]:
    try:
        return pipeline_files.read(folder)
    except (OSError, ValueError) as problem:
        raise PackageError(f"expected a volume with whole files: {problem}") from problem


def _documents(folder: Path) -> list[Document]:
    reader = reading.yaml_reader()
    manifests = [content for name, content in sorted(_files(folder).items()) if name.endswith(".yaml")]
    try:
        return [each for content in manifests for each in reader.values(content) if isinstance(each, dict)]
    except YamlTextError as problem:
        raise PackageError(f"--bundle: expected a folder with manifests: {problem}") from problem
