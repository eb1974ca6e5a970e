"""Moves all deployments to what their records want. One copy of the server does it, the others only write wishes down.

All state is in the cluster: killed anywhere, the next one goes on. A deployment whose step fails rests for a while,
longer each time, and stops nobody else.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog

from playground.runtime import turns
from playground.runtime.deployment import DeploymentId
from playground.runtime.kept import Goal
from playground.runtime.kubernetes import record, removal
from playground.runtime.kubernetes.api import RefusedError, UnreachableError
from playground.runtime.kubernetes.applying import Applier, Brought, HopelessError, NotYetError
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.cluster import Cluster
from playground.runtime.kubernetes.lease import Lease
from playground.runtime.kubernetes.packs import Packs
from playground.runtime.kubernetes.record import Record
from playground.runtime.kubernetes.records import Kept, Records
from playground.runtime.turns import Limits, Waiting
from shared.errors import ConflictError, NotFoundError, SlipwayError

Running = Counter[str]
"""How many deployments of each owner run."""

_LOG = structlog.get_logger(__name__)
_ROUND_SECONDS = 1.0
_LEAST_SECONDS = 0.1
"""Between two rounds, however much changes in the cluster."""
_SOON_SECONDS = 0.5
_REST_SECONDS = 2.0
_LONGEST_REST_SECONDS = 60.0
_TIDY_SECONDS = 30.0
_ABANDONED_SECONDS = 900.0
"""A push whose files were not stored by then is not on its way any more."""


class Reconciler:
    """One thread that looks, and some that work."""

    def __init__(
        self,
        cluster: Cluster,
        cache: Cache,
        records: Records,
        *,
        packs: Packs,
        applier: Applier,
        lease: Lease,
        tidy: Callable[[DeploymentId], None],
        limits: Limits,
        workers: int,
    ) -> None:
        """Prepare; `tidy` clears away what a look into a shared folder has left behind."""
        self._cluster = cluster
        self._cache = cache
        self._records = records
        self._packs = packs
        self._applier = applier
        self._lease = lease
        self._tidy = tidy
        self._tidied_at = time.monotonic()
        self._limits = limits
        self._lock = threading.Lock()
        self._busy: set[DeploymentId] = set()
        self._rests: dict[DeploymentId, tuple[float, float]] = {}
        self._ended = threading.Event()
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="apply")
        self._thread = threading.Thread(target=self._watch, name="reconciler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after what is being done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._workers.shutdown()

    def round(self) -> None:
        """Give free turns away, and begin to work on everything that is not as it is wanted."""
        known = self._records.all()
        self.give_turns([kept for kept in known if not kept.is_ending])
        now = time.monotonic()
        with self._lock:
            self._rests = {kept.id: self._rests[kept.id] for kept in known if kept.id in self._rests}
            chosen = [kept for kept in known if needs_work(kept) and self._may_begin(kept.id, now)]
            self._busy |= {kept.id for kept in chosen}
        for kept in chosen:
            self._workers.submit(self._work, kept.id)
        if now - self._tidied_at > _TIDY_SECONDS:
            self._tidied_at = now
            self._workers.submit(self._tidy_all, [kept.id for kept in known if not kept.is_ending])

    def give_turns(self, known: Sequence[Kept]) -> None:
        """Give free turns to those who wait."""
        waiting = waiting_of(known)
        if not waiting:
            return
        running, served = running_of(known), served_of(known)
        while (chosen := turns.next_one(waiting.values(), running, served, self._limits)) is not None:
            del waiting[chosen.id]
            running[chosen.owner_id] += 1
            served[chosen.owner_id] = _moment(time.time())
            try:
                self._records.change(chosen.id, _admitted)
            except SlipwayError as problem:
                _LOG.warning("turn_not_given", deployment=chosen.id, code=problem.code)

    def step(self, deployment: DeploymentId) -> None:
        """Do what one deployment wants, as far as it goes now.

        Raises:
            NotYetError: the cluster has to do something first.
            UnreachableError, RefusedError, SlipwayError: it failed; the next time may succeed.
        """
        kept = self._records.live(deployment)
        if kept is None or not needs_work(kept):
            return
        if kept.record.goal is Goal.GO or not kept.record.current:
            removal.remove(self._cluster, kept)
            return
        try:
            brought = self._applier.bring(kept)
        except HopelessError as hopeless:
            self._conclude(kept, failure=str(hopeless))
            return
        self._conclude(kept, brought)

    def _watch(self) -> None:
        while not self._ended.is_set():
            version = self._cache.version
            try:
                if self._lease.is_held:
                    self.round()
            except Exception as problem:  # noqa: BLE001 - the thread must live; what it could not do, the next round does
                _LOG.warning("reconciler_round_failed", problem=type(problem).__name__, exc_info=True)
            self._ended.wait(_LEAST_SECONDS)
            self._cache.wait_changed(version, _ROUND_SECONDS)

    def _may_begin(self, deployment: DeploymentId, now: float) -> bool:
        return deployment not in self._busy and self._rests.get(deployment, (0.0, 0.0))[0] <= now

    def _work(self, deployment: DeploymentId) -> None:
        rest = 0.0
        try:
            if self._lease.is_held and not self._ended.is_set():
                self.step(deployment)
        except NotYetError:
            rest = _SOON_SECONDS
        except (NotFoundError, ConflictError):
            rest = _SOON_SECONDS
        except (UnreachableError, RefusedError, SlipwayError) as problem:
            rest = self._longer(deployment)
            self._tell(deployment, problem, is_first=rest <= _REST_SECONDS)
        except Exception:  # noqa: BLE001 - one deployment must not stop the others; it is logged, and tried again
            rest = self._longer(deployment)
            _LOG.exception("deployment_step_failed", deployment=deployment)
        with self._lock:
            self._busy.discard(deployment)
            if rest:
                self._rests[deployment] = (time.monotonic() + rest, rest)
            else:
                self._rests.pop(deployment, None)

    def _tidy_all(self, deployments: Sequence[DeploymentId]) -> None:
        for deployment in deployments:
            self._tidy(deployment)

    def _longer(self, deployment: DeploymentId) -> float:
        with self._lock:
            _, before = self._rests.get(deployment, (0.0, 0.0))
        return min(max(_REST_SECONDS, before * 2), _LONGEST_REST_SECONDS)

    def _tell(self, deployment: DeploymentId, problem: Exception, *, is_first: bool) -> None:
        """Let the owner know why it takes long, where it is about the deployment and not about the cluster."""
        _LOG.warning("deployment_step_refused", deployment=deployment, problem=str(problem))
        # Rights that were given a moment ago may not be known everywhere: the first refusal means little.
        if is_first or not isinstance(problem, RefusedError):
            return
        text = f"the cluster refuses a step, which is tried again: {problem.message}"
        try:
            self._records.change(deployment, lambda now: _hindered(now, text))
        except (SlipwayError, UnreachableError, RefusedError):
            return

    def _conclude(self, kept: Kept, brought: Brought | None = None, *, failure: str = "") -> None:
        """Write down what came of it, unless something else is wanted meanwhile: then there is another step."""

        def change(now: Record) -> Record:
            if now.wish != kept.record.wish or now.current != kept.record.current or now.goal is not kept.record.goal:
                return now
            if failure:
                return record.noted(
                    msgspec.structs.replace(now, applied=now.wish, failure=_short(failure)), failure, is_warning=True
                )
            if brought is not None and brought.has_emptied:
                return record.noted(msgspec.structs.replace(now, emptying=None), "the shared folder was emptied")
            for note in brought.notes if brought else ():
                now = record.noted(now, note)
            checked = now.current if now.has_objects else now.checked
            return msgspec.structs.replace(now, applied=now.wish, failure="", checked=checked)

        changed = self._records.change(kept.id, change)
        if changed.applied == changed.wish and changed.has_objects:
            self._packs.forget(kept.id, changed.packs)


def needs_work(kept: Kept) -> bool:
    """Tell whether a deployment is not as its record wants it."""
    now = kept.record
    if kept.is_ending:
        return False
    if not now.current:
        return time.time() - now.created_at > _ABANDONED_SECONDS
    if now.goal is Goal.GO:
        return True
    if now.emptying is not None and now.has_objects:
        return True
    return now.applied != now.wish and (now.goal is Goal.SLEEP or now.has_turn)


def waiting_of(known: Sequence[Kept]) -> dict[DeploymentId, Waiting]:
    """Return who waits for a turn."""
    return {
        kept.id: Waiting(kept.id, kept.record.owner.id, kept.record.wants_since)
        for kept in known
        if kept.record.wants_turn
    }


def running_of(known: Sequence[Kept]) -> Running:
    """Return how many of each owner run."""
    return Running(kept.record.owner.id for kept in known if kept.record.has_turn and kept.record.goal is Goal.RUN)


def served_of(known: Sequence[Kept]) -> dict[str, int]:
    """Return when each owner was served last, in milliseconds."""
    served: dict[str, int] = {}
    for kept in known:
        owner = kept.record.owner.id
        served[owner] = max(served.get(owner, 0), _moment(kept.record.served_at))
    return served


def _admitted(now: Record) -> Record:
    if not now.wants_turn:
        return now
    moment = time.time()
    return msgspec.structs.replace(now, admitted_at=moment, served_at=moment, has_objects=True)


def _hindered(now: Record, text: str) -> Record:
    if now.failure == _short(text) or now.applied == now.wish:
        return now
    return record.noted(msgspec.structs.replace(now, failure=_short(text)), text, is_warning=True)


def _short(text: str) -> str:
    return " ".join(text.split())[: record.MAX_REASON]


def _moment(seconds: float) -> int:
    return round(seconds * 1000)
