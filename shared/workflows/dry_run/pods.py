"""A pod as processes: its containers side by side, ended together. The main one decides how the pod ends."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.processes import ports
from shared.processes.ports import LOOPBACK
from shared.workflows.dry_run import places, releases
from shared.workflows.dry_run.containers import Container, seconds_by_probe
from shared.workflows.dry_run.machine import Machine, Running
from shared.workflows.dry_run.outcome import NotReadyError, PackageError, Say, Status
from shared.workflows.dry_run.places import Addresses
from shared.workflows.dry_run.programs import Programs
from shared.workflows.dry_run.releases import Releases

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pod ended."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """What runs together."""

    name: str
    main: Container
    beside: tuple[Container, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict, hash=False)
    """Artifacts: path in the main container → path here."""


class Pods:
    """Starts pods on the machine."""

    def __init__(self, machine: Machine, programs: Programs, say: Say) -> None:
        self.addresses = Addresses()
        self.releases = Releases(machine, self)
        self.say = say
        self.folder = machine.folder
        self._machine = machine
        self._programs = programs

    def check(self, container: Container) -> None:
        """Refuse what could not be started.

        Raises:
            PackageError: its image is none that this machine has a program for.
        """
        if container.is_driver:
            if any(argument.startswith("--to=http") for argument in container.driver_arguments):
                raise PackageError(f"{container.path}.args: a dry run sends nothing to other machines, found --to")
        elif not container.is_preparation:
            self._programs.of(container.image, container.path)

    async def run(self, pod: Pod) -> Ended:
        """Run a pod to the end of its main container."""
        if pod.main.is_driver and (verb := releases.verb_of(pod.main.driver_arguments)):
            return await self._release(pod, verb)
        async with self._started(pod, self.addresses.new_pod()) as main:
            status = await main.ended()
            return Ended(Status.SUCCEEDED) if status == 0 else Ended(Status.FAILED, _told(status, main))

    async def _release(self, pod: Pod, verb: str) -> Ended:
        paths = {**pod.main.mounts, **pod.files}
        self.say(f"{pod.name}: {verb}: this machine stands in for the cluster")
        try:
            await self.releases.carry_out([places.rewritten(text, paths) for text in pod.main.driver_arguments])
        except NotReadyError as problem:
            return Ended(Status.FAILED, str(problem))
        return Ended(Status.SUCCEEDED)

    @asynccontextmanager
    async def orchestrator(self, pod: Pod, folder: Path) -> AsyncIterator[None]:
        """Run the orchestrator as long as the block, on the pipeline in a folder."""
        own = self._machine.folder / "homes" / pod.name
        own.mkdir(parents=True, exist_ok=True)
        told = {
            "SLIPWAY_HOST": LOOPBACK,
            "SLIPWAY_PORT": str(self._machine.ports(1)[0]),
            "SLIPWAY_METRICS_PORT": "0",
            "SLIPWAY_PIPELINE_DIRECTORY": str(folder),
            "SLIPWAY_NODE_HOSTS": LOOPBACK,
            "SLIPWAY_DATA_DIRECTORY": str(own / "data"),
            "SLIPWAY_GRACE_SECONDS": "2",
            "SLIPWAY_AUTOSTART": pod.main.environment.get("SLIPWAY_AUTOSTART", "true"),
        }
        running = self._machine.start(pod.name, [sys.executable, "-m", "orchestrator"], own, told)
        try:
            yield
        finally:
            await self._machine.end(running)

    @asynccontextmanager
    async def daemon(self, pod: Pod) -> AsyncIterator[tuple[str, Running]]:
        """Run a pod as long as the block; it begins when the pod is ready, with its address.

        Raises:
            NotReadyError: its program ended, or did not listen within what its probes give it.
        """
        address = self.addresses.new_pod()
        async with self._started(pod, address) as main:
            seconds = seconds_by_probe((pod.main,))
            if seconds is not None:
                await self._ready(pod, address, main, seconds)
            yield address, main

    async def _ready(self, pod: Pod, address: str, main: Running, seconds: float) -> None:
        here = self.addresses.here(f"{address}:{pod.main.ports[0]}", address)
        port = int(here.rpartition(":")[2])
        until = time.monotonic() + seconds
        while not await asyncio.to_thread(ports.answers, port):
            if (status := main.process.status) is not None:
                raise NotReadyError(_told(status, main))
            if time.monotonic() > until:
                raise NotReadyError(f"nobody listened on port {pod.main.ports[0]} within {seconds:g} s")
            await asyncio.sleep(_POLL_SECONDS)

    @asynccontextmanager
    async def _started(self, pod: Pod, address: str) -> AsyncIterator[Running]:
        running: list[Running] = []
        try:
            for container in pod.beside:
                self._listen(container, address)
            self._listen(pod.main, address)
            running.extend(self._start(pod, container, address) for container in pod.beside)
            main = self._start(pod, pod.main, address)
            running.append(main)
            yield main
        finally:
            for each in running:
                each.process.terminate()
            for each in running:
                await self._machine.end(each)

    def _listen(self, container: Container, address: str) -> None:
        if container.is_driver or container.is_preparation:
            return
        for port, here in zip(container.ports, self._machine.ports(2), strict=True):
            self.addresses.listen(address, port, here)

    def _start(self, pod: Pod, container: Container, address: str) -> Running:
        name = places.file_name(pod.name if container is pod.main else f"{pod.name}.{container.name}")
        paths = {**container.mounts, **(pod.files if container is pod.main else {})}
        arguments = [self._here(text, paths, address) for text in container.arguments]
        told = {key: self._here(text, paths, address) for key, text in container.environment.items()}
        own = self._machine.folder / "homes" / name
        own.mkdir(parents=True, exist_ok=True)
        if container.is_driver:
            command = [sys.executable, "-m", "orchestrator.driver", *container.command[1:], *arguments]
            told |= {"SLIPWAY_DATA_DIRECTORY": str(own / "data")}
            return self._machine.start(name, command, own, told)
        if container.is_preparation:
            return self._machine.start(name, [sys.executable, *container.command[1:], *arguments], own, told)
        stand = self._programs.of(container.image, container.path)
        known = {
            key: text for key, text in told.items() if key in stand.variables or text != container.environment[key]
        }
        for key in sorted(told.keys() - known.keys()):
            self.say(f"{name}: the variable {key} is left out: the program for {container.image} does not take it")
        listens = [self.addresses.here(f"{address}:{port}", address).rpartition(":")[2] for port in container.ports]
        known |= {"HOST": LOOPBACK, "PORT": listens[0], "WEB_UI_PORT": listens[1]}
        return self._machine.start(name, [*stand.command, *arguments], stand.folder, known)

    def _here(self, text: str, paths: Mapping[str, Path], address: str) -> str:
        return self.addresses.here(places.rewritten(text, paths), address)


def _told(status: int, running: Running) -> str:
    how = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
    words = running.last_words
    return f"{how}: {words}" if words else how
