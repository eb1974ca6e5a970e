"""A pod as processes: its containers side by side, ended together. The main one decides how the pod ends."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from shared.processes import ports
from shared.processes.ports import LOOPBACK
from shared.solution import GRPC_PORT
from shared.workflows.dry_run import node_texts, own_programs, places, releases
from shared.workflows.dry_run.containers import ConfigMaps, Container
from shared.workflows.dry_run.machine import Machine, Running
from shared.workflows.dry_run.outcome import NotReadyError, PackageError, Say, Status
from shared.workflows.dry_run.places import Addresses
from shared.workflows.dry_run.probes import Probe
from shared.workflows.dry_run.programs import Programs
from shared.workflows.dry_run.releases import Releases

_POLL_SECONDS = 0.05
_REMIND_SECONDS = 30.0
_ORCHESTRATOR_PROBE = Probe(60.0)


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
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By which Services find it."""


class Pods:
    """Starts pods on the machine."""

    def __init__(
        self, machine: Machine, programs: Programs, say: Say, *, secrets: ConfigMaps, hold_seconds: float
    ) -> None:
        self.addresses = Addresses()
        self.releases = Releases(machine, self, hold_seconds)
        self._hold_seconds = hold_seconds
        self.say = say
        self.secrets = secrets
        self.folder = machine.folder
        self._machine = machine
        self._programs = programs

    def check(self, container: Container) -> None:
        """Refuse what could not be started.

        Raises:
            PackageError: its image is none that this machine has a program for.
        """
        if container.is_driver:
            own_programs.check_options(container.driver_arguments, f"{container.path}.args")
        elif not container.is_preparation:
            self._programs.of(container.image, container.path)

    async def run(self, pod: Pod) -> Ended:
        """Run a pod to the end of its main container."""
        if pod.main.is_driver and (verb := releases.verb_of(pod.main.driver_arguments)):
            return await self._release(pod, verb)
        async with self._started(pod, self.addresses.new_pod(pod.labels)) as main:
            status = await self._end_of(pod, main)
            return Ended(Status.SUCCEEDED) if status == 0 else Ended(Status.FAILED, _told(status, main))

    async def _end_of(self, pod: Pod, main: Running) -> int:
        """Wait for the end; who waits for long is told what for."""
        started = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(_REMIND_SECONDS):
                    return await main.ended()
            except TimeoutError:
                line = main.last_line
                self.say(f"{pod.name}: runs since {time.monotonic() - started:.0f} s" + (f": {line}" if line else ""))

    async def _release(self, pod: Pod, verb: str) -> Ended:
        paths = self._paths(pod, pod.main, pod.name)
        own = self._home(pod.name)
        if verb == "hold":
            self.say(f"{pod.name}: holds; it ends after at most {self._hold_seconds:g} s, as if it were time")
        else:
            self.say(f"{pod.name}: {verb}: this machine stands in for the cluster")
        arguments = self._checked(pod.main, [places.rewritten(text, paths) for text in pod.main.driver_arguments], own)
        try:
            await self.releases.carry_out(arguments)
        except NotReadyError as problem:
            return Ended(Status.FAILED, str(problem))
        return Ended(Status.SUCCEEDED)

    @asynccontextmanager
    async def orchestrator(self, pod: Pod, pipeline: Mapping[str, bytes]) -> AsyncIterator[None]:
        """Run the orchestrator as long as the block, on the files of a pipeline."""
        own = self._home(pod.name)
        # A folder that it alone has: what was looked at in a volume could be changed by who shares the volume.
        folder = own / "pipeline"
        folder.mkdir(exist_ok=True)
        for name, content in pipeline.items():
            (folder / name).write_bytes(content)
        (claim,) = ports.claimed(1)
        told = {
            "SLIPWAY_HOST": LOOPBACK,
            "SLIPWAY_PORT": str(claim.port),
            "SLIPWAY_METRICS_PORT": "0",
            "SLIPWAY_PIPELINE_DIRECTORY": str(folder),
            "SLIPWAY_NODE_HOSTS": LOOPBACK,
            "SLIPWAY_DATA_DIRECTORY": str(own / "data"),
            "SLIPWAY_GRACE_SECONDS": "2",
            "SLIPWAY_AUTOSTART": pod.main.environment.get("SLIPWAY_AUTOSTART", "true"),
        }
        with claim:
            running = self._machine.start(pod.name, [sys.executable, "-P", "-m", "orchestrator"], own, told)
            try:
                await _answered(running, claim.port, GRPC_PORT, _ORCHESTRATOR_PROBE, name=pod.name, say=self.say)
                yield
            finally:
                await self._machine.end(running)

    @asynccontextmanager
    async def daemon(self, pod: Pod) -> AsyncIterator[tuple[str, Running]]:
        """Run a pod as long as the block; it begins when the pod is ready, with its address.

        Raises:
            NotReadyError: its program ended, or did not listen within what its probes give it.
        """
        address = self.addresses.new_pod(pod.labels)
        async with self._started(pod, address) as main:
            if pod.main.probe is not None:
                here = self.addresses.here(f"{address}:{pod.main.ports[0]}", address)
                port = int(here.rpartition(":")[2])
                await _answered(main, port, pod.main.ports[0], pod.main.probe, name=pod.name, say=self.say)
            yield address, main

    @asynccontextmanager
    async def _started(self, pod: Pod, address: str) -> AsyncIterator[Running]:
        running: list[Running] = []
        claims = ExitStack()
        try:
            for container in (*pod.beside, pod.main):
                self._listen(container, address, claims)
            running.extend(self._start(pod, container, address) for container in pod.beside)
            main = self._start(pod, pod.main, address)
            running.append(main)
            yield main
        finally:
            for each in running:
                each.process.terminate()
            for each in running:
                await self._machine.end(each)
            claims.close()

    def _listen(self, container: Container, address: str, claims: ExitStack) -> None:
        if container.is_driver or container.is_preparation:
            return
        for port, claim in zip(container.ports, ports.claimed(2), strict=True):
            self.addresses.listen(address, port, claims.enter_context(claim).port)

    def _start(self, pod: Pod, container: Container, address: str) -> Running:
        name = places.file_name(pod.name if container is pod.main else f"{pod.name}.{container.name}")
        paths = self._paths(pod, container, name)
        arguments = [self._here(text, paths, address) for text in container.arguments]
        told = {key: self._here(text, paths, address) for key, text in container.environment.items()}
        own = self._home(name)
        if container.is_driver:
            given = [self._here(text, paths, address) for text in container.driver_arguments]
            given = self._checked(container, given, own)
            known = self._known(name, told, own_programs.VARIABLES, "the driver")
            known |= {"SLIPWAY_DATA_DIRECTORY": str(own / "data")}
            return self._machine.start(name, [sys.executable, "-P", "-m", "orchestrator.driver", *given], own, known)
        if container.is_preparation:
            own_programs.check_folders(arguments, f"{container.path}.args", folder=self._machine.folder)
            return self._machine.start(name, [sys.executable, "-I", *container.command[1:], *arguments], own, {})
        stand = self._programs.of(container.image, container.path)
        folders = {
            key for key, text in told.items() if node_texts.is_folder(key) and text != container.environment[key]
        }
        known = self._known(name, told, stand.variables | folders, f"the program for {container.image}")
        texts = {f"{container.path}.args[{number}]": text for number, text in enumerate(arguments)}
        texts |= {f"{container.path}.env[{key}]": text for key, text in known.items()}
        node_texts.check(texts, folder=self._machine.folder, is_pod=self.addresses.is_pod)
        listens = [self.addresses.here(f"{address}:{port}", address).rpartition(":")[2] for port in container.ports]
        known |= {"HOST": LOOPBACK, "PORT": listens[0], "WEB_UI_PORT": listens[1]}
        return self._machine.start(name, [*stand.command, *arguments], stand.folder, known)

    def _known(self, name: str, told: Mapping[str, str], known: Collection[str], who: str) -> dict[str, str]:
        """Return the variables that a program takes; of the others it is said that they are left out."""
        for key in sorted(told.keys() - set(known)):
            self.say(f"{name}: the variable {key} is left out: {who} does not take it")
        return {key: text for key, text in told.items() if key in known}

    def _checked(self, driver: Container, arguments: Sequence[str], own: Path) -> list[str]:
        folder, is_pod = self._machine.folder, self.addresses.is_pod
        return own_programs.checked(arguments, f"{driver.path}.args", folder=folder, own=own, is_pod=is_pod)

    def _home(self, name: str) -> Path:
        """Return the folder that a program of this name has for itself."""
        own = self._machine.folder / "homes" / name
        own.mkdir(parents=True, exist_ok=True)
        return own

    def _paths(self, pod: Pod, container: Container, name: str) -> dict[str, Path]:
        """Return what the paths of a container are here."""
        try:
            mounts = places.with_parents(container.mounts, self._machine.folder / "roots" / name)
        except OSError as problem:
            expected = "paths that fit into one tree of folders"
            raise PackageError(f"{container.path}.volumeMounts: expected {expected}: {problem.strerror}") from problem
        return {**mounts, **(pod.files if container is pod.main else {})}

    def _here(self, text: str, paths: Mapping[str, Path], address: str) -> str:
        return self.addresses.here(places.rewritten(text, paths), address)


async def _answered(running: Running, port: int, told: int, probe: Probe, *, name: str, say: Say) -> None:
    """Wait until a program is ready on a port, which its container calls `told`."""
    started = told_at = time.monotonic()
    while not await asyncio.to_thread(probe.answers, port):
        if (status := running.process.status) is not None:
            raise NotReadyError(_told(status, running))
        now = time.monotonic()
        if now > started + probe.seconds:
            raise NotReadyError(f"{probe.missing} on port {told} within {probe.seconds:g} s")
        if now > told_at + _REMIND_SECONDS:
            told_at = now
            say(f"{name}: {probe.missing} on port {told} since {now - started:.0f} s")
        await asyncio.sleep(_POLL_SECONDS)


def _told(status: int, running: Running) -> str:
    how = f"exit status {status}" if status >= 0 else f"killed by signal {-status}"
    words = running.last_words
    return f"{how}: {words}" if words else how
