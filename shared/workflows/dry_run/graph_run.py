"""Runs the tasks of a graph in their order, as many at once as may, until each has its status."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from shared.workflows.dry_run.depends import Depends
from shared.workflows.dry_run.outcome import PackageError, Status

Start = Callable[[str], Awaitable[Status]]


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks and what each waits for."""

    depends: Mapping[str, Depends]
    fails_fast: bool
    """After a failure nothing is begun, but what waits for failures."""

    def check(self, path: str) -> None:
        """Refuse a loop.

        Raises:
            PackageError: tasks wait for each other.
        """
        try:
            TopologicalSorter({name: depends.tasks for name, depends in self.depends.items()}).prepare()
        except CycleError as found:
            raise PackageError(f"{path}: the tasks {' -> '.join(found.args[1])} wait for each other") from None

    async def run(self, statuses: dict[str, Status], start: Start, omit: Callable[[str], None]) -> None:
        """Run every task; `statuses` gets what became of each, and may be changed by whoever watches daemons."""
        running: dict[asyncio.Future[Status], str] = {}
        waiting = list(self.depends)
        try:
            while waiting or running:
                for name in self._due(waiting, statuses):
                    waiting.remove(name)
                    if self._may(name, statuses):
                        running[asyncio.ensure_future(start(name))] = name
                    else:
                        statuses[name] = Status.OMITTED
                        omit(name)
                if any(name in waiting for name in self._due(waiting, statuses)):
                    continue
                if running:
                    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        statuses[running.pop(task)] = task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _due(self, waiting: Sequence[str], statuses: Mapping[str, Status]) -> list[str]:
        return [name for name in waiting if self.depends[name].tasks <= statuses.keys()]

    def _may(self, name: str, statuses: Mapping[str, Status]) -> bool:
        depends = self.depends[name]
        has_failed = self.fails_fast and any(status.is_bad for status in statuses.values())
        return depends.holds(statuses) and (not has_failed or depends.minds_failure)

    def status(self, statuses: Mapping[str, Status]) -> Status:
        """Return what became of the whole: good when each branch came to a good end."""
        targets = set(self.depends).difference(*(depends.tasks for depends in self.depends.values()))
        is_bad = any(self._is_bad(name, statuses) for name in targets)
        return Status.FAILED if is_bad else Status.SUCCEEDED

    def _is_bad(self, name: str, statuses: Mapping[str, Status]) -> bool:
        if statuses[name] is not Status.OMITTED:
            return statuses[name].is_bad
        before = self.depends[name].tasks
        # Left out by its own condition, or because something before it, or beside it, failed.
        return any(self._is_bad(each, statuses) for each in before) or (
            self.depends[name].holds(statuses) and any(status.is_bad for status in statuses.values())
        )
