"""One deployment at work: its record, its plan and its workers, moved one step at a time to what its owner wants."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from playground.runtime.deployment import Deployment, NodeStatus, State
from playground.runtime.kept import Goal
from playground.runtime.process import plan as plans
from playground.runtime.process import tasks
from playground.runtime.process.images import Table
from playground.runtime.process.plan import Plan
from playground.runtime.process.record import Record
from playground.runtime.process.store import Store
from playground.runtime.process.tasks import Site
from playground.runtime.process.worker import Phase, Task, Worker
from shared.errors import InvalidSolutionError, SlipwayError, UnavailableError
from shared.findings import Findings
from shared.processes import leftovers
from shared.processes.log import Log
from shared.processes.pump import Pump
from shared.solution import ORCHESTRATOR

_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Machine:
    """What all places share."""

    store: Store
    table: Table
    pump: Pump


class Place:
    """A deployment. The runtime's lock is held whenever one of its methods is called."""

    def __init__(self, record: Record, machine: Machine, site: Site) -> None:
        self.record = record
        self.site = site
        self.plan: Plan | None = None
        self.refusal = ""
        """Why it cannot run here, after the table of images has changed."""
        self.waits_for = ""
        """What a queued one waits for."""
        self.rests_until = 0.0
        """No step is taken before."""
        self.workers: dict[str, Worker] = {}
        self._machine = machine
        self._logs: dict[str, Log] = {}
        self._is_turning = record.empties_data  # it was promised before the last server was killed
        self._is_idle = True
        self._next_try = 0.0
        machine.store.discard(site.uploads)  # what a killed server did not receive whole
        self.read_plan()
        if self.plan is None:
            record.is_admitted = False

    # --- what the server asks

    def read_plan(self) -> None:
        """Take the plan of the current revision; what cannot be read or run is said in `refusal`."""
        try:
            files = self._machine.store.files(self.record, self.record.current)
            self.plan, self.refusal = plans.made(files, self._machine.table), ""
        except InvalidSolutionError as problem:
            self.plan, self.refusal = None, "; ".join(map(str, problem.findings.errors))
        except UnavailableError as problem:
            self.plan, self.refusal = None, str(problem)

    def turn(self, *, empties_data: bool = False) -> None:
        """Stop everything, and start again with what is current then."""
        self._is_turning = True
        self.record.empties_data |= empties_data

    def log(self, name: str) -> Log:
        """Return the log of a node; it exists from the first start on."""
        if name not in self._logs:
            self._logs[name] = Log(self.site.folder / "logs" / f"{name}.log")
        return self._logs[name]

    @property
    def names(self) -> tuple[str, ...]:
        """All workloads, the orchestrator last."""
        if self.plan is None:
            return ()
        nodes = tuple(node.name for node in self.plan.nodes)
        return nodes if self.plan.orchestrator_image is None else (*nodes, ORCHESTRATOR)

    @property
    def is_alive(self) -> bool:
        """It has a process."""
        return any(worker.is_alive for worker in self.workers.values())

    @property
    def needs_step(self) -> bool:
        """There is something to do or to watch."""
        is_running = self.record.goal is Goal.RUN and self.record.is_admitted
        return is_running or self._is_turning or not self._is_idle or self.record.goal is Goal.GO

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that belong to its tasks, whether they listen now or not."""
        return tuple(port for worker in self.workers.values() for port in worker.task.ports)

    @property
    def wants_turn(self) -> bool:
        """It should run, and has not been admitted."""
        return self.record.goal is Goal.RUN and not self.record.is_admitted and self.plan is not None

    def close(self) -> None:
        """Close the logs."""
        for log in self._logs.values():
            log.close()

    # --- what the supervisor does

    def step(self, now: float, *, is_closing: bool, taken: Collection[int]) -> bool:
        """Do what is due, and tell whether anything has changed."""
        should_run = self.record.goal is Goal.RUN and self.record.is_admitted and not is_closing
        if self._is_turning or not should_run:
            return self._stop(now, keeps_turn=is_closing)
        if not self.workers:
            return self.plan is not None and now >= self._next_try and self._prepare(self.plan, now, taken)
        was_ready = self._is_ready
        changes = [worker.step(now) for worker in self.workers.values()]
        if not any(changes):
            return False
        self._remember_completed()
        if self._is_ready and not was_ready:
            self.record.note("every node is ready")
        return True

    def _stop(self, now: float, *, keeps_turn: bool) -> bool:
        """Stop, the orchestrator first: while it drains, the nodes have to answer."""
        if self._is_idle and not self._is_turning:
            return self._give_up_turn(keeps_turn=keeps_turn) or self.record.goal is Goal.GO
        is_gentle = self.record.goal is not Goal.GO and not self.record.empties_data
        first = self.workers.get(ORCHESTRATOR)
        stopped = [first] if first is not None and first.is_alive and is_gentle else list(self.workers.values())
        before = [worker.phase for worker in stopped]
        for worker in stopped:
            worker.stop(now, gently=is_gentle)
        if self.is_alive:
            return before != [worker.phase for worker in stopped]
        leftovers.end(self.site.mark)  # who left its group
        self.workers = {}
        self._is_idle = True
        self._finish_turn()
        self._give_up_turn(keeps_turn=keeps_turn)
        return True

    def _finish_turn(self) -> None:
        if self._is_turning:
            self._is_turning = False
            if self.record.empties_data:
                self.record.empties_data = False
                self._machine.store.discard(self.site.shared)
                self.record.note("the shared folder was emptied")

    def _give_up_turn(self, *, keeps_turn: bool) -> bool:
        if keeps_turn or self.record.goal is Goal.RUN or not self.record.is_admitted:
            return False
        self.record.is_admitted = False
        return True

    def _prepare(self, plan: Plan, now: float, taken: Collection[int]) -> bool:
        """Make the workers; where the machine has no room, try again later."""
        files = self._machine.store.files(self.record, self.record.current)
        try:
            made = tasks.made(plan, files, self.site, taken=taken)
        except (SlipwayError, OSError) as problem:
            self.record.note(f"cannot be prepared: {problem}", is_warning=True)
            self._next_try = now + _RETRY_SECONDS
            return True
        self._is_idle = False
        self.workers = {task.name: self._worker(task) for task in made}
        return True

    def _worker(self, task: Task) -> Worker:
        note = partial(self.record.note, node=task.name)
        is_completed = task.name in self.record.completed
        return Worker(task, self.log(task.name), self._machine.pump, note, is_completed=is_completed)

    def _remember_completed(self) -> None:
        self.record.completed = [name for name, worker in self.workers.items() if worker.phase is Phase.COMPLETED]

    @property
    def _is_ready(self) -> bool:
        return bool(self.workers) and all(worker.is_done for worker in self.workers.values())

    # --- what the server sees

    def deployment(self) -> Deployment:
        """Return the deployment as it is now."""
        record = self.record
        state, reason = self._state()
        return Deployment(
            id=record.deployment_id,
            owner=record.owner.principal,
            solution_name=record.solution_name,
            state=state,
            reason=reason,
            created_at=record.created_at,
            used_at=record.used_at,
            nodes=self._nodes(),
            revisions=tuple(kept.revision for kept in record.revisions),
            current=record.current,
            findings=self.plan.findings if self.plan else Findings(),
        )

    def _nodes(self) -> tuple[NodeStatus, ...]:
        if self.workers:
            return tuple(worker.status() for worker in self.workers.values())
        if self.plan is None:
            return ()
        done = self.record.completed
        nodes = [
            NodeStatus(
                node.name,
                node.image,
                (Phase.COMPLETED if node.name in done else Phase.WAITING).value,
                has_web_ui=node.program.web_ui,
            )
            for node in self.plan.nodes
        ]
        if self.plan.orchestrator_image is not None:
            nodes.append(NodeStatus(ORCHESTRATOR, self.plan.orchestrator_image, Phase.WAITING.value))
        return tuple(nodes)

    def _state(self) -> tuple[State, str]:
        if self.record.goal is Goal.GO:
            return State.DELETING, ""
        if self.refusal:
            return State.FAILED, self.refusal
        if self.record.goal is Goal.SLEEP:
            return State.ASLEEP, "stopping" if self.is_alive else ""
        if not self.record.is_admitted:
            return State.QUEUED, self.waits_for
        if self._is_ready and not self._is_turning:
            return State.READY, ""
        failed = [worker for worker in self.workers.values() if worker.has_failed]
        return (State.FAILED if failed else State.STARTING), self._reason(failed)

    def _reason(self, failed: list[Worker]) -> str:
        """Return why it is not ready, with the name of the first node that says something."""
        now = time.monotonic()
        if not self.workers and now < self._next_try:
            return self.record.events[-1].text
        told = [(worker.task.name, worker.status().reason) for worker in [*failed, *self.workers.values()]]
        return next((f"{name} {reason}" for name, reason in told if reason), "")
