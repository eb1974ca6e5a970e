"""The runtime without a cluster: answers the server, while one thread moves all deployments to what is wanted of them.

That thread starts every process, because on Linux a process dies with the thread that started it. Nothing else starts or
stops anything; the methods only say what is wanted, write it down, and ring.
"""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from pathlib import Path

import structlog

from playground.runtime import turns
from playground.runtime.deployment import Address, Capacity, Deployment, DeploymentId, Event, Push
from playground.runtime.kept import Goal, KeptOwner
from playground.runtime.process import plan as plans
from playground.runtime.process.images import Table
from playground.runtime.process.place import Machine, Place
from playground.runtime.process.record import Record
from playground.runtime.process.shared_folder import DiskFolder
from playground.runtime.process.store import Store
from playground.runtime.process.tasks import Site
from playground.runtime.turns import Waiting
from shared import naming
from shared.errors import ConflictError, NotFoundError, RateLimitedError, UnavailableError
from shared.findings import quoted
from shared.json_text import MIB
from shared.processes import leftovers
from shared.processes.ports import LOOPBACK
from shared.processes.pump import Pump
from shared.settings import Secret
from shared.solution import ORCHESTRATOR

_LOG = structlog.get_logger()
_TICK_SECONDS = 0.05
_IDLE_SECONDS = 5.0
_TOKEN_BYTES = 32
_KEY_DIGITS = 10
_RETRY_SECONDS = 60
_REST_SECONDS = 5.0  # after a defect or a full disk
_LEAST_FREE_BYTES = 64 * MIB


class ProcessRuntime:
    """See `playground.runtime.interface.Runtime`, whose methods these are."""

    def __init__(self, folder: Path, table: Table) -> None:
        """Take the folder, end what a killed server left, and go on with everything that ran.

        Raises:
            UnavailableError: another server has the folder.
        """
        self._folder = folder.absolute()
        self._limits = table.limits
        self._store = Store(self._folder)
        leftovers.end(self._store.mark)
        self._pump = Pump()
        self._machine = Machine(self._store, table, self._pump)
        self._changed = threading.Condition()
        self._version = 1
        self._served: dict[str, int] = {}
        self._turns = count(1)
        self._is_closing = False
        self._bell = threading.Event()
        records = list(self._store.records())
        self._places = {record.deployment_id: self._placed(record) for record in records}
        self._thread = threading.Thread(target=self._supervise, name="process-runtime", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Return when deployments can be made."""
        if self._is_closing or not self._thread.is_alive():
            raise UnavailableError("the process runtime has ended")
        if shutil.disk_usage(self._folder).free < _LEAST_FREE_BYTES:
            raise UnavailableError("the disk of the process runtime is full")

    # --- pushes

    def create(self, push: Push) -> tuple[Deployment, bool]:
        """Accept a push; the same push is the same deployment."""
        deployment = _named(push)
        if (known := self._known(deployment)) is not None:
            return known, False
        plans.made(push.files, self._machine.table)
        with self._changed:
            # Somebody may have pushed the same meanwhile.
            if (known := self._known(deployment)) is not None:
                return known, False
            self._refuse_beyond_limit(push.owner.id)
            now = time.time()
            owner = KeptOwner(push.owner.id, push.owner.user_id, push.owner.is_operator)
            record = Record(
                id=deployment,
                key=push.key,
                owner=owner,
                solution_name=push.solution_name,
                created_at=now,
                used_at=now,
                goal=Goal.RUN,
                wants_since=now,
                token=secrets.token_urlsafe(_TOKEN_BYTES),
            )
            try:
                record.add(push, self._store.keep(deployment, push.files))
                record.note("accepted")
                self._store.save(record)
            except UnavailableError:
                self._store.discard(self._store.folder(deployment))
                raise
            place = self._places[deployment] = self._placed(record)
            self._ring()
            return place.deployment(), True

    def update(self, deployment: DeploymentId, push: Push) -> Deployment:
        """Run another bundle in the same place; claims stay."""
        plans.made(push.files, self._machine.table)
        with self._changed:
            place = self._changeable(deployment)
            if place.record.revision.digest != push.digest:
                place.record.add(push, self._store.keep(deployment, push.files))
                self._run_revision(place, f"revision {place.record.current} was pushed")
            return place.deployment()

    def rollback(self, deployment: DeploymentId, number: int) -> Deployment:
        """Run a former revision again, as a new one."""
        with self._changed:
            place = self._changeable(deployment)
            try:
                place.record.repeat(number)
            except KeyError:
                raise NotFoundError(f"revision {number} is not kept") from None
            self._run_revision(place, f"revision {place.record.current} repeats revision {number}")
            return place.deployment()

    # --- looking

    def all(self) -> tuple[Deployment, ...]:
        """Return every deployment, newest first."""
        with self._changed:
            found = [place.deployment() for place in self._places.values()]
        return tuple(sorted(found, key=lambda deployment: deployment.created_at, reverse=True))

    def get(self, deployment: DeploymentId) -> Deployment:
        """Return one deployment."""
        with self._changed:
            return self._place(deployment).deployment()

    def files(self, deployment: DeploymentId) -> Mapping[str, bytes]:
        """Return the files of the current bundle."""
        with self._changed:
            record = self._place(deployment).record
            return self._store.files(record, record.current)

    def events(self, deployment: DeploymentId) -> tuple[Event, ...]:
        """Return the last events, oldest first."""
        with self._changed:
            return tuple(kept.event for kept in self._place(deployment).record.events)

    def wait_changed(self, version: int, seconds: float) -> int:
        """Wait until anything has changed since `version`, or the time is over; return the new version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != version or self._is_closing, seconds)
            return self._version

    def logs(
        self, deployment: DeploymentId, node: str, *, follow: bool, since_seconds: int | None, tail: int
    ) -> Iterator[bytes]:
        """Return log lines of a node (or `orchestrator`) as they are."""
        with self._changed:
            place = self._place(deployment)
            _refuse_unknown(place, node)
            log = place.log(node)
        since = None if since_seconds is None else time.time() - since_seconds
        return log.lines(tail=tail, since=since, follow=follow)

    def orchestrator(self, deployment: DeploymentId) -> tuple[Address, Secret | None]:
        """Return where the orchestrator's services answer, and the token of its native API."""
        with self._changed:
            place = self._place(deployment)
            if place.plan is not None and place.plan.orchestrator_image is None:
                raise NotFoundError("a model has no orchestrator")
            worker = place.workers.get(ORCHESTRATOR)
            if worker is None or not worker.is_done:
                raise UnavailableError("the orchestrator is not up")
            return Address(LOOPBACK, worker.task.port), Secret(place.record.token)

    def web_ui(self, deployment: DeploymentId, node: str) -> Address:
        """Return where the web UI of a node answers."""
        with self._changed:
            place = self._place(deployment)
            _refuse_unknown(place, node)
            nodes = place.plan.nodes if place.plan else ()
            if not any(one.name == node and one.program.web_ui for one in nodes):
                raise NotFoundError(f"node {node} has no web UI")
            worker = place.workers.get(node)
            if worker is None or not worker.is_done or worker.task.web_port is None:
                raise UnavailableError(f"node {node} is not up")
            return Address(LOOPBACK, worker.task.web_port)

    def shared_folder(self, deployment: DeploymentId) -> DiskFolder:
        """Return the shared folder; of several, one that holds each under the name of its claim."""
        with self._changed:
            place = self._place(deployment)
            folders = place.plan.folders if place.plan else ()
            if not folders:
                raise NotFoundError("the solution has no shared folder")
            for folder in folders:
                place.site.shared_folder(folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            root = place.site.shared_folder(folders[0]) if len(folders) == 1 else place.site.shared
            return DiskFolder(root, place.site.uploads, limit=self._limits.shared_folder_mib * MIB)

    def capacity(self) -> Capacity:
        """Return what is used and allowed."""
        with self._changed:
            queued = sum(place.wants_turn for place in self._places.values())
            return Capacity(len(self._places), self._limits.running, queued, self._limits.running_per_owner)

    # --- wishes

    def wake(self, deployment: DeploymentId) -> None:
        """Start the nodes of a deployment that is asleep; note that it is used."""
        with self._changed:
            self._want_run(self._changeable(deployment))

    def sleep(self, deployment: DeploymentId) -> None:
        """Stop the nodes and keep everything."""
        with self._changed:
            place = self._changeable(deployment)
            if place.record.goal is not Goal.SLEEP:
                place.record.goal = Goal.SLEEP
                place.record.note("was put to sleep")
                self._save(place)

    def restart(self, deployment: DeploymentId, node: str | None = None) -> None:
        """Restart one node, or all of them and the orchestrator. One that is asleep wakes."""
        with self._changed:
            place = self._changeable(deployment)
            if node is not None:
                _refuse_unknown(place, node)
            worker = place.workers.get(node or "")
            if worker is not None:
                worker.restart(time.monotonic())
                place.record.note("restart was asked for", node=worker.task.name)
            else:
                place.record.completed = [name for name in place.record.completed if node not in {None, name}]
                place.record.note("restart was asked for")
                place.turn()
            self._want_run(place)

    def reset(self, deployment: DeploymentId, *, data: bool) -> None:
        """Restart everything; with `data` the shared folder is emptied first."""
        with self._changed:
            place = self._changeable(deployment)
            place.record.completed = []
            place.record.note("reset with its data was asked for" if data else "reset was asked for")
            place.turn(empties_data=data)
            self._want_run(place)

    def delete(self, deployment: DeploymentId) -> None:
        """Remove the deployment with its data."""
        with self._changed:
            place = self._place(deployment)
            place.record.goal = Goal.GO
            self._save(place)

    def close(self) -> None:
        """End all processes. Whatever ran goes on with the next server."""
        if self._is_closing:
            return
        self._is_closing = True
        self._ring()
        self._thread.join()
        with self._changed:
            self._changed.notify_all()
            for place in self._places.values():
                place.close()
        self._pump.close()
        self._store.close()

    # --- inside: the lock is held

    def _place(self, deployment: DeploymentId) -> Place:
        try:
            return self._places[deployment]
        except KeyError:
            raise NotFoundError(f"there is no deployment {quoted(deployment)}") from None

    def _changeable(self, deployment: DeploymentId) -> Place:
        place = self._place(deployment)
        if place.record.goal is Goal.GO:
            raise ConflictError("the deployment is being deleted")
        return place

    def _known(self, deployment: DeploymentId) -> Deployment | None:
        with self._changed:
            return self._changeable(deployment).deployment() if deployment in self._places else None

    def _refuse_beyond_limit(self, owner_id: str) -> None:
        kept = sum(place.record.owner.id == owner_id for place in self._places.values())
        if kept >= self._limits.kept_per_owner:
            raise RateLimitedError(
                f"expected at most {self._limits.kept_per_owner} deployments of one owner: delete one first",
                retry_after=_RETRY_SECONDS,
            )

    def _placed(self, record: Record) -> Place:
        folder = self._store.folder(record.deployment_id)
        mark = f"{self._store.mark}/{record.id}"
        return Place(record, self._machine, Site(self._folder, folder, mark, record.token, self._limits))

    def _run_revision(self, place: Place, what: str) -> None:
        place.read_plan()
        place.record.note(what)
        place.turn()
        self._want_run(place)
        self._store.forget_unused(place.record)

    def _want_run(self, place: Place) -> None:
        record = place.record
        record.used_at = time.time()
        if record.goal is not Goal.RUN:
            record.goal = Goal.RUN
            record.wants_since = record.used_at
            record.note("was woken")
        self._save(place)

    def _save(self, place: Place) -> None:
        self._store.save(place.record)
        self._ring()

    def _ring(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()
        self._bell.set()

    # --- the supervisor

    def _supervise(self) -> None:
        while True:
            with self._changed:
                is_busy = self._turn(time.monotonic())
                if self._is_closing and not any(place.is_alive for place in self._places.values()):
                    return
            self._store.empty_trash()
            self._bell.wait(_TICK_SECONDS if is_busy else _IDLE_SECONDS)
            self._bell.clear()

    def _turn(self, now: float) -> bool:
        """Move every deployment one step, and tell whether there is more to do soon."""
        if not self._is_closing:
            try:
                self._admit()
            except UnavailableError:
                _LOG.exception("turn_not_kept")  # on a full disk they run all the same, and wait again after a restart
        taken = {port for place in self._places.values() for port in place.ports}
        for place in list(self._places.values()):
            if now < place.rests_until:
                continue
            try:
                self._step(place, now, taken)
            except Exception:  # noqa: BLE001 - one deployment must not stop the others; it is logged, and tried again
                _LOG.exception("deployment_step_failed", deployment=place.record.id)
                place.rests_until = now + _REST_SECONDS
            taken.update(place.ports)
        return any(place.is_alive or place.needs_step for place in self._places.values())

    def _step(self, place: Place, now: float, taken: Collection[int]) -> None:
        if not place.step(now, is_closing=self._is_closing, taken=taken):
            return
        if place.record.goal is Goal.GO and not place.is_alive:
            place.close()
            self._store.discard(place.site.folder)
            del self._places[place.record.deployment_id]
        else:
            self._store.save(place.record)
        self._version += 1
        self._changed.notify_all()

    def _admit(self) -> None:
        """Give free turns to those who wait."""
        running = Counter(place.record.owner.id for place in self._places.values() if place.record.is_admitted)
        waiting = {
            place.record.deployment_id: Waiting(
                place.record.deployment_id, place.record.owner.id, place.record.wants_since
            )
            for place in self._places.values()
            if place.wants_turn
        }
        while (chosen := turns.next_one(waiting.values(), running, self._served, self._limits)) is not None:
            del waiting[chosen.id]
            running[chosen.owner_id] += 1
            self._served[chosen.owner_id] = next(self._turns)
            self._places[chosen.id].record.is_admitted = True
            self._save(self._places[chosen.id])
        for one in waiting.values():
            self._places[one.id].waits_for = turns.reason(one, running, self._limits)


def _named(push: Push) -> DeploymentId:
    """Return the id of a push: readable, and the same for the same push."""
    room = naming.NAME_LIMIT - _KEY_DIGITS - 1
    name = naming.label(push.solution_name.lower(), limit=room)
    return DeploymentId(f"{name}-{push.key}")


def _refuse_unknown(place: Place, node: str) -> None:
    if node not in place.names:
        raise NotFoundError(f"there is no node {quoted(node)}")
