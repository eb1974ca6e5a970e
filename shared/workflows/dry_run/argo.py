"""Carries out an Argo Workflow: DAGs, steps, daemons in their scope, retries, deadlines and the exit handler."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import AsyncExitStack

from shared.findings import quoted
from shared.workflows.dry_run import argo_resources, argo_templates, depends, durations, fields, reading, templating
from shared.workflows.dry_run.argo_containers import ContainerTemplates
from shared.workflows.dry_run.argo_scope import MissingError, Scope, artifact, names_of, outputs
from shared.workflows.dry_run.argo_templates import Retry, Task, Template, Workflow
from shared.workflows.dry_run.containers import ConfigMaps
from shared.workflows.dry_run.fields import Document, Reader
from shared.workflows.dry_run.graph_run import Graph
from shared.workflows.dry_run.options import Options
from shared.workflows.dry_run.outcome import CUT, DEEPEST, Outcome, PackageError, Status, TaskOutcome
from shared.workflows.dry_run.pods import Pods
from shared.workflows.dry_run.scopes import Inputs, Result
from shared.workflows.dry_run.templating import Look

_NAMESPACE = "dry-run"


class ArgoRun:
    """One run of a workflow."""

    def __init__(self, document: Document, config_maps: ConfigMaps, pods: Pods, options: Options) -> None:
        """Read and check the workflow.

        Raises:
            PackageError: it asks for what a dry run does not do.
        """
        self._reader = Reader()
        self._workflow = argo_templates.read(self._reader, document)
        self._pods = pods
        self._options = options
        self._containers = ContainerTemplates(self._reader, self._workflow, config_maps, pods, self._note)
        self._say = pods.say
        self._tasks: list[TaskOutcome] = []
        unknown = sorted(options.parameters.keys() - self._workflow.parameters.keys())
        if unknown:
            known = ", ".join(self._workflow.parameters) or "none"
            raise PackageError(f"--parameter: expected one of {known}, found {quoted(unknown[0])}")
        self._names = {
            f"workflow.parameters.{k}": v for k, v in {**self._workflow.parameters, **options.parameters}.items()
        }
        self._names |= {
            "workflow.name": self._workflow.name,
            "workflow.namespace": _NAMESPACE,
            "workflow.uid": str(uuid.uuid4()),
        }
        for template in self._workflow.templates.values():
            self._check(template)

    def _check(self, template: Template) -> None:
        Graph({task.name: task.depends for task in template.tasks}, template.fails_fast).check(template.path)
        if template.kind == "container":
            self._containers.check(template)
        if template.kind == "resource":
            argo_resources.check(self._reader, template)

    async def run(self) -> Outcome:
        """Run the workflow, and its exit handler however it ended."""
        self._reader.tell(self._say)
        try:
            return await self._with_exit_handler()
        finally:
            await self._pods.releases.close()

    async def _with_exit_handler(self) -> Outcome:
        result = await self._limited(self._workflow)
        status, reason = result.status, result.reason
        if self._workflow.on_exit is not None:
            self._names["workflow.status"] = status.value
            async with AsyncExitStack() as daemons:
                handled = await self._task(
                    _whole(self._workflow.on_exit), "onExit", Scope(templating.scope({}), {}, daemons)
                )
            if handled.status.is_bad and status.is_good:
                status, reason = handled.status, f"the exit handler: {handled.reason}"
        return Outcome("argo", self._workflow.name, status, reason, tuple(self._tasks), self._reader.left_out)

    async def _limited(self, workflow: Workflow) -> Result:
        limits = [each for each in (workflow.deadline_seconds, self._options.within_seconds) if each is not None]
        seconds = min(limits, default=None)
        try:
            async with asyncio.timeout(seconds), AsyncExitStack() as daemons:
                scope = Scope(templating.scope({}), {}, daemons)
                result = await self._task(_whole(workflow.entrypoint), workflow.entrypoint, scope)
                return Result(Status.SUCCEEDED if result.status.is_good else result.status, result.reason)
        except TimeoutError:
            return Result(Status.FAILED, f"the workflow did not end within {seconds:g} s")

    async def _template(self, name: str, path: str, inputs: Inputs, daemons: AsyncExitStack) -> Result:
        template = self._workflow.templates[name]
        if path.count("/") >= DEEPEST:
            raise PackageError(f"{template.path}: expected templates at most {DEEPEST} deep")
        with reading.of(template.path):
            look = self._look(template, inputs)
        if template.kind in {"dag", "steps"}:
            return await self._graph(template, path, inputs, look)
        if template.kind == "suspend":
            return await self._hold(template, path, look)
        if template.kind == "resource":
            with reading.of(template.path):
                return argo_resources.create(template, look, self._pods.addresses)
        return await self._containers.run(template, path, inputs, look, daemons)

    def _look(self, template: Template, inputs: Inputs) -> Look:
        given = {f"inputs.parameters.{name}": value for name, value in inputs.parameters.items()}
        declared = fields.by_name(template.document.get("inputs") or {}, "parameters", template.path)
        for name, each in declared.items():
            default = each.get("value", each.get("default"))
            if f"inputs.parameters.{name}" not in given and default is not None:
                given[f"inputs.parameters.{name}"] = str(default)
        for end in ("inputs", "outputs"):
            for name, each in fields.by_name(template.document.get(end) or {}, "artifacts", template.path).items():
                given[f"{end}.artifacts.{name}.path"] = str(each.get("path", ""))
        return templating.scope(given, templating.scope(self._names))

    async def _graph(self, template: Template, path: str, inputs: Inputs, look: Look) -> Result:
        tasks = {task.name: task for task in template.tasks}
        graph = Graph({name: task.depends for name, task in tasks.items()}, template.fails_fast)
        results: dict[str, Result] = {}
        statuses: dict[str, Status] = {}
        async with AsyncExitStack() as daemons:

            async def start(name: str) -> Status:
                names = templating.scope(names_of(template.prefix, results), look)
                scope = Scope(names, results, daemons, template.prefix, inputs.artifacts)
                results[name] = await self._task(tasks[name], f"{path}/{name}", scope)
                return results[name].status

            def omit(name: str) -> None:
                self._note(f"{path}/{name}", Result(Status.OMITTED), 0.0, 0)

            await graph.run(statuses, start, omit)
        dead = [name for name, result in results.items() if result.status.is_bad and statuses[name] is Status.DAEMONED]
        bad = [name for name in tasks if name in dead or (statuses[name].is_bad)]
        reason = f"{bad[0]}: {results[bad[0]].reason}" if bad else ""
        found = Result(Status.FAILED if dead else graph.status(statuses), reason)
        if found.status.is_good:
            names = templating.scope(names_of(template.prefix, results), look)
            try:
                with reading.of(template.path):
                    found.outputs = outputs(template, Scope(names, results, daemons, template.prefix, inputs.artifacts))
            except MissingError as problem:
                return Result(Status.ERROR, str(problem))
        return found

    async def _task(self, task: Task, path: str, scope: Scope) -> Result:
        template = self._workflow.templates[task.template]
        started = time.monotonic()
        tries = 0
        try:
            with reading.of(task.path):
                inputs = self._inputs(task, template, scope)
        except MissingError as problem:
            result = Result(Status.ERROR, str(problem))
        else:
            while True:
                tries += 1
                self._say(f"{path}: running" + (f", try {tries}" if tries > 1 else ""))
                try:
                    result = await self._template(task.template, path, inputs, scope.daemons)
                except asyncio.CancelledError:
                    self._note(path, Result(Status.FAILED, CUT), time.monotonic() - started, tries)
                    raise
                wait = self._wait_before_next(template.retry, result, tries, time.monotonic() - started)
                if wait is None:
                    break
                self._say(f"{path}: {result.status.value}: {result.reason}; again in {wait:g} s")
                await asyncio.sleep(wait)
        self._note(path, result, time.monotonic() - started, tries)
        return result

    def _wait_before_next(self, retry: Retry, result: Result, tries: int, seconds: float) -> float | None:
        """Return the seconds before the next try; None where there is none."""
        minded = {"Always": {Status.FAILED, Status.ERROR}, "OnFailure": {Status.FAILED}, "OnError": {Status.ERROR}}
        if result.status not in minded.get(retry.policy, set()) or tries > retry.limit:
            return None
        wait = retry.wait(tries)
        if retry.all_seconds is not None and seconds + wait > retry.all_seconds:
            return None
        longest = self._options.longest_wait_seconds
        return wait if longest is None else min(wait, longest)

    def _inputs(self, task: Task, template: Template, scope: Scope) -> Inputs:
        given = fields.by_name(task.arguments, "parameters", task.path)
        parameters = {name: templating.filled(each["value"], scope.look, task.path) for name, each in given.items()}
        artifacts = {}
        for name, each in fields.by_name(task.arguments, "artifacts", task.path).items():
            artifacts[name] = artifact(str(each.get("from", "")), scope, f"{task.path}.arguments.artifacts[{name}]")
        declared = template.document.get("inputs") or {}
        for name, each in fields.by_name(declared, "parameters", template.path).items():
            if name not in parameters and "value" not in each and "default" not in each:
                raise PackageError(f"{task.path}: expected the parameter {quoted(name)} of {template.name}, found none")
        for name in fields.by_name(declared, "artifacts", template.path):
            if name not in artifacts:
                raise PackageError(f"{task.path}: expected the artifact {quoted(name)} of {template.name}, found none")
        return Inputs(parameters, artifacts)

    async def _hold(self, template: Template, path: str, look: Look) -> Result:
        seconds = self._options.hold_seconds
        with reading.of(template.path):
            suspend = templating.filled(template.document["suspend"] or {}, look, template.path)
            if "duration" in suspend:
                seconds = min(seconds, durations.seconds(suspend["duration"], f"{template.path}.suspend.duration"))
        self._say(f"{path}: holds; it is resumed after {seconds:g} s, as somebody would do")
        await asyncio.sleep(seconds)
        return Result(Status.SUCCEEDED)

    def _note(self, path: str, result: Result, seconds: float, tries: int) -> None:
        outcome = TaskOutcome(path, result.status, result.reason, tries, seconds)
        self._tasks = [task for task in self._tasks if task.path != path] + [outcome]
        self._say(f"{path}: {result.status.value}" + (f": {result.reason}" if result.reason else ""))


def _whole(template: str) -> Task:
    """Return the task that a workflow, or its end, is."""
    return Task(template, template, depends.parse("", template), {}, template)
