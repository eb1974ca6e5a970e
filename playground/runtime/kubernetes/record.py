"""What stands on the namespace of a deployment: all that a server needs to go on with it, and nothing secret.

Small enough for an annotation: Kubernetes allows 256 KiB of them together. Changed by whoever holds the newest version,
through the version check of the API server; see `records`.
"""

from __future__ import annotations

import hashlib
import time

import msgspec

from playground.runtime.deployment import DeploymentId, Event, Push, Revision
from playground.runtime.kept import Goal, KeptEvent, KeptOwner, one_line
from playground.runtime.kubernetes.words import DEFAULT_INSTALLATION
from shared import naming
from shared.findings import Finding, Findings, Severity
from shared.solution import Ids, RevisionId, SolutionId

MAX_EVENTS = 40
MAX_FINDINGS = 20
MAX_REASON = 500
_MAX_NAME = 200


class KeptRevision(msgspec.Struct, frozen=True):
    """A revision, and where its files are."""

    number: int
    solution_id: str | None
    revision_id: str | None
    digest: str
    pushed_at: float
    packs: tuple[str, ...]
    """Ids of the packs that hold its files; the first one says which files there are."""
    claims: tuple[str, ...] = ()
    """What its shared folders are called."""

    @property
    def ids(self) -> Ids | None:
        """The ids of the solution, where it has any."""
        return Ids(SolutionId(self.solution_id), RevisionId(self.revision_id or "")) if self.solution_id else None

    @property
    def revision(self) -> Revision:
        """What the server sees of it."""
        return Revision(self.number, self.ids, self.digest, self.pushed_at)


class KeptPack(msgspec.Struct, frozen=True):
    """Files of one or several revisions, compressed."""

    size: int
    """In bytes, as stored."""
    pieces: int
    """Of how many objects in the namespace; 0: it lies in the store outside the cluster."""


class KeptFinding(msgspec.Struct, frozen=True):
    """A finding as JSON."""

    severity: str
    code: str
    path: str
    expected: str
    found: str
    hint: str = ""

    @property
    def finding(self) -> Finding:
        """What the server sees of it."""
        return Finding(Severity(self.severity), self.code, self.path, self.expected, self.found, self.hint)


class Emptying(msgspec.Struct, frozen=True):
    """Claims whose content goes, because somebody has said so: those with these uids, and never those made after them."""

    claims: dict[str, str]
    """Name → uid."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one deployment."""

    key: str
    """Of the push that made it."""
    owner: KeptOwner
    solution_name: str
    created_at: float
    used_at: float
    goal: Goal = Goal.RUN
    wants_since: float = 0
    """When it last began to wait for its turn."""
    admitted_at: float = 0
    """When it was given its turn, which it has as long as this is not 0."""
    served_at: float = 0
    """When it was given a turn last, whether or not it still has it."""
    wish: int = 1
    """Grows with every wish of its owner."""
    applied: int = 0
    """The wish that the cluster was last brought to."""
    has_objects: bool = False
    """Something of the bundle has been applied, or is about to be."""
    checked: int = 0
    """The last revision whose objects the API server has found in order."""
    failure: str = ""
    """Why the last wish cannot be fulfilled; empty while it can."""
    restarted_at: str = ""
    """Of all nodes; another text makes new pods."""
    restarts: dict[str, str] = {}
    """The same for single nodes."""
    emptying: Emptying | None = None
    current: int = 0
    """0: its first revision has not been stored yet, and nobody sees it."""
    next_number: int = 1
    revisions: tuple[KeptRevision, ...] = ()
    packs: dict[str, KeptPack] = {}
    findings: tuple[KeptFinding, ...] = ()
    events: tuple[KeptEvent, ...] = ()

    @property
    def has_turn(self) -> bool:
        """Answer whether it counts as running."""
        return self.admitted_at > 0

    @property
    def wants_turn(self) -> bool:
        """Answer whether it waits until it may run."""
        return self.current > 0 and self.goal is Goal.RUN and not self.has_turn

    @property
    def revision(self) -> KeptRevision:
        """The one that runs."""
        return self.numbered(self.current)

    def numbered(self, number: int) -> KeptRevision:
        """Return a revision, or raise KeyError."""
        for revision in self.revisions:
            if revision.number == number:
                return revision
        raise KeyError(number)


def named(push: Push, installation: str) -> DeploymentId:
    """Return the id of a push: readable, the same for the same push, and another one at another playground of the cluster."""
    key = push.key
    if installation != DEFAULT_INSTALLATION:
        key = hashlib.sha256(f"{installation}\0{key}".encode()).hexdigest()[: len(key)]
    return DeploymentId(f"{naming.label(push.solution_name.lower(), limit=naming.NAME_LIMIT - len(key) - 1)}-{key}")


def new(push: Push) -> Record:
    """Return the record of a push whose files are not stored yet."""
    now = time.time()
    owner = KeptOwner(push.owner.id, push.owner.user_id, push.owner.is_operator)
    return Record(
        key=push.key,
        owner=owner,
        solution_name=push.solution_name[:_MAX_NAME],
        created_at=now,
        used_at=now,
        wants_since=now,
    )


def noted(record: Record, text: str, *, node: str = "", is_warning: bool = False) -> Record:
    """Return the record with one more event."""
    event = KeptEvent(time.time(), one_line(text)[:MAX_REASON], node, is_warning)
    return msgspec.structs.replace(record, events=(*record.events, event)[-MAX_EVENTS:])


def wanted(record: Record, goal: Goal, text: str) -> Record:
    """Return the record with a new wish; who did not want to run before begins to wait now."""
    now = time.time()
    begins = goal is Goal.RUN and record.goal is not Goal.RUN
    changed = msgspec.structs.replace(
        record,
        goal=goal,
        wish=record.wish + 1,
        failure="",
        used_at=now if goal is Goal.RUN else record.used_at,
        wants_since=now if begins else record.wants_since,
        admitted_at=record.admitted_at if goal is Goal.RUN else 0,
    )
    return noted(changed, text)


def kept_findings(findings: Findings) -> tuple[KeptFinding, ...]:
    """Return the first of the findings as they are kept."""
    return tuple(
        KeptFinding(f.severity.value, f.code, f.path[:_MAX_NAME], f.expected[:MAX_REASON], f.found[:MAX_REASON], f.hint)
        for f in findings.items[:MAX_FINDINGS]
    )


def events(record: Record) -> tuple[Event, ...]:
    """Return the events, oldest first."""
    return tuple(kept.event for kept in record.events)


def encode(record: Record) -> str:
    """Return the record as JSON."""
    return msgspec.json.encode(record).decode()


def decode(deployment: DeploymentId, text: str) -> Record:
    """Return the record in an annotation.

    Raises:
        ValueError: it is none.
    """
    try:
        return msgspec.json.decode(text, type=Record)
    except msgspec.DecodeError as problem:
        raise ValueError(f"the record of {deployment} is not one") from problem
