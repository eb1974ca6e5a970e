"""Carries out a pipeline of Kubeflow: components, dependencies, artifacts, retries and the exit handler; nothing is cached."""

from __future__ import annotations

import asyncio
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.workflows.dry_run import depends, kubeflow_values, places, reading, templating
from shared.workflows.dry_run.containers import ConfigMaps
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.graph_run import Graph
from shared.workflows.dry_run.kubeflow_components import Component, Pipeline, Task
from shared.workflows.dry_run.kubeflow_executors import Executors
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import CUT, DEEPEST, Outcome, PackageError, Status, TaskOutcome
from shared.workflows.dry_run.pods import Ended, Pod, Pods
from shared.workflows.dry_run.scopes import Outputs, Result

_COMPLETED = "({0}.Succeeded || {0}.Failed || {0}.Errored || {0}.Omitted)"


class KubeflowRun:
    """One run of a pipeline."""

    def __init__(
        self, pipeline: Document, platform: Document | None, config_maps: ConfigMaps, pods: Pods, options: Options
    ) -> None:
        """Read and check the package.

        Raises:
            PackageError: it asks for what a dry run does not do.
        """
        self._reader = Reader()
        self._pipeline = Pipeline(self._reader, pipeline)
        self._pods = pods
        self._options = options
        self._folder = pods.folder
        self._tasks: list[TaskOutcome] = []
        self._executors = Executors(self._reader, pipeline, platform, config_maps, pods)
        self._job = {"$.pipeline_job_name": f"{self._pipeline.name}-dry-run", "$.pipeline_job_uuid": str(uuid.uuid4())}
        self._parameters = kubeflow_values.given(self._pipeline.root.parameters, options.parameters)
        for component in self._pipeline.components.values():
            self._graph(component).check(component.name)
            if component.executor is not None:
                self._executors.check(component.executor)

    async def run(self) -> Outcome:
        """Run the pipeline."""
        self._reader.tell(self._pods.say)
        seconds = self._options.within_seconds
        try:
            async with asyncio.timeout(seconds):
                result = await self._dag(self._pipeline.root, self._pipeline.name, self._parameters, {})
        except TimeoutError:
            result = Result(Status.FAILED, f"the pipeline did not end within {seconds:g} s")
        finally:
            await self._pods.releases.close()
        left_out = self._reader.left_out
        return Outcome("kubeflow", self._pipeline.name, result.status, result.reason, tuple(self._tasks), left_out)

    def _graph(self, component: Component) -> Graph:
        conditions = {}
        for name, task in component.tasks.items():
            form = _COMPLETED if task.runs_anyway else "{0}"
            text = " && ".join(form.format(each) for each in sorted(task.after))
            conditions[name] = depends.parse(text, f"{component.name}.{name}")
        return Graph(conditions, fails_fast=False)

    async def _dag(
        self, component: Component, path: str, parameters: Mapping[str, Any], artifacts: Mapping[str, Path]
    ) -> Result:
        if path.count("/") >= DEEPEST:
            raise PackageError(f"{component.name}: expected components at most {DEEPEST} deep")
        results: dict[str, Result] = {}
        statuses: dict[str, Status] = {}

        async def start(name: str) -> Status:
            results[name] = await self._task(component.tasks[name], f"{path}/{name}", parameters, artifacts, results)
            return results[name].status

        def omit(name: str) -> None:
            results[name] = Result(Status.OMITTED)
            self._note(f"{path}/{name}", results[name], 0.0, 0)

        await self._graph(component).run(statuses, start, omit)
        bad = [name for name, result in results.items() if result.status.is_bad]
        with reading.of(f"{component.name}.dag.outputs"):
            outputs = kubeflow_values.outputs(component, results)
        return Result(
            Status.FAILED if bad else Status.SUCCEEDED, f"{bad[0]}: {results[bad[0]].reason}" if bad else "", outputs
        )

    async def _task(
        self,
        task: Task,
        path: str,
        parameters: Mapping[str, Any],
        artifacts: Mapping[str, Path],
        results: Mapping[str, Result],
    ) -> Result:
        component = self._pipeline.components[task.component]
        # Kubeflow says what the run is called where that is the whole value of an input.
        known = {f"{{{{{name}}}}}": value for name, value in self._job.items()}
        with reading.of(f"{task.path}.inputs"):
            given = kubeflow_values.parameters(task, component, parameters, results)
            given = {key: known.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
            files = kubeflow_values.artifacts(task, artifacts, results)
        started, tries = time.monotonic(), 0
        while True:
            tries += 1
            self._pods.say(f"{path}: running" + (f", try {tries}" if tries > 1 else ""))
            try:
                if component.executor is None:
                    result = await self._dag(component, path, given, files)
                else:
                    result = await self._execute(component, path, given, files)
            except asyncio.CancelledError:
                self._note(path, Result(Status.FAILED, CUT), time.monotonic() - started, tries)
                raise
            if not result.status.is_bad or tries > task.retry.limit:
                break
            wait = task.retry.wait(tries)
            longest = self._options.longest_wait_seconds
            wait = wait if longest is None else min(wait, longest)
            self._pods.say(f"{path}: {result.status.value}: {result.reason}; again in {wait:g} s")
            await asyncio.sleep(wait)
        self._note(path, result, time.monotonic() - started, tries)
        return result

    async def _execute(
        self, component: Component, path: str, given: Mapping[str, Any], files: Mapping[str, Path]
    ) -> Result:
        name = places.file_name(path.replace("/", "."))
        folder = self._folder / "artifacts" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        parameters = {key: folder / f"parameter-{number}" for number, key in enumerate(component.output_parameters)}
        artifacts = {key: folder / f"artifact-{number}" for number, key in enumerate(component.output_artifacts)}
        names = self._job | {"$.pipeline_task_name": path.rpartition("/")[2]}
        with reading.of(f"{path}: inputs"):
            names |= {f"$.inputs.parameters['{key}']": kubeflow_values.text(value) for key, value in given.items()}
        names |= {f"$.inputs.artifacts['{key}'].path": str(file) for key, file in files.items()}
        names |= {f"$.outputs.parameters['{key}'].output_file": str(file) for key, file in parameters.items()}
        names |= {f"$.outputs.artifacts['{key}'].path": str(file) for key, file in artifacts.items()}
        assert component.executor is not None  # noqa: S101 the caller has looked
        with reading.of(f"deploymentSpec.executors.{component.executor}"):
            pod, seconds = self._executors.pod(component.executor, name, templating.scope(names), given)
        ended = await self._within(pod, seconds)
        if ended.status is not Status.SUCCEEDED:
            return Result(ended.status, ended.reason)
        missing = [key for key, file in {**parameters, **artifacts}.items() if not file.is_file()]
        if missing:
            return Result(Status.ERROR, f"it wrote no output {missing[0]}")
        read = {key: file.read_text(encoding="utf-8", errors="replace") for key, file in parameters.items()}
        return Result(Status.SUCCEEDED, outputs=Outputs(read, artifacts))

    async def _within(self, pod: Pod, seconds: float | None) -> Ended:
        try:
            async with asyncio.timeout(seconds):
                return await self._pods.run(pod)
        except TimeoutError:
            if seconds is None:
                raise
            return Ended(Status.FAILED, f"it did not end within {seconds:g} s")

    def _note(self, path: str, result: Result, seconds: float, tries: int) -> None:
        self._tasks.append(TaskOutcome(path, result.status, result.reason, tries, seconds))
        self._pods.say(f"{path}: {result.status.value}" + (f": {result.reason}" if result.reason else ""))
