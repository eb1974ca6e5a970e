"""Templates of Argo that are a container: a pod of files, volumes and sidecars, run to its end or as a daemon."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from shared.workflows.dry_run import containers, durations, fields, places, reading, templating
from shared.workflows.dry_run.argo_templates import Template, Workflow
from shared.workflows.dry_run.containers import ConfigMaps, Container
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.machine import Running
from shared.workflows.dry_run.outcome import NotReadyError, Status
from shared.workflows.dry_run.pods import Ended, Pod, Pods
from shared.workflows.dry_run.scopes import Inputs, Outputs, Result
from shared.workflows.dry_run.templating import Look
from shared.workflows.dry_run.volumes import Volumes

MOST_PARAMETER_BYTES = 256 << 10
"""An engine keeps parameters in an object of the cluster, which holds little more."""
Note = Callable[[str, Result, float, int], None]
"""Takes the path of a task, what became of it, its seconds and tries."""


class ContainerTemplates:
    """The container templates of one workflow."""

    def __init__(self, reader: Reader, workflow: Workflow, config_maps: ConfigMaps, pods: Pods, note: Note) -> None:
        self._reader = reader
        self._workflow = workflow
        self._config_maps = config_maps
        self._pods = pods
        self._note = note
        self._volumes = Volumes(pods.folder, config_maps, reader)

    def check(self, template: Template) -> None:
        """Refuse what could not be started.

        Raises:
            PackageError: a field is not carried out here, or there is no program for an image.
        """
        own = fields.items(template.document, "volumes", template.path)
        known = self._volumes.known([*self._workflow.volumes, *own], template.path)
        for container in self._containers(template, template.document, known):
            self._pods.check(container)

    def _containers(self, template: Template, document: Document, volumes: Mapping[str, Path]) -> list[Container]:
        path = template.path
        main = containers.read(self._reader, document["container"], f"{path}.container", volumes, self._config_maps)
        beside = fields.by_name(document, "sidecars", path)
        return [
            main,
            *(
                containers.read(self._reader, each, f"{path}.sidecars[{name}]", volumes, self._config_maps)
                for name, each in beside.items()
            ),
        ]

    async def run(self, template: Template, path: str, inputs: Inputs, look: Look, daemons: AsyncExitStack) -> Result:
        """Run the pod of a template; a daemon goes on until `daemons` ends."""
        with reading.of(template.path):
            document = templating.filled(dict(template.document), look, template.path)
            pod, made = self._pod(template, document, places.file_name(path.replace("/", ".")), inputs)
            deadline = document.get("activeDeadlineSeconds")
            where = f"{template.path}.activeDeadlineSeconds"
            seconds = None if deadline is None else durations.seconds(deadline, where)
        if template.is_daemon:
            return await self._daemon(pod, path, daemons)
        try:
            async with asyncio.timeout(seconds):
                ended = await self._pods.run(pod)
        except TimeoutError:
            if seconds is None:
                raise
            ended = Ended(Status.FAILED, f"it did not end within {seconds:g} s")
        if ended.status is not Status.SUCCEEDED:
            return Result(ended.status, ended.reason)
        return _collected(made)

    def _pod(
        self, template: Template, document: Document, name: str, inputs: Inputs
    ) -> tuple[Pod, list[tuple[str, str, str, Path]]]:
        own = fields.items(document, "volumes", template.path)
        volumes = self._volumes.made([*self._workflow.volumes, *own], template.path, name)
        main, *beside = self._containers(template, document, volumes)
        given, made = self._files(document, template.path, name, inputs)
        labels = fields.mapping(fields.mapping(document, "metadata", template.path), "labels", template.path)
        return Pod(name, main, tuple(beside), {**given, **{where: file for _, _, where, file in made}}, labels), made

    async def _daemon(self, pod: Pod, path: str, daemons: AsyncExitStack) -> Result:
        try:
            address, running = await daemons.enter_async_context(self._pods.daemon(pod))
        except NotReadyError as problem:
            return Result(Status.FAILED, str(problem))
        self._pods.say(f"{path}: ready")
        result = Result(Status.DAEMONED, address=address)
        watch = asyncio.ensure_future(self._watch(running, path, result))

        async def stop() -> None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

        daemons.push_async_callback(stop)
        return result

    async def _watch(self, running: Running, path: str, result: Result) -> None:
        status = await running.ended()
        result.status, result.reason = (
            Status.FAILED,
            f"it ended before its scope, exit status {status}: {running.last_words}",
        )
        self._note(path, result, 0.0, 1)

    def _files(
        self, document: Document, path: str, name: str, inputs: Inputs
    ) -> tuple[dict[str, Path], list[tuple[str, str, str, Path]]]:
        """Return the input files by their path in the container, and (end, name, path in the container, file) of outputs."""
        ends = document.get("inputs") or {}
        given = {
            fields.place(each, "path", path): inputs.artifacts[key]
            for key, each in fields.by_name(ends, "artifacts", path).items()
        }
        folder = self._pods.folder / "artifacts" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        outputs = document.get("outputs") or {}
        made = [
            ("artifacts", key, fields.place(each, "path", path), folder / f"artifact-{number}")
            for number, (key, each) in enumerate(fields.by_name(outputs, "artifacts", path).items())
        ]
        made += [
            ("parameters", key, fields.place(each["valueFrom"], "path", path), folder / f"parameter-{number}")
            for number, (key, each) in enumerate(fields.by_name(outputs, "parameters", path).items())
        ]
        return given, made


def _collected(made: list[tuple[str, str, str, Path]]) -> Result:
    missing = [where for _, _, where, file in made if not file.is_file()]
    if missing:
        return Result(Status.ERROR, f"it wrote no file {missing[0]}")
    large = [key for end, key, _, file in made if end == "parameters" and file.stat().st_size > MOST_PARAMETER_BYTES]
    if large:
        return Result(Status.ERROR, f"its output parameter {large[0]} has more than {MOST_PARAMETER_BYTES} bytes")
    parameters = {
        key: file.read_text(encoding="utf-8", errors="replace") for end, key, _, file in made if end == "parameters"
    }
    artifacts = {key: file for end, key, _, file in made if end == "artifacts"}
    return Result(Status.SUCCEEDED, outputs=Outputs(parameters, artifacts))
