"""The runtime for a cluster: takes wishes, writes them down in the cluster, and tells what its cache holds.

What is done about the wishes is the reconciler's, in whichever copy of the server has the lease.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from playground.runtime import turns
from playground.runtime.deployment import Address, Capacity, Deployment, DeploymentId, Event, Push, State
from playground.runtime.interface import SharedFolder
from playground.runtime.kept import Goal
from playground.runtime.kubernetes import admission, history, reconciler, record, words
from playground.runtime.kubernetes.admission import Admitted, Rules
from playground.runtime.kubernetes.api import RefusedError
from playground.runtime.kubernetes.applying import Applier
from playground.runtime.kubernetes.cache import Cache
from playground.runtime.kubernetes.cluster import FORBIDDEN, Cluster, told
from playground.runtime.kubernetes.codes import Codes
from playground.runtime.kubernetes.lease import Lease
from playground.runtime.kubernetes.logs import Logs
from playground.runtime.kubernetes.node_view import Seen, events_of
from playground.runtime.kubernetes.packs import Packs
from playground.runtime.kubernetes.reach import Reach
from playground.runtime.kubernetes.reconciler import Reconciler
from playground.runtime.kubernetes.record import Emptying, KeptPack, KeptRevision, Record
from playground.runtime.kubernetes.records import Kept, Records
from playground.runtime.kubernetes.shared_folder import SharedFolders
from playground.runtime.kubernetes.views import Views
from playground.runtime.turns import Limits
from shared.errors import ConflictError, NotFoundError, RateLimitedError, UnavailableError
from shared.findings import Findings, quoted
from shared.settings import Secret

_RETRY_SECONDS = 60
_ALLOWED_SECONDS = 10.0
"""Until rights that were just given are known everywhere."""
_PAUSE_SECONDS = 0.1
_FOLDER_SECONDS = 30.0
_TRIES = 5
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the runtime is made of; see `opening`."""

    cluster: Cluster
    cache: Cache
    records: Records
    packs: Packs
    applier: Applier
    lease: Lease
    reconciler: Reconciler
    views: Views
    logs: Logs
    folders: SharedFolders
    reach: Reach
    codes: Codes
    end: Callable[[], None]
    """Closes what the parts share."""


class KubernetesRuntime:
    """See `playground.runtime.interface.Runtime`, `SpendsCodes` and `Leads`, whose methods these are."""

    def __init__(self, parts: Parts, *, rules: Rules, limits: Limits, installation: str) -> None:
        """Take the parts; nothing works yet."""
        self.parts = parts
        self._records = parts.records
        self._rules = rules
        self._installation = installation
        self._limits = limits
        self._tokens: dict[DeploymentId, tuple[float, Secret]] = {}
        self._accepting = threading.Lock()

    def start(self) -> None:
        """Begin to watch, and to work as soon as the lease is ours."""
        self.parts.cache.start()
        self.parts.views.start()
        self.parts.lease.start()
        self.parts.reconciler.start()

    def check(self) -> None:
        """Return when deployments can be made."""
        self.parts.cache.check()

    # --- pushes

    def create(self, push: Push) -> tuple[Deployment, bool]:
        """Accept a push; the same push is the same deployment."""
        deployment = record.named(push, self._installation)
        if (known := self._known(deployment)) is not None:
            return self._shown(known), False
        admitted = self._admitted(push)
        with told("the deployment"):
            # One by one, so that the limit of an owner is one; several copies of the server may let one more pass.
            with self._accepting:
                self._refuse_beyond_limit(push.owner.id, deployment)
                is_new = self._records.make(deployment, record.new(push))
            kept = self._records.live(deployment)
            if kept is None or kept.is_ending:
                raise ConflictError("the deployment is being deleted")
            if kept.record.owner.id != push.owner.id or kept.record.key != push.key:
                raise ConflictError(f"the namespace {quoted(deployment)} belongs to somebody else")
            self.parts.applier.bind(deployment)
            _when_allowed(lambda: self._add(deployment, push, admitted, only_first=True))
        return self.get(deployment), is_new

    def update(self, deployment: DeploymentId, push: Push) -> Deployment:
        """Run another bundle in the same place; claims stay."""
        self._changeable(deployment)
        admitted = self._admitted(push)
        with told("the deployment"):
            self._add(deployment, push, admitted, only_first=False)
        return self.get(deployment)

    def rollback(self, deployment: DeploymentId, number: int) -> Deployment:
        """Run a former revision again, as a new one."""

        def repeat(now: Record) -> Record:
            try:
                former = now.numbered(number)
            except KeyError:
                raise NotFoundError(f"revision {number} is not kept") from None
            again = msgspec.structs.replace(former, number=now.next_number, pushed_at=time.time())
            return _with_revision(now, again, now.packs, f"revision {again.number} repeats revision {number}")

        self._change(deployment, repeat)
        return self.get(deployment)

    # --- looking

    def all(self) -> tuple[Deployment, ...]:
        """Return every deployment, newest first."""
        known = [kept for kept in self._records.all() if kept.record.current]
        queue = reconciler.running_of(known)
        found = [self._told(kept, lambda: queue) for kept in known]
        return tuple(sorted(found, key=lambda deployment: deployment.created_at, reverse=True))

    def get(self, deployment: DeploymentId) -> Deployment:
        """Return one deployment."""
        return self._shown(self._records.get(deployment))

    def files(self, deployment: DeploymentId) -> Mapping[str, bytes]:
        """Return the files of the current bundle."""
        kept = self._records.get(deployment)
        with told("the files of the deployment"):
            return self.parts.packs.files(kept.id, kept.record, kept.record.revision)

    def events(self, deployment: DeploymentId) -> tuple[Event, ...]:
        """Return the last events, oldest first: ours, and the cluster's."""
        kept = self._records.get(deployment)
        found = (*record.events(kept.record), *events_of(Seen.of(self.parts.cache, deployment)))
        return tuple(sorted(found, key=lambda event: event.at))

    def wait_changed(self, version: int, seconds: float) -> int:
        """Wait until anything has changed since `version`, or the time is over; return the new version."""
        return self.parts.cache.wait_changed(version, seconds)

    def logs(
        self, deployment: DeploymentId, node: str, *, follow: bool, since_seconds: int | None, tail: int
    ) -> Iterator[bytes]:
        """Return log lines of a node (or `orchestrator`) as they are."""
        self._records.get(deployment)
        return self.parts.logs.lines(deployment, node, follow=follow, since_seconds=since_seconds, tail=tail)

    def orchestrator(self, deployment: DeploymentId) -> tuple[Address, Secret | None]:
        """Return where the orchestrator's services answer, and the token of its native API."""
        kept = self._records.get(deployment)
        address = self.parts.reach.orchestrator(deployment)
        return address, self._token(kept)

    def web_ui(self, deployment: DeploymentId, node: str) -> Address:
        """Return where the web UI of a node answers."""
        self._records.get(deployment)
        return self.parts.reach.web_ui(deployment, node)

    def shared_folder(self, deployment: DeploymentId) -> SharedFolder:
        """Return the shared folder; one that is being emptied or made is waited for a little."""
        end = time.monotonic() + _FOLDER_SECONDS
        while True:
            version = self.parts.cache.version
            kept = self._records.get(deployment)
            now = kept.record
            if now.emptying is None or not now.has_objects:
                try:
                    return self.parts.folders.of(deployment)
                except NotFoundError:
                    if not now.revision.claims:
                        raise
            if not now.has_turn or time.monotonic() > end:
                raise UnavailableError("the shared folder is not there at present")
            self.parts.cache.wait_changed(version, 1.0)

    def capacity(self) -> Capacity:
        """Return what is used and allowed."""
        known = [kept for kept in self._records.all() if kept.record.current]
        queued = len(reconciler.waiting_of(known))
        return Capacity(len(known), self._limits.running, queued, self._limits.running_per_owner)

    # --- wishes

    def wake(self, deployment: DeploymentId) -> None:
        """Start the nodes of a deployment that is asleep; note that it is used."""

        def change(now: Record) -> Record:
            if now.goal is Goal.RUN:
                return msgspec.structs.replace(now, used_at=time.time())
            return record.wanted(now, Goal.RUN, "was woken")

        self._change(deployment, change)

    def sleep(self, deployment: DeploymentId) -> None:
        """Stop the nodes and keep everything."""

        def change(now: Record) -> Record:
            return now if now.goal is Goal.SLEEP else record.wanted(now, Goal.SLEEP, "was put to sleep")

        self._change(deployment, change)

    def restart(self, deployment: DeploymentId, node: str | None = None) -> None:
        """Restart one node, or all of them and the orchestrator. One that is asleep wakes."""
        nodes = [known.name for known in self.get(deployment).nodes]
        if node is not None and node not in nodes:
            raise NotFoundError(f"there is no node {quoted(node)}")
        moment = _moment()

        def change(now: Record) -> Record:
            wanted = record.wanted(now, Goal.RUN, "restart was asked for")
            if node is None:
                return msgspec.structs.replace(wanted, restarted_at=moment, restarts={})
            return msgspec.structs.replace(wanted, restarts={**now.restarts, node: moment})

        self._change(deployment, change)

    def reset(self, deployment: DeploymentId, *, data: bool) -> None:
        """Restart everything; with `data` the shared folder is emptied first."""
        self._changeable(deployment)
        claims = self._claims(deployment) if data else {}
        moment = _moment()

        def change(now: Record) -> Record:
            wanted = record.wanted(
                now, Goal.RUN, "reset with its data was asked for" if data else "reset was asked for"
            )
            emptying = Emptying(claims) if claims else now.emptying
            return msgspec.structs.replace(wanted, restarted_at=moment, restarts={}, emptying=emptying)

        self._change(deployment, change)

    def delete(self, deployment: DeploymentId) -> None:
        """Remove the deployment with its data."""
        if self._records.get(deployment).is_ending:
            return
        self._records.change(
            deployment, lambda now: now if now.goal is Goal.GO else record.wanted(now, Goal.GO, "is deleted")
        )

    # --- what copies of the server share

    def spend(self, code_id: str, seconds: float) -> bool:
        """Return True the first time a one-time code is named, by whichever copy, and False ever after."""
        return self.parts.codes.spend(code_id, seconds)

    def leads(self) -> bool:
        """Return whether this copy is the one that does what is done from time to time."""
        return self.parts.lease.is_held

    def close(self) -> None:
        """End what only this copy of the server holds; deployments go on."""
        self.parts.reconciler.close()
        self.parts.lease.close()
        self.parts.views.close()
        self.parts.end()

    # --- inside

    def _known(self, deployment: DeploymentId) -> Kept | None:
        try:
            return self._changeable(deployment)
        except NotFoundError:
            return None

    def _changeable(self, deployment: DeploymentId) -> Kept:
        kept = self._records.get(deployment)
        if _goes(kept):
            raise ConflictError("the deployment is being deleted")
        return kept

    def _change(self, deployment: DeploymentId, change: Callable[[Record], Record]) -> None:
        self._changeable(deployment)

        def unless_deleted(now: Record) -> Record:
            if now.goal is Goal.GO:
                raise ConflictError("the deployment is being deleted")
            return change(now)

        self._records.change(deployment, unless_deleted)

    def _admitted(self, push: Push) -> Admitted:
        return admission.admitted(push.files, push.solution_name, push.ids, self._rules)

    def _refuse_beyond_limit(self, owner_id: str, deployment: DeploymentId) -> None:
        kept = sum(
            each.record.owner.id == owner_id and each.id != deployment and not _goes(each)
            for each in self._records.all()
        )
        if kept >= self._limits.kept_per_owner:
            raise RateLimitedError(
                f"expected at most {self._limits.kept_per_owner} deployments of one owner: delete one first",
                retry_after=_RETRY_SECONDS,
            )

    def _add(self, deployment: DeploymentId, push: Push, admitted: Admitted, *, only_first: bool) -> None:
        """Store the files of a push, then make it the current revision; again where others have done so meanwhile."""
        for _ in range(_TRIES):
            kept = self._records.live(deployment)
            if kept is None:
                raise NotFoundError(f"there is no deployment {quoted(deployment)}")
            now = kept.record
            if now.current and (only_first or now.revision.digest == push.digest):
                return
            former = now.revision.packs if now.current else ()
            pack, used = history.packed(push.files, former, self.parts.packs.loader(deployment, now))
            added = {pack.id: self.parts.packs.save(deployment, pack)}
            if self._has_added(deployment, push, admitted, (added, used), base=now.next_number):
                return
        raise ConflictError("others push to the deployment at the same time")

    def _has_added(
        self,
        deployment: DeploymentId,
        push: Push,
        admitted: Admitted,
        packs: tuple[Mapping[str, KeptPack], Sequence[str]],
        *,
        base: int,
    ) -> bool:
        added, used = packs

        def change(now: Record) -> Record:
            if now.next_number != base or now.goal is Goal.GO:
                return now
            ids = push.ids
            revision = KeptRevision(
                number=base,
                solution_id=ids.solution_id if ids else None,
                revision_id=ids.revision_id if ids else None,
                digest=push.digest,
                pushed_at=time.time(),
                packs=(*added, *used),
                claims=admitted.claims,
            )
            text = "accepted" if base == 1 else f"revision {base} was pushed"
            changed = _with_revision(now, revision, {**now.packs, **added}, text)
            return msgspec.structs.replace(changed, findings=record.kept_findings(admitted.findings))

        changed = self._records.change(deployment, change)
        if changed.goal is Goal.GO:
            raise ConflictError("the deployment is being deleted")
        return changed.current == base and changed.revision.digest == push.digest

    def _claims(self, deployment: DeploymentId) -> dict[str, str]:
        """Return the uids of the claims that are there now: what is made later is not meant."""
        with told("the claims of the deployment"):
            selector = f"{words.DEPLOYMENT}={deployment},!{words.PART}"
            found = self.parts.cluster.all("PersistentVolumeClaim", deployment, selector)
        return {claim["metadata"]["name"]: claim["metadata"]["uid"] for claim in found}

    def _token(self, kept: Kept) -> Secret | None:
        known = self._tokens.get(kept.id)
        if known is not None and known[0] == kept.record.created_at:
            return known[1]
        with told("the token of the orchestrator"):
            found = self.parts.cluster.get("Secret", kept.id, words.ORCHESTRATOR_TOKEN)
        if found is None:
            return None
        token = Secret(base64.b64decode(found["data"][words.ORCHESTRATOR_TOKEN_KEY]).decode())
        if len(self._tokens) > self._limits.running * 2:
            self._tokens.clear()
        self._tokens[kept.id] = (kept.record.created_at, token)
        return token

    def _shown(self, kept: Kept) -> Deployment:
        return self._told(kept, lambda: reconciler.running_of(self._records.all()))

    def _told(self, kept: Kept, running: Callable[[], reconciler.Running]) -> Deployment:
        now = kept.record
        view = self.parts.views.of(kept.id)
        state, reason = view.state, view.reason
        if _goes(kept):
            state, reason = State.DELETING, ""
        elif now.wants_turn:
            waiting = turns.Waiting(kept.id, now.owner.id, now.wants_since)
            state, reason = State.QUEUED, turns.reason(waiting, running(), self._limits)
        elif now.applied != now.wish and now.goal is Goal.RUN:
            state, reason = State.STARTING, now.failure or "it is being applied"
        elif now.failure:
            state, reason = State.FAILED, now.failure
        elif now.goal is Goal.SLEEP:
            state, reason = State.ASLEEP, ""
        return Deployment(
            id=kept.id,
            owner=now.owner.principal,
            solution_name=now.solution_name,
            state=state,
            reason=reason,
            created_at=now.created_at,
            used_at=now.used_at,
            nodes=view.nodes,
            revisions=tuple(kept_one.revision for kept_one in now.revisions),
            current=now.current,
            findings=Findings(tuple(finding.finding for finding in now.findings)),
        )


def _goes(kept: Kept) -> bool:
    return kept.is_ending or kept.record.goal is Goal.GO


def _with_revision(now: Record, revision: KeptRevision, packs: Mapping[str, KeptPack], text: str) -> Record:
    """Return the record with one more revision as the current one; the oldest beyond the limits are forgotten."""
    revisions, kept = history.kept((*now.revisions, revision), packs, current=revision.number)
    changed = msgspec.structs.replace(
        now, revisions=revisions, packs=kept, current=revision.number, next_number=revision.number + 1
    )
    return record.wanted(changed, Goal.RUN, text)


def _when_allowed(do: Callable[[], _T]) -> _T:
    """Do it as soon as rights that were just given are known everywhere."""
    end = time.monotonic() + _ALLOWED_SECONDS
    while True:
        try:
            return do()
        except RefusedError as refused:
            if refused.code != FORBIDDEN or time.monotonic() > end:
                raise
            time.sleep(_PAUSE_SECONDS)


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
